//! What both servers are told: records with fixed times and clocks, made once, so that event times cannot differ.

use agent::recorder::Recorder;
use agent::source::simulate::{Profile, Simulator};
use agent::spool::{Batch, Row};
use agent::uplink::message::RECORDS_BYTES_MAX;
use domain::belt::{Belt, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::log::{BootStart, Lane, Position};
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::registry::BeltKind;
use domain::signal::{Capabilities, Script, SourceNumber};
use domain::units::{Incline, MILLI, MonotonicMicros, SECOND, Speed};
use domain::watcher::{Observed, WatcherSettings};

/// A minute.
const MINUTE: u64 = 60 * SECOND;
/// How often the simulator is asked.
const STEP_US: u64 = 100 * MILLI;
/// How many times faster than in life sessions follow each other.
const PACE: f64 = 8.0;
/// Most records of an envelope, by turns.
const SIZES: [usize; 5] = [1, 40, 7, 100, 13];

/// The machines and what their belts can do.
pub(super) const MACHINES: [(&str, BeltKind); 7] = [
    ("encoder", BeltKind::Reversible),
    ("console", BeltKind::OneWay),
    ("undated", BeltKind::Reversible),
    ("two-spools", BeltKind::Reversible),
    ("hand-checked", BeltKind::Reversible),
    ("holes", BeltKind::Unknown),
    ("now", BeltKind::Reversible),
];

/// The day of `docs/usage.md`, in seconds from its first walk on: from, until, direction, mm/s, incline in per cent.
const DAY: [(u64, u64, Direction, u32, i32); 12] = [
    (0, 1_200, Direction::Forward, 1_500, 0),
    (4_500, 5_100, Direction::Forward, 2_000, 0),
    (29_400, 29_430, Direction::Reverse, 500, 0),
    (29_430, 29_460, Direction::Stopped, 0, 0),
    (29_460, 29_490, Direction::Reverse, 500, 0),
    (29_490, 29_520, Direction::Stopped, 0, 0),
    (29_520, 29_550, Direction::Reverse, 500, 0),
    (29_550, 29_580, Direction::Stopped, 0, 0),
    (29_580, 29_700, Direction::Unknown, 1_000, 0),
    (29_700, 31_200, Direction::Stopped, 0, 0),
    (33_000, 34_200, Direction::Reverse, 600, 3),
    (82_800, 84_000, Direction::Forward, 1_000, 0),
];

/// One boot of one agent.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) machine: &'static str,
    pub(super) spool: [u8; 16],
    pub(super) boot_count: u32,
    pub(super) capabilities: Capabilities,
    pub(super) batches: Vec<Batch>,
    /// What the next boot of the same spool goes on from.
    last: [Option<Position>; 2],
    /// Records that a listing shows, in the order of [`Lane::ALL`].
    pub(super) listed: [u64; 2],
}

/// How a life is to be.
#[derive(Debug, Clone, Copy)]
struct Plan {
    machine: &'static str,
    spool: u8,
    boot_count: u32,
    /// When the boot began, in microseconds since 1970; `None`: nobody knows.
    began_us: Option<i64>,
    last: [Option<Position>; 2],
    /// Every so many records one is lost before it is sent; 0: none. Never one of a recording: for its evidence a
    /// server waits minutes before it seals what it has.
    hole: u64,
}

/// The whole feed, in the order in which it is told. `now_us`: the present, in microseconds since 1970.
pub(super) fn feed(now_us: i64) -> Vec<Life> {
    let day = 24 * 60 * MINUTE;
    let ago = |us: u64| now_us - i64::try_from(us).expect("some days");
    let plan = |machine, spool, began_us| Plan {
        machine,
        spool,
        boot_count: 1,
        began_us,
        last: [None, None],
        hole: 0,
    };
    let encoder = |plan, seed, minutes| simulated(plan, Profile::encoder(), seed, minutes);
    let first = encoder(plan("encoder", 1, Some(ago(2 * day))), 1, 30);
    let second =
        Plan { boot_count: 2, last: first.last, ..plan("encoder", 1, Some(ago(2 * day - 50 * MINUTE))) };
    let second = encoder(second, 2, 20);
    let console = simulated(plan("console", 2, Some(ago(2 * day))), Profile::ftms(), 3, 30);
    let undated = encoder(plan("undated", 3, None), 4, 10);
    let dated = Plan { boot_count: 2, last: undated.last, ..plan("undated", 3, Some(ago(day))) };
    let dated = encoder(dated, 5, 10);
    let spool = encoder(plan("two-spools", 4, Some(ago(day))), 6, 20);
    // The same belt again, as a second agent saw it from the middle on: the same times to the microsecond.
    let late = Plan { boot_count: 7, ..plan("two-spools", 5, Some(ago(day))) };
    let late = encoder(late, 6, 12);
    let checked = hand_checked(plan("hand-checked", 6, Some(ago(2 * day))));
    let holes = encoder(Plan { hole: 17, ..plan("holes", 7, Some(ago(day))) }, 8, 15);
    let now = encoder(plan("now", 8, Some(ago(13 * MINUTE))), 9, 12);
    vec![first, console, undated, spool, second, late, checked, dated, holes, now]
}

