//! Models that do not speak as specified, by the beginning of the name that they advertise.
//!
//! Names and peculiarities are those that the source of qdomyos-zwift, its issues and public captures show. None was
//! tried on hardware here.

use std::num::NonZeroU8;

use crate::ftms::model::{InclineScale, Model, SpeedUnit};

/// What is peculiar to a known model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Its name in the settings.
    pub name: &'static str,
    /// Beginnings of the names that such machines advertise, in capitals. None: it is taken only where settings name it.
    pub advertised: &'static [&'static str],
    /// What is peculiar to it.
    pub model: Model,
}

/// All known models. The first one that a name begins with is taken.
pub fn presets() -> Vec<Preset> {
    let plain = Model::default();
    let miles = Model { speed_unit: SpeedUnit::Miles, ..plain.clone() };
    let steps = Model { vendor_steps: true, ..plain.clone() };
    let scaled = |zero| Model {
        incline_scale: InclineScale { zero, numerator: 4, denominator: DENOMINATOR },
        ..plain.clone()
    };
    vec![
        Preset { name: "bowflex-t9", advertised: &["BFX_T9_", "BOWFLEX T9"], model: miles.clone() },
        Preset { name: "3g-elite", advertised: &["3G ELITE ", "T3G_ELITE"], model: miles.clone() },
        Preset { name: "therun-t15", advertised: &["THERUN  T15", "THERUN T15"], model: miles },
        Preset { name: "bh-t01", advertised: &["T01_"], model: scaled(500) },
        Preset { name: "bh-iconcept", advertised: &[], model: scaled(0) },
        Preset { name: "urevo", advertised: &["URTM"], model: steps.clone() },
        Preset { name: "citysports", advertised: &["CITYSPORTS-LINKER"], model: steps.clone() },
        Preset { name: "fitlogic", advertised: &[], model: Model { target_incline: true, ..steps.clone() } },
        Preset { name: "fitshow", advertised: &["FS-"], model: steps },
        Preset {
            name: "horizon-t318",
            advertised: &["T318_"],
            model: Model { silent_on_stop: true, ..plain },
        },
    ]
}

/// 62.5 raw are 1 %: 25 raw are 4 tenths of a per cent.
const DENOMINATOR: NonZeroU8 = NonZeroU8::new(25).expect("25 is not 0");

/// The preset of this name.
pub fn named(name: &str) -> Option<Preset> {
    presets().into_iter().find(|preset| preset.name == name)
}

/// The preset of a machine that advertises this name.
pub fn advertised(name: &str) -> Option<Preset> {
    let name = name.trim_start().to_ascii_uppercase();
    let begins = |preset: &Preset| preset.advertised.iter().any(|prefix| name.starts_with(prefix));
    presets().into_iter().find(begins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::units::{Incline, Speed};

    #[test]
    fn a_model_is_known_by_the_beginning_of_its_name() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(advertised(name).map(|preset| preset.name), expected, "{name}");
        };
        check("BFX_T9_04F2", Some("bowflex-t9"));
        check("3G Elite 1234", Some("3g-elite"));
        check("THERUN  T15", Some("therun-t15"));
        check("T01_8812", Some("bh-t01"));
        check("URTM041", Some("urevo"));
        check("CITYSPORTS-Linker", Some("citysports"));
        check("fs-1a2b3c", Some("fitshow"));
        check("T318_0007", Some("horizon-t318"));
        check("T31", None);
        check("", None);
    }

    #[test]
    fn names_are_unique_and_advertised_ones_in_capitals() {
        let all = presets();
        for (index, preset) in all.iter().enumerate() {
            assert_eq!(named(preset.name).as_ref(), Some(preset));
            assert!(all[..index].iter().all(|before| before.name != preset.name), "{}", preset.name);
            for prefix in preset.advertised {
                assert_eq!(*prefix, prefix.to_ascii_uppercase());
                assert_eq!(advertised(prefix).map(|found| found.name), Some(preset.name), "{prefix}");
            }
        }
    }

    #[test]
    fn what_is_peculiar_is_settled() {
        let model = |name: &str| named(name).expect("known").model;
        // 6 in the field of a console that counts miles.
        assert_eq!(model("bowflex-t9").speed_unit.speed(600), Speed(2_682));
        let incline = |name: &str, raw| model(name).incline_scale.incline(raw);
        assert_eq!(incline("bh-iconcept", 1_000), Incline(160));
        assert_eq!(incline("bh-iconcept", 0), Incline(0));
        assert_eq!(incline("bh-t01", 500), Incline(0));
        assert_eq!(incline("bh-t01", 250), Incline(-40));
        assert!(model("fitlogic").target_incline && model("fitlogic").vendor_steps);
        assert!(model("horizon-t318").silent_on_stop);
    }
}
