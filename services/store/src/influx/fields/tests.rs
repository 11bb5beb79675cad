use domain::belt::Belt;
use proptest::prelude::*;

use super::*;

/// A value that is there in half of the cases.
fn maybe<T>(known: u64, bit: u32, value: T) -> Option<T> {
    (known >> bit & 1 == 1).then_some(value)
}

/// The lowest bits of a number.
fn low(number: u64) -> u32 {
    (number & 0xffff_ffff) as u32
}

fn any_direction(number: u64) -> Direction {
    [Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown][(number % 4) as usize]
}

fn any_origin(number: u64) -> Origin {
    [Origin::Measured, Origin::Declared, Origin::Unknown][(number % 3) as usize]
}

fn any_contacts(number: u64) -> Contacts {
    Contacts { open: low(number) & 31, closed: low(number >> 32) & 31 }
}

fn a_reading(numbers: &[u64], known: u64) -> Record {
    let n = |index: usize| low(numbers[index]);
    let speed = SpeedSummary {
        mean: Speed(n(0)),
        min: Speed(n(1)),
        max: Speed(n(2)),
        rise: maybe(known, 0, n(3)),
        fall: maybe(known, 1, n(4)),
    };
    let reading = Reading {
        span_ms: n(5),
        direction: any_direction(numbers[6]),
        origin: any_origin(numbers[7]),
        speed: maybe(known, 2, speed),
        incline: maybe(known, 3, Incline(n(8).cast_signed())),
        contacts: any_contacts(numbers[9]),
        holds_for_ms: n(10),
        extra: Extra {
            commanded: maybe(known, 4, Speed(n(11))),
            elapsed_s: maybe(known, 5, n(12)),
            distance_m: maybe(known, 6, n(13)),
            steps: maybe(known, 7, n(14)),
            belt_force_n: maybe(known, 8, n(15).cast_signed()),
            heart_rate_contact: maybe(known, 9, known >> 10 & 1 == 1),
            heart_rate_bpm: maybe(known, 11, n(16)),
            second_speed: maybe(known, 12, Speed(n(17))),
            declared_mode: maybe(known, 13, n(18)),
        },
    };
    Record { at: MonotonicMicros(numbers[19]), other_n: numbers[20], payload: Payload::Reading(reading) }
}

fn an_event(numbers: &[u64], known: u64, words: &[String]) -> Record {
    let n = |index: usize| low(numbers[index]);
    let belt = |at: usize| Belt {
        direction: any_direction(numbers[at]),
        origin: any_origin(numbers[at + 1]),
        speed: maybe(known, low(at as u64), Speed(n(at + 2))),
        incline: maybe(known, low(at as u64) + 1, Incline(n(at + 3).cast_signed())),
        contacts: any_contacts(numbers[at + 4]),
    };
    let event = Event {
        kind: EventKind::ALL[(numbers[0] % 19) as usize],
        belt: belt(1),
        before: belt(6),
        contact: maybe(known, 20, Contact::ALL[(numbers[11] % 5) as usize]),
        source: words[0].clone(),
        count: n(12),
        last: MonotonicMicros(numbers[13]),
        direction_before: maybe(known, 21, any_direction(numbers[14])),
        detail: words[1].clone(),
        capabilities: maybe(known, 22, Capabilities(n(15))),
        recording: maybe(known, 23, MonotonicMicros(numbers[16])),
    };
    Record { at: MonotonicMicros(numbers[19]), other_n: numbers[20], payload: Payload::Event(event) }
}

/// The fields of a line as an answer tells them. Only for lines of which no text has a comma, an equals sign or a blank.
fn fields_of(line: &str) -> Vec<(String, String)> {
    let (_, rest) = line.split_once(' ').expect("fields follow the measurement");
    let (fields, _) = rest.rsplit_once(' ').expect("the time follows the fields");
    let cell = |value: &str| match value {
        "t" => "true".to_owned(),
        "f" => "false".to_owned(),
        text if text.starts_with('"') => text.trim_matches('"').replace("\\\\", "\\"),
        number => number.trim_end_matches('i').to_owned(),
    };
    let field = |field: &str| field.split_once('=').map(|(name, value)| (name.to_owned(), cell(value)));
    fields.split(',').map(|text| field(text).expect("a field has a value")).collect()
}

fn line_of(log: LogId, position: Position, uncertainty_us: u64, record: &Record) -> String {
    let line = tell(Line::new("reading"), log, position, uncertainty_us, record).at(5);
    super::super::line::Lines::from_iter([line]).iter().next().expect("it has fields").to_owned()
}

fn read(line: &str, lane: domain::log::Lane) -> Result<Told, BadPoint> {
    let cells = fields_of(line);
    let mut fields = Fields::default();
    cells.iter().for_each(|(name, value)| fields.add(name, value));
    match lane {
        domain::log::Lane::Readings => fields.reading(),
        domain::log::Lane::Events => fields.event(),
    }
}

#[test]
fn what_is_not_known_is_not_there() {
    let bare = Record { at: MonotonicMicros(7), other_n: 0, payload: Payload::Reading(Reading::default()) };
    assert_eq!(
        line_of(LogId([1; 16]), Position::new(2, 3), 4, &bare),
        "reading log=\"01010101010101010101010101010101\",boot=2i,n=3i,at_us=7i,other_n=0i,uncertainty_us=4i,\
         direction=\"unknown\",origin=\"unknown\",span_ms=0i,holds_for_ms=0i 5"
    );
    let event = Event::new(EventKind::AgentStarted, MonotonicMicros(7), Belt::default(), Belt::default());
    let event = Record { payload: Payload::Event(event), ..bare };
    assert!(line_of(LogId([1; 16]), Position::new(2, 3), 4, &event).ends_with(
        "uncertainty_us=4i,kind=\"agent_started\",direction=\"unknown\",origin=\"unknown\",\
             before_direction=\"unknown\",before_origin=\"unknown\",count=1i,last_us=7i 5"
    ));
}

#[test]
fn what_was_never_written_is_refused_with_its_field() {
    let reading = "reading log=\"01010101010101010101010101010101\",boot=2i,n=3i,at_us=7i,other_n=0i,\
                   uncertainty_us=4i,span_ms=1i,holds_for_ms=0i,direction=\"reverse\" 5";
    let check = |from: &str, to: &str, expected: &str| {
        let error = read(&reading.replace(from, to), domain::log::Lane::Readings).expect_err(to);
        assert_eq!(error.to_string(), expected);
    };
    assert!(read(reading, domain::log::Lane::Readings).is_ok());
    check("n=3i", "m=3i", "its field n is missing");
    check("n=3i", "n=3.5", "its field n is no whole number");
    check("boot=2i", "boot=-1i", "its field boot is too great or too small");
    check("reverse", "backward", "its field direction is no word that is known");
    check("\"01", "\"0", "its field log is no word that is known");
}

proptest! {
    #[test]
    fn any_record_comes_back(
        is_event: bool,
        numbers in proptest::collection::vec(any::<u64>(), 24),
        known: u64,
        words in proptest::collection::vec("[a-z\\\\\n]{0,12}", 2),
        log: [u8; 16],
    ) {
        let record = match is_event {
            true => an_event(&numbers, known, &words),
            false => a_reading(&numbers, known),
        };
        let position = Position::new(low(numbers[22]), numbers[23] >> 1);
        let told = Told { log: LogId(log), position, uncertainty_us: numbers[21], record };
        let line = line_of(told.log, told.position, told.uncertainty_us, &told.record);
        prop_assert_eq!(read(&line, told.record.payload.lane()), Ok(told));
    }
}
