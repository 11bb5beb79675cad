//! The kinds of sources that listen over Bluetooth: what each wants of its machine.

use domain::signal::SourceSpec;

use super::running_speed;
use super::settings::Settings;
#[cfg(feature = "bluetooth")]
use super::{
    place::Place,
    wanted::{FITNESS_MACHINE, Heard, Need, RUNNING_SPEED, Wanted},
};
#[cfg(feature = "bluetooth")]
use crate::ftms::{Characteristic, model::Model};

/// A kind of source with its settings.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// The fitness machine service.
    Ftms(Settings),
    /// The running speed and cadence service.
    RunningSpeed(running_speed::Settings),
}

impl Kind {
    pub(super) fn spec(&self) -> SourceSpec {
        match self {
            Kind::Ftms(settings) => settings.spec(),
            Kind::RunningSpeed(settings) => settings.spec(),
        }
    }
}

#[cfg(feature = "bluetooth")]
impl Kind {
    /// Where the machine is to be found.
    pub(super) fn place(&self) -> Place {
        match self {
            Kind::Ftms(settings) => settings.sought.place(),
            Kind::RunningSpeed(settings) => settings.sought.place(),
        }
    }

    /// What is peculiar to a machine that advertises this name, and the preset that says so.
    pub(super) fn model_called(&self, advertised: Option<&str>) -> (Model, Option<&'static str>) {
        match self {
            Kind::Ftms(settings) => settings.model_called(advertised),
            Kind::RunningSpeed(_) => (Model::default(), None),
        }
    }

    /// What is read and listened to.
    pub(super) fn wanted(&self) -> Wanted {
        match self {
            Kind::Ftms(settings) => ftms(settings),
            Kind::RunningSpeed(_) => Wanted {
                service: RUNNING_SPEED,
                read: Vec::new(),
                listen: vec![(Heard::RunningSpeed, Need::Must)],
            },
        }
    }
}

/// Status comes before speed, so that no stop is missed once speeds are told.
#[cfg(feature = "bluetooth")]
fn ftms(settings: &Settings) -> Wanted {
    // Some machines have FTMS's numbers and a protocol of their own behind them; those have no feature.
    let feature = if settings.without_feature { Need::May } else { Need::Must };
    let mut listen = vec![
        (Heard::Ftms(Characteristic::Status), Need::May),
        (Heard::Ftms(Characteristic::Training), Need::May),
        (Heard::Ftms(Characteristic::Treadmill), Need::Must),
    ];
    if settings.heart_rate_service {
        listen.push((Heard::HeartRate, Need::May));
    }
    Wanted {
        service: FITNESS_MACHINE,
        read: vec![
            (Heard::Ftms(Characteristic::Feature), feature),
            (Heard::Ftms(Characteristic::SpeedRange), Need::May),
            (Heard::Ftms(Characteristic::InclinationRange), Need::May),
        ],
        listen,
    }
}

#[cfg(all(test, feature = "bluetooth"))]
mod tests {
    use super::*;

    #[test]
    fn the_control_point_is_never_wanted() {
        let everything =
            Settings { heart_rate_service: true, ..Settings::at("console", "AA:BB:CC:DD:EE:FF") };
        for kind in [Kind::Ftms(everything), Kind::RunningSpeed(running_speed::example())] {
            let Wanted { read, listen, .. } = kind.wanted();
            for (heard, _) in read.into_iter().chain(listen) {
                assert_ne!(heard, Heard::Ftms(Characteristic::ControlPoint));
                assert_ne!(heard.number(), 0x2AD9);
            }
        }
    }
}
