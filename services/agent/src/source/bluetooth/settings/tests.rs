//! What the settings allow, and what they make of a model.

use super::super::place::Place;
use super::*;
use crate::ftms::model::SpeedUnit;
use crate::ftms::treadmill::PaceWidth;
use domain::units::Incline;

const ADDRESS: &str = "AA:BB:CC:DD:EE:FF";

fn read(text: &str) -> Result<Settings, String> {
    toml::from_str(&format!("name = \"console\"\n{text}")).map_err(|error| error.to_string())
}

#[track_caller]
fn check(text: &str, expected: Result<(), &str>) {
    let checked = read(text).and_then(|settings| settings.check());
    match (checked, expected) {
        (Ok(()), Ok(())) => {}
        (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {part} is not in: {error}"),
        (got, _) => panic!("{text}: {got:?}"),
    }
}

#[test]
fn what_is_not_allowed_is_named() {
    let with = |more: &str| format!("address = \"{ADDRESS}\"\n{more}");
    check(&with(""), Ok(()));
    check("machine = \"T9\"", Ok(()));
    check("", Err("address and machine"));
    check("machine = \" \"", Err("address and machine"));
    check("address = \"AA:BB\"", Err("address is \"AA:BB\""));
    check("address = \"AA:BB:CC:DD:EE:GG\"", Err("six pairs"));
    check(&with("adapter = \"../hci0\""), Err("adapter is \"../hci0\""));
    check(&with("discovery_seconds = 0"), Err("discovery_seconds is 0: 1 to 300"));
    check(&with("period_ms = 9"), Err("period_ms is 9: 10 to 60000"));
    check(&with("model = \"x\""), Err("model is \"x\": by-name, as-specified, bowflex-t9"));
    check(&with("reports = []"), Err("reports is empty"));
    // No common service has a belt's direction, so that nobody can make the source claim it.
    check(&with("reports = [\"speed\", \"direction\"]"), Err("reports has \"direction\""));
    check(&with("reports = [\"emergency_stop\"]"), Err("reports has \"emergency_stop\""));
    check(&with("reports = [\"speed\", \"safety_key\"]"), Ok(()));
    check(&with("target_incline = \"yes\""), Err("target_incline"));
    check(&with("model = \"fitlogic\""), Err("target_incline"));
    check(&with("model = \"fitlogic\"\nreports = [\"speed\"]"), Ok(()));
    check(&with("model = \"fitlogic\"\ntarget_incline = \"no\""), Ok(()));
    check(&with("target_incline = \"maybe\""), Err("by-model"));
    check(&with("heart_rate_told = true"), Err("heart_rate_contact"));
    check(&with("incline_scale = [0, 0, 1]"), Err("incline_scale is [0, 0, 1]"));
    check(&with("incline_scale = [0, 1, 0]"), Err("1 to 255"));
    check(&with("incline_scale = [0, 1, 256]"), Err("1 to 255"));
    check(&with("incline_scale = [0, 1]"), Err("incline_scale has 2 numbers: none or three"));
    check(&with("incline_scale = [500, 4, 25]"), Ok(()));
    check(&with("speed_unit = \"knots\""), Err("knots"));
    check(&with("speed_units = \"miles\""), Err("speed_units"));
}

#[test]
fn what_is_left_out_is_the_default() {
    assert_eq!(read(&format!("address = \"{ADDRESS}\"")).unwrap(), Settings::at("console", ADDRESS));
    let spec = Settings::at("console", ADDRESS).spec();
    assert_eq!(spec.capabilities.names().collect::<Vec<_>>(), ["speed", "incline", "user_commands"]);
    assert_eq!((spec.name.as_str(), spec.period_us), ("console", 1_000_000));
    assert_eq!(example().check(), Ok(()));
}

#[test]
fn a_setting_goes_before_the_model_and_the_model_before_the_specification() {
    let check = |text: &str, called: Option<&str>, preset: Option<&str>, expected: Model| {
        let settings = read(&format!("address = \"{ADDRESS}\"\n{text}")).unwrap();
        assert_eq!(settings.model_called(called), (expected, preset), "{text}");
    };
    let plain = Model::default();
    let miles = Model { speed_unit: SpeedUnit::Miles, ..plain.clone() };
    check("", None, None, plain.clone());
    check("", Some("Some machine"), None, plain.clone());
    check("", Some("BFX_T9_1"), Some("bowflex-t9"), miles.clone());
    check("model = \"as-specified\"", Some("BFX_T9_1"), None, plain.clone());
    check("speed_unit = \"kilometres\"", Some("BFX_T9_1"), Some("bowflex-t9"), plain.clone());
    check("model = \"bowflex-t9\"", Some("T318_2"), Some("bowflex-t9"), miles);
    check("pace_width = \"two-octets\"", None, None, Model { pace_width: PaceWidth::TwoOctets, ..plain });
    let scaled = read("machine = \"x\"\nincline_scale = [500, 4, 25]");
    let (model, _) = scaled.unwrap().model_called(None);
    assert_eq!(model.incline_scale.incline(250), Incline(-40));
}

#[test]
fn a_place_is_an_address_a_name_or_both() {
    let place = |address: Option<&str>, machine: Option<&str>| Place {
        address: address.map(str::to_owned),
        machine: machine.map(str::to_owned),
        ..Sought::at(ADDRESS).place()
    };
    let check = |place: Place, address: &str, name: Option<&str>, expected: bool| {
        assert_eq!(place.fits(address, name), expected, "{} {address} {name:?}", place.words());
    };
    check(place(Some(ADDRESS), None), "aa:bb:cc:dd:ee:ff", None, true);
    check(place(Some(ADDRESS), None), "AA:BB:CC:DD:EE:00", None, false);
    check(place(None, Some("urtm")), ADDRESS, Some("URTM041"), true);
    check(place(None, Some("URTM041")), ADDRESS, Some("URTM"), false);
    check(place(None, Some("ü")), ADDRESS, Some("ux"), false);
    check(place(None, Some("URTM")), ADDRESS, None, false);
    check(place(Some(ADDRESS), Some("URTM")), ADDRESS, Some("T9"), false);
    check(place(Some(ADDRESS), Some("URTM")), ADDRESS, Some("URTM"), true);
}
