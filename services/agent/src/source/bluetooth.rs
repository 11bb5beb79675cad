//! The sources over Bluetooth LE: `ftms`, a machine's own console, and `running-speed`.
//!
//! They read and listen through bluetoothd and have no way to write: the methods that they call are `Connect` and
//! `Disconnect`, `ReadValue` and `StartNotify`, and those that discover.

#[cfg(feature = "bluetooth")]
mod around;
#[cfg(feature = "bluetooth")]
mod bus;
mod choices;
#[cfg(feature = "bluetooth")]
mod find;
#[cfg(feature = "bluetooth")]
mod heart_rate;
mod kind;
#[cfg(feature = "bluetooth")]
mod listen;
#[cfg(feature = "bluetooth")]
mod mind;
mod place;
pub mod presets;
pub mod running_speed;
mod settings;
mod sought;
#[cfg(feature = "bluetooth")]
mod tree;
#[cfg(feature = "bluetooth")]
mod wanted;

use domain::signal::SourceSpec;

use super::{Outlet, Running, Source};
use kind::Kind;

#[cfg(feature = "bluetooth")]
pub use around::{Seen, around};
pub use settings::{ABOUT, COMMENTS, PaceWidthSetting, Settings, SpeedUnitSetting, YesNo, example};
pub use sought::Sought;

/// A source over Bluetooth.
#[derive(Debug)]
pub struct Bluetooth {
    kind: Kind,
    #[cfg(feature = "bluetooth")]
    memory: listen::Memory,
}

impl Bluetooth {
    fn new(kind: Kind) -> Bluetooth {
        Bluetooth {
            kind,
            #[cfg(feature = "bluetooth")]
            memory: listen::Memory::default(),
        }
    }
}

/// The source `ftms`, with its port closed.
pub fn source(settings: &Settings) -> Bluetooth {
    Bluetooth::new(Kind::Ftms(settings.clone()))
}

/// The source `running-speed`, with its port closed.
pub fn running_speed_source(settings: &running_speed::Settings) -> Bluetooth {
    Bluetooth::new(Kind::RunningSpeed(settings.clone()))
}

impl Source for Bluetooth {
    fn spec(&self) -> SourceSpec {
        self.kind.spec()
    }

    #[cfg(feature = "bluetooth")]
    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(listen::run(&self.kind, &mut self.memory, outlet))
    }

    // The settings were refused before: this is for who does not check them.
    #[cfg(not(feature = "bluetooth"))]
    fn run<'a>(&'a mut self, _outlet: &'a Outlet) -> Running<'a> {
        Box::pin(async { super::Lost("this program was built without Bluetooth".to_owned()) })
    }
}