fn simulated(plan: Plan, profile: Profile, seed: u64, minutes: u64) -> Life {
    let mut simulator = Simulator::new(SourceNumber(0), seed, profile.with_pace(PACE), MonotonicMicros(0));
    let spec = simulator.spec();
    let capabilities = spec.capabilities;
    let mut recorder = Recorder::new(vec![spec], WatcherSettings::default(), MonotonicMicros(0));
    let (mut observed, mut signals) = (vec![started(capabilities)], Vec::new());
    for step in 1..=minutes * MINUTE / STEP_US {
        let now = MonotonicMicros(step * STEP_US);
        signals.clear();
        simulator.observe(now, &mut signals);
        recorder.observe(&signals, now, &mut observed);
    }
    recorder.stop(&mut observed);
    live(plan, capabilities, observed)
}

fn hand_checked(plan: Plan) -> Life {
    let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::INCLINE);
    let mut observed = vec![started(capabilities)];
    for (from, until, direction, mm_s, incline) in DAY {
        let origin = if direction == Direction::Unknown { Origin::Unknown } else { Origin::Measured };
        let (speed, mut at) = (Speed(mm_s), from);
        while at < until {
            let span = (until - at).min(60);
            at += span;
            let reading = Reading {
                span_ms: u32::try_from(span).expect("a minute") * 1_000,
                direction,
                origin,
                speed: Some(SpeedSummary { mean: speed, min: speed, max: speed, ..SpeedSummary::default() }),
                incline: Some(Incline(incline * 10)),
                ..Reading::default()
            };
            observed.push(Observed { at: MonotonicMicros(at * SECOND), payload: Payload::Reading(reading) });
        }
    }
    live(plan, capabilities, observed)
}

fn started(capabilities: Capabilities) -> Observed {
    let at = MonotonicMicros(1);
    let mut event = Event::new(EventKind::AgentStarted, at, Belt::default(), Belt::default());
    event.capabilities = Some(capabilities);
    Observed { at, payload: Payload::Event(event) }
}

/// Numbers what was observed, leaves holes, and packs.
fn live(plan: Plan, capabilities: Capabilities, observed: Vec<Observed>) -> Life {
    let boot = plan.boot_count;
    let clock = plan.began_us.map_or(Clock::UNDATED, |offset_us| Clock {
        quality: ClockQuality::Synchronised,
        offset_us,
        uncertainty_us: 1_000,
    });
    let mut life = Life {
        machine: plan.machine,
        spool: [plan.spool; 16],
        boot_count: boot,
        capabilities,
        batches: Vec::new(),
        last: plan.last,
        listed: [0; 2],
    };
    let (mut numbers, mut waiting) = ([0; 2], [Vec::new(), Vec::new()]);
    for Observed { at, payload } in observed {
        let lane = payload.lane();
        let is_recording = matches!(payload, Payload::Recording(_));
        let is_listed = clock.unix(at).is_some() && !is_recording;
        numbers[lane.index()] += 1;
        let (n, other_n) = (numbers[lane.index()], numbers[lane.other().index()]);
        life.last[lane.index()] = Some(Position::new(boot, n));
        if plan.hole > 0 && n % plan.hole == 0 && !is_recording {
            continue;
        }
        life.listed[lane.index()] += u64::from(is_listed);
        let octets = wire::record::encode(&Record { at, other_n, payload });
        let rows: &mut Vec<Row> = &mut waiting[lane.index()];
        let bytes: usize = rows.iter().map(|row: &Row| row.octets.len() + 16).sum();
        // An event goes at once, and the readings from before it, too.
        let size = SIZES[life.batches.len() % SIZES.len()];
        if rows.len() >= size || bytes + octets.len() + 16 > RECORDS_BYTES_MAX {
            life.pack(plan, clock, lane, &mut waiting);
        }
        waiting[lane.index()].push(Row { position: Position::new(boot, n), at, octets });
        if lane == Lane::Events {
            life.pack(plan, clock, Lane::Events, &mut waiting);
            life.pack(plan, clock, Lane::Readings, &mut waiting);
        }
    }
    Lane::ALL.into_iter().for_each(|lane| life.pack(plan, clock, lane, &mut waiting));
    life
}

impl Life {
    /// The position that the next record would get.
    pub(super) fn next(&self, lane: Lane) -> Position {
        self.last[lane.index()].unwrap_or(Position::new(self.boot_count, 0)).next()
    }

    fn pack(&mut self, plan: Plan, clock: Clock, lane: Lane, waiting: &mut [Vec<Row>; 2]) {
        let rows = std::mem::take(&mut waiting[lane.index()]);
        if rows.is_empty() {
            return;
        }
        let (previous, other_previous) = (plan.last[lane.index()], plan.last[lane.other().index()]);
        let boot = BootStart { boot_count: plan.boot_count, previous, other_previous, maker: None };
        self.batches.push(Batch {
            lane,
            boot,
            clock,
            clock_is_present: true,
            after: None,
            after_maker: None,
            rows,
        });
    }
}
