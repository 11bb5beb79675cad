//! What is read from drives, and what their registers say.

use proptest::prelude::*;

use super::super::plan::Match;
use super::super::table::TABLE;
use super::super::{Custom, Model, example, example_custom};
use super::*;
use crate::modbus::sealed;

use SignalValue as V;

fn interview(settings: &Settings) -> Interview {
    settings.check().unwrap();
    Interview::new(settings, settings.plan().unwrap())
}

fn of(model: Model) -> Settings {
    Settings { drive: model, mm_s_per_hz: Some(100.0), ..example() }
}

fn tell(read: &Read, values: &[u16]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    let head = [read.unit, read.registers.function(), u8::try_from(values.len()).unwrap()];
    sealed(&[&head[..], &values].concat())
}

/// One round with a drive that has these registers; others are 0.
fn round(interview: &mut Interview, registers: &[(u16, u16)]) -> Vec<V> {
    let mut told = Vec::new();
    for _ in 0..interview.plan.blocks.len() {
        let Poll::Modbus(read) = interview.ask() else { panic!("Modbus") };
        let register = |place: u8| read.register + u16::from(place);
        let value = |wanted| {
            registers.iter().find(|(register, _)| *register == wanted).map_or(0, |(_, value)| *value)
        };
        let values: Vec<u16> = (0..read.count).map(|place| value(register(place))).collect();
        assert_eq!(interview.hear(&tell(&read, &values), &mut told), Heard::Answered);
    }
    let values = told.into_iter().filter_map(|told| match told {
        Told::Value(V::Alive) | Told::Frame(_) => None,
        Told::Value(value) => Some(value),
        Told::Unreadable(why, _) => panic!("{why}"),
    });
    values.collect()
}

#[track_caller]
fn check(settings: &Settings, registers: &[(u16, u16)], expected: &[V]) {
    assert_eq!(round(&mut interview(settings), registers), expected, "{registers:04x?}");
}

fn way(direction: Direction) -> V {
    V::MeasuredDirection(direction)
}

fn speed(mm_s: u32) -> V {
    V::Speed(Speed(mm_s))
}

use Direction::{Forward, Reverse, Stopped, Unknown};

#[test]
fn delta_drives() {
    let drive = of(Model::DeltaMs300);
    // 20.00 Hz.
    let check = |status, expected: &[V]| check(&drive, &[(0x2119, status), (0x2103, 2_000)], expected);
    check(0b0_0011, &[way(Forward), speed(2_000)]);
    check(0b1_1011, &[way(Reverse), speed(2_000)]);
    check(0b0_0001, &[way(Forward), speed(2_000)]);
    check(0b1_1001, &[way(Reverse), speed(2_000)]);
    check(0b0_1011, &[way(Unknown), speed(2_000)]);
    check(0b1_0011, &[way(Unknown), speed(2_000)]);
    // Other bits say nothing of motion.
    check(0xFFE0 | 0b0_0011, &[way(Forward), speed(2_000)]);
    // Between two reads it began to stand.
    check(0b1_1000, &[way(Unknown), speed(2_000)]);
    for status in [0b0_0000, 0b0_0010, 0b1_1000, 0b1_1010] {
        self::check(&drive, &[(0x2119, status)], &[way(Stopped), speed(0)]);
    }
    let fault = V::Fault("fault register 2100H is 000CH".to_owned());
    self::check(&drive, &[(0x2100, 0x000C)], &[way(Stopped), speed(0), fault]);
}

