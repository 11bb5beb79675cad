//! The Bluetooth sources against a bluetoothd that is none, with everything that goes wrong between a gym's computer
//! and a machine. The clock stands still and jumps when nobody has anything to do, so that waiting costs nothing.
#![cfg(feature = "bluetooth")]

#[cfg(test)]
mod capture;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod finding;
#[cfg(test)]
mod losing;
#[cfg(test)]
mod real_bus;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod watching;
#[cfg(test)]
mod world;
