//! Where a machine is to be found: on which bus, by which adapter, under which address or name.

use std::time::Duration;

/// Where a machine is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its address.
    pub(super) address: Option<String>,
    /// How its name begins.
    pub(super) machine: Option<String>,
    /// The adapter's name; `None`: the first one that is switched on.
    pub(super) adapter: Option<String>,
    /// The bus; `None`: the system's.
    pub(super) bus: Option<String>,
    /// How long it is looked for.
    pub(super) discovery: Duration,
    /// It advertises the service that is listened to.
    pub(super) advertises_service: bool,
}

impl Place {
    /// Whether the values are allowed; else field, value and what is allowed.
    pub(super) fn check(&self) -> Result<(), String> {
        if !cfg!(feature = "bluetooth") {
            return Err("kind needs Bluetooth, without which this program was built".to_owned());
        }
        if self.address.is_none() && self.machine.is_none() {
            return Err("address and machine are both empty: one of them is needed".to_owned());
        }
        if let Some(address) = self.address.as_ref().filter(|address| !is_address(address)) {
            return Err(format!(
                "address is {address:?}: six pairs of hexadecimal digits with colons are needed"
            ));
        }
        let is_name = |name: &String| name.bytes().all(|octet| octet.is_ascii_alphanumeric());
        if let Some(adapter) = self.adapter.as_ref().filter(|adapter| !is_name(adapter)) {
            return Err(format!("adapter is {adapter:?}: letters and digits are allowed, as in \"hci0\""));
        }
        let seconds = self.discovery.as_secs();
        if !(1..=300).contains(&seconds) {
            return Err(format!("discovery_seconds is {seconds}: 1 to 300 is allowed"));
        }
        Ok(())
    }
}

#[cfg(feature = "bluetooth")]
impl Place {
    /// Whether a machine with this address and name is the one.
    pub(super) fn fits(&self, address: &str, name: Option<&str>) -> bool {
        let fits_address = self.address.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(address));
        let begins = |wanted: &String| {
            let beginning = name.and_then(|name| name.get(..wanted.len()));
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(wanted))
        };
        fits_address && self.machine.as_ref().is_none_or(begins)
    }

    /// The machine, in words.
    pub(super) fn words(&self) -> String {
        match (&self.machine, &self.address) {
            (Some(name), Some(address)) => format!("{name}… ({address})"),
            (Some(name), None) => format!("{name}…"),
            (None, Some(address)) => address.clone(),
            (None, None) => "any machine".to_owned(),
        }
    }
}

fn is_address(text: &str) -> bool {
    let pairs: Vec<&str> = text.split(':').collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|octet| octet.is_ascii_hexdigit());
    pairs.len() == 6 && pairs.iter().all(is_pair)
}
