use super::*;
use crate::capture::Embedded;
use domain::units::Speed;

const STARTED: MonotonicMicros = MonotonicMicros(5_000_000);

fn replay(text: &str, repeat: Repeat) -> Result<Replay, NothingToPlay> {
    let capture = Capture::read(text.as_bytes()).unwrap();
    let options = Options { model: Model::default(), repeat };
    Replay::new(SourceNumber(3), "test", &capture, options, STARTED)
}

/// A frame with a speed in 0.01 km/h below 256, and perhaps a time.
fn line(speed: u8, ts_ms: Option<u64>) -> String {
    let time = ts_ms.map(|ts_ms| format!(r#", "ts_ms": {ts_ms}"#)).unwrap_or_default();
    format!("{{\"characteristic\": \"2acd\", \"hex\": \"0000{speed:02x}00\"{time}}}\n")
}

/// Times of all signals up to `until`, in milliseconds from the start, and when to ask again.
fn times(replay: &mut Replay, until_ms: u64) -> (Vec<u64>, Option<u64>) {
    let mut out = Vec::new();
    let next = replay.observe(STARTED.plus(until_ms * MILLI), &mut out);
    let from_start = |at: MonotonicMicros| at.since(STARTED) / MILLI;
    (out.iter().map(|signal| from_start(signal.at)).collect(), next.map(from_start))
}

#[test]
fn frames_come_in_their_own_rhythm() {
    let text = [line(1, Some(400)), line(2, Some(850)), line(3, Some(850)), line(4, Some(2_000))].concat();
    let mut replay = replay(&text, Repeat::Never).unwrap();
    assert_eq!(times(&mut replay, 0), (vec![], Some(400)));
    assert_eq!(times(&mut replay, 399), (vec![], Some(400)));
    assert_eq!(times(&mut replay, 400), (vec![400], Some(850)));
    assert_eq!(times(&mut replay, 1_000), (vec![850, 850], Some(2_000)));
    assert_eq!(times(&mut replay, 9_000), (vec![2_000], None));
    assert_eq!(times(&mut replay, 9_000), (vec![], None));
}

#[test]
fn frames_without_times_follow_a_second_after_the_one_before() {
    let text = [line(1, None), line(2, None), line(3, Some(1_500)), line(4, None), line(5, Some(7))].concat();
    let mut replay = replay(&text, Repeat::Never).unwrap();
    // The last one's time lies before its predecessor's: it is not held against the order of the file.
    assert_eq!(times(&mut replay, 10_000), (vec![0, 1_000, 1_500, 2_500, 2_500], None));
}

#[test]
fn a_capture_can_be_played_again_after_a_rest() {
    let text = [line(1, Some(0)), line(2, Some(1_000))].concat();
    let mut again = replay(&text, Repeat::AfterRest(4 * SECOND)).unwrap();
    assert_eq!(times(&mut again, 1_000), (vec![0, 1_000], Some(5_000)));
    assert_eq!(times(&mut again, 11_000), (vec![5_000, 6_000, 10_000, 11_000], Some(15_000)));
    // Without any rest a capture of one moment would never end.
    let mut moment = replay(&line(1, Some(0)), Repeat::AfterRest(0)).unwrap();
    assert_eq!(times(&mut moment, 2_500), (vec![0, 1_000, 2_000], Some(3_000)));
}

#[test]
fn parts_of_one_round_do_not_reach_the_next() {
    let more = "{\"characteristic\": \"2acd\", \"hex\": \"05000a0000\", \"ts_ms\": 0}\n";
    let text = [&line(1, Some(0)), more].concat();
    let mut replay = replay(&text, Repeat::AfterRest(SECOND)).unwrap();
    let mut out = Vec::new();
    replay.observe(STARTED.plus(SECOND), &mut out);
    let values: Vec<_> = out.into_iter().map(|signal| signal.value).collect();
    let (speed, alive) = (SignalValue::Speed(Speed(3)), SignalValue::Alive);
    // The distance of the first round's part is not in the second round's whole.
    assert_eq!(values, [speed.clone(), alive.clone(), speed, alive]);
}

#[test]
fn frames_of_other_kinds_are_passed_over_but_not_all() {
    let other = r#"{"characteristic": "2a53", "hex": "00000000"}"#;
    let mixed = format!("{other}\n{}", line(1, None));
    // Its place in time stays.
    assert_eq!(times(&mut replay(&mixed, Repeat::Never).unwrap(), 9_000), (vec![1_000], None));
    let nothing = replay(other, Repeat::Never).expect_err("nothing to play").to_string();
    assert!(nothing.contains("source test") && nothing.contains("1 frames"), "{nothing}");
}

#[test]
fn a_source_claims_what_its_capture_shows() {
    let spec = |embedded: Embedded, model: Model| {
        let options = Options { model, repeat: Repeat::Never };
        Replay::new(SourceNumber(0), embedded.name(), &embedded.capture(), options, STARTED).unwrap().spec()
    };
    let names = |spec: &SourceSpec| spec.capabilities.names().collect::<Vec<_>>();
    let run_up = spec(Embedded::RunUp, Model::default());
    assert_eq!(names(&run_up), ["speed", "incline", "elapsed", "distance"]);
    assert!((800_000..1_100_000).contains(&run_up.period_us), "{}", run_up.period_us);
    let pause = spec(Embedded::UrevoPause, Model::default());
    assert_eq!(names(&pause), ["speed", "user_commands", "elapsed", "distance", "commanded"]);
    let steps = spec(Embedded::CitySports, Model { vendor_steps: true, ..Model::default() });
    assert_eq!(names(&steps), ["speed", "elapsed", "distance", "steps"]);
    assert_eq!(steps.period_us, SECOND);
}

#[test]
fn the_pause_of_the_walking_pad_is_seen_as_such() {
    let options = Options::default();
    let capture = Embedded::UrevoPause.capture();
    let mut replay = Replay::new(SourceNumber(0), "pad", &capture, options, STARTED).unwrap();
    let mut out = Vec::new();
    assert_eq!(replay.observe(MonotonicMicros(u64::MAX), &mut out), None);
    let pauses: Vec<_> = out.iter().filter(|signal| signal.value == SignalValue::UserPaused).collect();
    assert_eq!(pauses.len(), 1);
    assert_eq!(pauses[0].at, STARTED.plus(15_411 * MILLI));
    assert!(out.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let speeds: Vec<_> = out.iter().filter(|signal| matches!(signal.value, SignalValue::Speed(_))).collect();
    assert_eq!(speeds[0].value, SignalValue::Speed(Speed(536)));
    assert_eq!(speeds[speeds.len() - 1].value, SignalValue::Speed(Speed(0)));
}