#[test]
fn other_drives_of_the_table() {
    let gs4 = of(Model::Gs4);
    check(&gs4, &[(0x2101, 0b1_1011), (0x2103, 200)], &[way(Reverse), speed(2_000)]);
    check(&gs4, &[(0x2101, 0b0_0011), (0x2103, 200)], &[way(Forward), speed(2_000)]);
    let invt = of(Model::InvtGoodrive);
    check(&invt, &[(0x2100, 1), (0x3000, 2_000)], &[way(Forward), speed(2_000)]);
    check(&invt, &[(0x2100, 2), (0x3000, 2_000)], &[way(Reverse), speed(2_000)]);
    check(&invt, &[(0x2100, 3)], &[way(Stopped), speed(0)]);
    check(&invt, &[(0x2100, 6)], &[way(Stopped), speed(0)]);
    let fault = V::Fault("status 0004H is a fault, fault register 2102H is 0007H".to_owned());
    check(&invt, &[(0x2100, 4), (0x2102, 7)], &[way(Stopped), speed(0), fault]);
    for status in [0, 5, 7, 0x0101, 0xFFFF] {
        let text = format!("status {status:04X}H of register 2100H is not known");
        check(
            &invt,
            &[(0x2100, status), (0x3000, 2_000)],
            &[V::Implausible(text), way(Unknown), speed(2_000)],
        );
    }
    let eaton = of(Model::EatonMMax);
    check(&eaton, &[(2_100, 0b0011), (2_103, 2_000)], &[way(Forward), speed(2_000)]);
    check(&eaton, &[(2_100, 0b0111), (2_103, 0xF830)], &[way(Reverse), speed(2_000)]);
    check(&eaton, &[(2_100, 0b0101)], &[way(Stopped), speed(0)]);
    let fault = V::Fault("status 0008H is a fault".to_owned());
    check(&eaton, &[(2_100, 0b1000)], &[way(Stopped), speed(0), fault]);
}

#[test]
fn a_belt_that_the_drive_let_go_of_is_not_said_to_stand() {
    let mut settings = of(Model::Gs4);
    let blocks = u32::try_from(settings.plan().unwrap().blocks.len()).unwrap();
    (settings.coast_seconds, settings.asking.poll_ms) = (3, 750 / blocks);
    let standing = [way(Stopped), speed(0)];
    let mut interview = interview(&settings);
    let mut told = |registers: &[(u16, u16)]| round(&mut interview, registers);
    assert_eq!(told(&[]), standing, "it never drove");
    assert_eq!(told(&[(0x2101, 0b0_0011), (0x2103, 200)]), [way(Forward), speed(2_000)]);
    for round in 0..4 {
        assert_eq!(told(&[]), [way(Unknown)], "round {round}");
    }
    assert_eq!(told(&[]), standing, "three seconds are over");
    assert_eq!(told(&[(0x2101, 0b0_0011), (0x2103, 40)]), [way(Forward), speed(400)]);
    assert_eq!(told(&[]), standing, "it braked down to 4 Hz");
    settings.coast_seconds = 0;
    let mut interview = self::interview(&settings);
    round(&mut interview, &[(0x2101, 0b0_0011), (0x2103, 200)]);
    assert_eq!(round(&mut interview, &[]), standing, "it always brakes");
}

#[test]
fn an_answer_that_begins_like_a_question_is_an_answer() {
    // Its first eight octets have a right checksum.
    let told: Vec<V> = [Model::DeltaMs300, Model::Gs4, Model::InvtGoodrive, Model::EatonMMax]
        .into_iter()
        .flat_map(|model| {
            let settings = of(model);
            let status = settings.plan().unwrap().status;
            round(&mut interview(&settings), &[(status, 38_982)])
        })
        .filter(|value| matches!(value, V::MeasuredDirection(_)))
        .collect();
    assert_eq!(told.len(), 4);
}

#[test]
fn a_drive_that_is_wired_the_other_way_round_is_inverted() {
    let settings = Settings { invert: true, ..of(Model::Gs4) };
    check(&settings, &[(0x2101, 0b1_1011), (0x2103, 200)], &[way(Forward), speed(2_000)]);
    check(&settings, &[(0x2101, 0b0_0011), (0x2103, 200)], &[way(Reverse), speed(2_000)]);
    check(&settings, &[], &[way(Stopped), speed(0)]);
}

#[test]
fn without_a_calibration_there_is_no_speed() {
    let settings = Settings { mm_s_per_hz: None, ..of(Model::Gs4) };
    check(&settings, &[(0x2101, 0b1_1011), (0x2103, 200)], &[way(Reverse)]);
    let settings = Settings { mm_s_per_hz: Some(111.1), ..of(Model::Gs4) };
    check(&settings, &[(0x2101, 0b0_0011), (0x2103, 500)], &[way(Forward), speed(5_555)]);
    let text = V::Implausible("speed 2621.14 km/h is above 30 km/h".to_owned());
    check(&settings, &[(0x2101, 0b0_0011), (0x2103, 0xFFFF)], &[way(Forward), text]);
}

