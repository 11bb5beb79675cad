use super::*;

fn refused(change: impl FnOnce(&mut Settings), words: &str) {
    let mut settings = example();
    change(&mut settings);
    let reason = settings.check().unwrap_err();
    assert!(reason.contains(words), "{reason:?} has no {words:?}");
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    assert_eq!(example().check(), Ok(()));
    refused(|settings| settings.chip.clear(), "chip is empty");
    refused(|settings| settings.line_b = Some(LineAddress::Number(23)), "line_b is 23");
    refused(
        |settings| settings.pulses_per_revolution = 0,
        "pulses_per_revolution is 0: 1 to 10000 is allowed",
    );
    refused(|settings| settings.belt_thickness_mm = f64::NAN, "belt_thickness_mm is NaN");
    refused(
        |settings| settings.roller_diameter_mm = Some(5.0),
        "roller_diameter_mm is 5: 10 to 500 is allowed",
    );
    refused(|settings| settings.um_per_count = Some(3.0), "um_per_count is 3");
    refused(
        |settings| (settings.um_per_count, settings.roller_diameter_mm) = (None, None),
        "um_per_count or roller_diameter_mm is needed",
    );
    refused(
        |settings| (settings.um_per_count, settings.pulses_per_revolution) = (None, 1_000),
        "a count would be 41 µm of belt",
    );
    refused(|settings| (settings.line_b, settings.invert) = (None, true), "invert is true");
}

#[test]
fn settings_survive_their_file() {
    let settings = Settings { line_b: None, roller_diameter_mm: None, ..example() };
    let text = toml::to_string(&settings).unwrap();
    assert_eq!(toml::from_str::<Settings>(&text), Ok(settings), "{text}");
    let short =
        "name = \"b\"\nline_a = 1\nline_b = \"GPIO2\"\npulses_per_revolution = 16\nroller_diameter_mm = 50";
    let settings: Settings = toml::from_str(short).unwrap();
    assert_eq!(settings.line_b, Some(LineAddress::Name("GPIO2".to_owned())));
    assert_eq!(settings.check(), Ok(()));
    assert!(toml::from_str::<Settings>(&format!("{short}\nppr = 3")).is_err());
}

#[test]
fn the_roller_gives_the_belt_of_a_count_unless_laps_did() {
    let check = |um_per_count, has_b: bool, expected| {
        let line_b = example().line_b.filter(|_| has_b);
        assert_eq!(Settings { um_per_count, line_b, ..example() }.nm_per_count(), expected);
    };
    // π · 52 mm / 64 and / 16.
    check(None, true, 2_552_544);
    check(None, false, 10_210_176);
    check(Some(2_500.0), true, 2_500_000);
}

#[test]
fn only_two_lines_can_report_a_direction() {
    let capabilities = |line_b| source(&Settings { line_b, ..example() }).spec().capabilities;
    assert_eq!(capabilities(example().line_b), Capabilities::SPEED.and(Capabilities::DIRECTION));
    assert_eq!(capabilities(None), Capabilities::SPEED);
}
