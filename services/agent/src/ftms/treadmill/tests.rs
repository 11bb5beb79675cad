use super::*;
use proptest::prelude::*;

fn octets(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

fn check(text: &str, expected: Treadmill) {
    assert_eq!(Treadmill::decode(&octets(text), PaceWidth::OneOctet), Ok(expected), "{text}");
}

#[test]
fn the_bit_for_more_leaves_the_speed_out() {
    check(
        "0700 f401 e80300",
        Treadmill { flags: 7, average_speed: Some(500), distance_m: Some(1_000), ..Treadmill::default() },
    );
    check(
        "0004 5802 2c01",
        Treadmill { flags: 0x0400, speed: Some(600), elapsed_s: Some(300), ..Treadmill::default() },
    );
}

#[test]
fn not_available_is_not_a_number() {
    check(
        "0800 fa00 e7ff ff7f",
        Treadmill {
            flags: 8,
            speed: Some(250),
            inclination: Some(Reported::Value(-25)),
            ramp_angle: Some(Reported::NotAvailable),
            ..Treadmill::default()
        },
    );
    check(
        "8110 ffff ffff ff ff7f ff7f",
        Treadmill {
            flags: 0x1081,
            energy_kcal: Some(Reported::NotAvailable),
            energy_per_hour_kcal: Some(Reported::NotAvailable),
            energy_per_minute_kcal: Some(Reported::NotAvailable),
            force_on_belt_n: Some(Reported::NotAvailable),
            power_output_w: Some(Reported::NotAvailable),
            ..Treadmill::default()
        },
    );
    // The specification defines no "not available" for the elevation gain.
    check(
        "1100 ff7f ffff",
        Treadmill {
            flags: 0x11,
            elevation_gain_positive: Some(0x7FFF),
            elevation_gain_negative: Some(0xFFFF),
            ..Treadmill::default()
        },
    );
}

fn full(pace: u16) -> Treadmill {
    Treadmill {
        flags: 0x1FFE,
        speed: Some(1_000),
        average_speed: Some(900),
        distance_m: Some(0x01_02_03),
        inclination: Some(Reported::Value(15)),
        ramp_angle: Some(Reported::Value(9)),
        elevation_gain_positive: Some(100),
        elevation_gain_negative: Some(50),
        instantaneous_pace: Some(pace),
        average_pace: Some(pace + 1),
        energy_kcal: Some(Reported::Value(15)),
        energy_per_hour_kcal: Some(Reported::Value(300)),
        energy_per_minute_kcal: Some(Reported::Value(5)),
        heart_rate_bpm: Some(120),
        metabolic_equivalent: Some(95),
        elapsed_s: Some(300),
        remaining_s: Some(600),
        force_on_belt_n: Some(Reported::Value(-12)),
        power_output_w: Some(Reported::Value(250)),
        ..Treadmill::default()
    }
}

const BEFORE_PACE: &str = "e803 8403 030201 0f00 0900 6400 3200";
const AFTER_PACE: &str = "0f00 2c01 05 78 5f 2c01 5802 f4ff fa00";

#[test]
fn all_fields_come_in_the_order_of_their_bits() {
    let narrow = format!("fe1f {BEFORE_PACE} 64 65 {AFTER_PACE}");
    assert_eq!(octets(&narrow).len(), 34);
    check(&narrow, full(100));
    let wide = format!("fe1f {BEFORE_PACE} 2c01 2d01 {AFTER_PACE}");
    assert_eq!(octets(&wide).len(), 36);
    check(&wide, full(300));
}

#[test]
fn the_length_tells_the_width_of_the_pace_where_it_can() {
    let width = |flags, length| {
        let by_default = |otherwise| pace_width(flags, length, otherwise);
        (by_default(PaceWidth::OneOctet), by_default(PaceWidth::TwoOctets))
    };
    let told = |width: PaceWidth| (width, width);
    let open = (PaceWidth::OneOctet, PaceWidth::TwoOctets);
    let (one, two, vendor) = (0x0020, 0x0060, FLAG_VENDOR_STEPS);
    for (flags, length, expected) in [
        (one, 4, open),
        (one, 5, told(PaceWidth::OneOctet)),
        (one, 6, told(PaceWidth::TwoOctets)),
        (one, 7, open),
        (two, 5, open),
        (two, 6, told(PaceWidth::OneOctet)),
        (two, 7, told(PaceWidth::OneOctet)),
        (two, 8, told(PaceWidth::TwoOctets)),
        (two, 9, open),
        (one | vendor, 5, told(PaceWidth::OneOctet)),
        (one | vendor, 6, told(PaceWidth::TwoOctets)),
        (one | vendor, 7, open),
        (one | vendor, 8, told(PaceWidth::OneOctet)),
        (one | vendor, 9, told(PaceWidth::TwoOctets)),
    ] {
        assert_eq!(width(flags, length), expected, "flags {flags:04x}, {length} octets");
    }
}

#[test]
fn reserved_bits_and_octets_after_the_fields_are_no_reason_to_refuse() {
    check(
        "00e0 6400 380000ab",
        Treadmill {
            flags: 0xE000,
            speed: Some(100),
            vendor_steps: Some(56),
            trailing: octets("380000ab"),
            ..Treadmill::default()
        },
    );
    check(
        "0020 6400 3800",
        Treadmill { flags: 0x2000, speed: Some(100), trailing: octets("3800"), ..Treadmill::default() },
    );
}

#[test]
fn a_cut_frame_keeps_what_is_whole() {
    // As the default MTU cuts it: 20 octets of 28.
    check(
        "9e1b 5100 b200 580000 0000 ff7f 1e00 ffff 0c00 97",
        Treadmill {
            flags: 0x1B9E,
            speed: Some(81),
            average_speed: Some(178),
            distance_m: Some(88),
            inclination: Some(Reported::Value(0)),
            ramp_angle: Some(Reported::NotAvailable),
            elevation_gain_positive: Some(30),
            elevation_gain_negative: Some(0xFFFF),
            energy_kcal: Some(Reported::Value(12)),
            cut: Some(Cut { field: "energy_per_hour", needs: 2, has: 1 }),
            ..Treadmill::default()
        },
    );
    for (text, has) in [("", 0), ("8c", 1)] {
        let cut = Cut { field: "flags", needs: 2, has };
        assert_eq!(Treadmill::decode(&octets(text), PaceWidth::OneOctet), Err(cut));
    }
}

/// What a frame has of each field, trailing octets and the cut aside.
fn fields(frame: &Treadmill) -> [Option<String>; 20] {
    fn told<T: std::fmt::Debug>(value: Option<T>) -> Option<String> {
        value.map(|value| format!("{value:?}"))
    }
    [
        told(Some(frame.flags)),
        told(frame.speed),
        told(frame.average_speed),
        told(frame.distance_m),
        told(frame.inclination),
        told(frame.ramp_angle),
        told(frame.elevation_gain_positive),
        told(frame.elevation_gain_negative),
        told(frame.instantaneous_pace),
        told(frame.average_pace),
        told(frame.energy_kcal),
        told(frame.energy_per_hour_kcal),
        told(frame.energy_per_minute_kcal),
        told(frame.heart_rate_bpm),
        told(frame.metabolic_equivalent),
        told(frame.elapsed_s),
        told(frame.remaining_s),
        told(frame.force_on_belt_n),
        told(frame.power_output_w),
        told(frame.vendor_steps),
    ]
}

fn any_width() -> impl Strategy<Value = PaceWidth> {
    prop_oneof![Just(PaceWidth::OneOctet), Just(PaceWidth::TwoOctets)]
}

proptest! {
    #[test]
    fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..64), width in any_width()) {
        let frame = Treadmill::decode(&octets, width);
        prop_assert_eq!(frame.is_err(), octets.len() < 2);
        if let Ok(frame) = frame {
            prop_assert!(!frame.more() || frame.speed.is_none());
        }
    }

    #[test]
    fn a_cut_frame_has_no_field_that_the_whole_has_not(
        octets in proptest::collection::vec(any::<u8>(), 2..48),
        at in 2..48_usize,
        width in any_width(),
    ) {
        let at = at.min(octets.len());
        let whole = Treadmill::decode_with(&octets, width).unwrap();
        let part = Treadmill::decode_with(&octets[..at], width).unwrap();
        for (of_part, of_whole) in fields(&part).into_iter().zip(fields(&whole)) {
            prop_assert!(of_part.is_none() || of_part == of_whole);
        }
        let length = length_of(whole.flags, width);
        prop_assert_eq!(part.cut.is_some(), at < length);
        prop_assert_eq!(&part.trailing[..], octets[..at].get(length..).unwrap_or_default());
        if at >= length {
            prop_assert_eq!(&fields(&part)[..19], &fields(&whole)[..19]);
        }
    }
}