#[test]
fn registers_of_other_drives_come_from_the_settings() {
    let settings = Settings { mm_s_per_hz: Some(100.0), ..example_custom() };
    check(&settings, &[(0x2101, 0b010), (0x2103, 2_000)], &[way(Forward), speed(2_000)]);
    check(&settings, &[(0x2101, 0b110), (0x2103, 2_000)], &[way(Reverse), speed(2_000)]);
    check(&settings, &[(0x2101, 0b100)], &[way(Stopped), speed(0)]);
    let blocks = interview(&settings).plan.blocks;
    assert_eq!(
        blocks.iter().map(|block| (block.register, block.count)).collect::<Vec<_>>(),
        [(0x2100, 2), (0x2103, 1)]
    );
    let custom = example_custom().custom.unwrap();
    // Running is bit 0, stopped is bit 1: a status with neither or both is not known.
    let bit = |bit| Match { mask: bit, value: bit };
    let odd = Custom {
        running: Match { mask: 3, value: 1 },
        stopped: Match { mask: 3, value: 2 },
        fault: None,
        ..custom
    };
    let settings = Settings { custom: Some(odd.clone()), ..settings };
    let unknown = |status: u16| {
        [
            V::Implausible(format!("status {status:04X}H of register 2101H is not known")),
            way(Unknown),
            speed(0),
        ]
    };
    check(&settings, &[(0x2101, 0)], &unknown(0));
    check(&settings, &[(0x2101, 3)], &unknown(3));
    let refused = |custom: Custom, words: &str| {
        let error = Settings { custom: Some(custom), ..settings.clone() }.check().unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused(
        Custom { running: bit(1), stopped: bit(2), ..odd.clone() },
        "custom.running and stopped can hold at once",
    );
    refused(Custom { forward: bit(4), reverse: bit(4), ..odd.clone() }, "custom.forward and reverse");
    refused(Custom { forward: Match { mask: 0, value: 0 }, ..odd.clone() }, "custom.forward.mask is 0");
    refused(Custom { forward: Match { mask: 1, value: 2 }, ..odd.clone() }, "custom.forward.value is 2");
    refused(Custom { millihertz: 0, ..odd }, "custom.millihertz is 0: 1 to 10000");
    let missing = Settings { custom: None, ..settings.clone() }.check().unwrap_err();
    assert!(missing.contains("custom is missing"));
    let both = Settings { drive: Model::Gs4, ..settings }.check().unwrap_err();
    assert!(both.contains("custom is there"));
}

#[test]
fn the_table_reads_what_it_looks_at_and_says_where_that_is_from() {
    for entry in &TABLE {
        let is_read = |register: u16| {
            let has = |block: &super::super::plan::Block| {
                (block.register..block.register + u16::from(block.count)).contains(&register)
            };
            entry.blocks.iter().any(has)
        };
        assert!(is_read(entry.status), "{}", entry.origin);
        assert!(is_read(entry.frequency.register), "{}", entry.origin);
        for fault in entry.faults {
            assert!(!matches!(fault, Fault::Code(register) if !is_read(*register)), "{}", entry.origin);
        }
        assert!(entry.origin.contains("p. "), "{}", entry.origin);
        // Answers to different questions of a drive differ in length.
        let mut counts: Vec<u8> = entry.blocks.iter().map(|block| block.count).collect();
        counts.sort_unstable();
        counts.dedup();
        assert_eq!(counts.len(), entry.blocks.len(), "{}", entry.origin);
    }
}

#[test]
fn a_fault_is_told_when_it_comes_and_when_it_changes() {
    let mut interview = interview(&of(Model::Gs4));
    let mut faults = |code| {
        let told = round(&mut interview, &[(0x2100, code)]);
        told.into_iter().filter(|value| matches!(value, V::Fault(_))).count()
    };
    assert_eq!([0, 3, 3, 4, 0, 3].map(&mut faults), [0, 1, 0, 1, 0, 1]);
}

#[test]
fn an_answer_to_another_question_is_none() {
    let mut interview = interview(&of(Model::DeltaMs300));
    let Poll::Modbus(first) = interview.ask() else { panic!("Modbus") };
    let mut told = Vec::new();
    let wrong = |read: Read, values: &[u16]| tell(&read, values);
    // Another unit, another function, another length, a question, a write of somebody else's.
    assert_eq!(interview.hear(&wrong(Read { unit: 2, ..first }, &[3]), &mut told), Heard::Waiting);
    let input = Read { registers: crate::modbus::Registers::Input, ..first };
    assert_eq!(interview.hear(&wrong(input, &[3]), &mut told), Heard::Waiting);
    assert_eq!(interview.hear(&wrong(first, &[3, 3]), &mut told), Heard::Waiting);
    assert_eq!(interview.hear(&sealed(&[1, 6, 0x20, 0, 0, 6]), &mut told), Heard::Waiting);
    assert!(told.iter().all(|told| matches!(told, Told::Unreadable(..))), "{told:?}");
    // The question itself, as some adapters hear it, is nothing to complain of.
    told.clear();
    assert_eq!(interview.hear(&first.octets(), &mut told), Heard::Waiting);
    assert_eq!(told, []);
    assert_eq!(interview.hear(&wrong(first, &[3]), &mut told), Heard::Answered);
    // The second question is refused: what was read is told without it.
    let Poll::Modbus(second) = interview.ask() else { panic!("Modbus") };
    assert_ne!(second.register, first.register);
    told.clear();
    assert_eq!(interview.hear(&sealed(&[1, 0x83, 2]), &mut told), Heard::Answered);
    let values: Vec<&Told> = told.iter().filter(|told| matches!(told, Told::Value(_))).collect();
    let refused = "drive refuses to tell 4 registers from 2100H: code 2".to_owned();
    assert_eq!(values, [&Told::Value(V::Implausible(refused)), &Told::Value(way(Forward))]);
}

#[test]
fn after_silence_the_round_begins_anew() {
    let mut interview = interview(&of(Model::DeltaMs300));
    let Poll::Modbus(first) = interview.ask() else { panic!("Modbus") };
    interview.hear(&tell(&first, &[0b1_1011]), &mut Vec::new());
    interview.ask();
    interview.unanswered(&mut Vec::new());
    let told = round(&mut interview, &[(0x2119, 0b0_0011), (0x2103, 1_000)]);
    assert_eq!(told, [way(Forward), speed(1_000)]);
}

proptest! {
    #[test]
    fn any_octets_are_heard(octets in proptest::collection::vec(any::<u8>(), 0..400), pieces in 1..20_usize) {
        for entry in [Model::DeltaMs300, Model::Gs4, Model::InvtGoodrive, Model::EatonMMax] {
            let mut interview = interview(&of(entry));
            let mut told = Vec::new();
            for piece in octets.chunks(pieces) {
                interview.ask();
                interview.hear(piece, &mut told);
                interview.hear_unasked(piece, &mut told);
            }
        }
    }

    #[test]
    fn any_status_is_known_or_said_not_to_be(status in any::<u16>(), hertz in 0..100_u16, invert in any::<bool>()) {
        for model in [Model::DeltaMs300, Model::Gs4, Model::InvtGoodrive, Model::EatonMMax] {
            let settings = Settings { invert, ..of(model) };
            let mut interview = interview(&settings);
            let plan = settings.plan().unwrap();
            let frequency = plan.frequency.unwrap().register;
            let told = round(&mut interview, &[(plan.status, status), (frequency, hertz)]);
            let directions = told.iter().filter(|value| matches!(value, V::MeasuredDirection(_))).count();
            prop_assert_eq!(directions, 1);
            let turned = plan.turn(status);
            let signed = told.contains(&way(Forward)) || told.contains(&way(Reverse));
            prop_assert!(!signed || matches!(turned, Some(Turn::Forward | Turn::Reverse)));
        }
    }
}
