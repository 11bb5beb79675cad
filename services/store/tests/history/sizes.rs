//! How many octets a stored reading takes. Readings are made by the real watcher.

use agent::source::simulate::{Profile, Simulator};
use domain::belt::{Contact, Direction};
use domain::log::Lane;
use domain::record::{Payload, Record};
use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{Incline, MILLI, MonotonicMicros, SECOND, Speed};
use domain::watcher::{SignalWatcher, WatcherSettings};
use store::telemetry::{Block, Telemetry};

use crate::given::{compact, folder, open, readings};

const NUMBER: SourceNumber = SourceNumber(0);
const STARTED: MonotonicMicros = MonotonicMicros(40 * SECOND);
/// How long the machines are watched.
const HOURS: u64 = 8;
/// Readings in a slice, as an agent sends them.
const SLICE: usize = 30;

/// Numbers that look random, the same for the same seed.
#[derive(Debug)]
struct Noise(u64);

impl Noise {
    /// 0 to `below` less one.
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// About normal, with a deviation of `sigma`: the sum of twelve even ones.
    fn normal(&mut self, sigma: i64) -> i64 {
        let sum: u64 = (0..12).map(|_| self.below(2_001)).sum();
        (sum.cast_signed() - 12_000) * sigma / 2_000
    }
}

/// How a belt is seen.
#[derive(Debug, Clone, Copy)]
enum Sight {
    /// An encoder whose every speed is off by some 10 mm/s.
    NoisyEncoder,
    /// A drive that tells its frequency in hundredths of a hertz, and what it was told, five times a second.
    Drive,
}

/// A belt in use: some minutes at a speed, then another one, a rest now and then.
#[derive(Debug)]
struct Treadmill {
    sight: Sight,
    noise: Noise,
    at: MonotonicMicros,
    target: i64,
    speed: i64,
    direction: Direction,
    until: MonotonicMicros,
    incline: i32,
}

impl Treadmill {
    fn new(sight: Sight, seed: u64) -> Treadmill {
        let (direction, until) = (Direction::Forward, STARTED);
        let noise = Noise(seed);
        Treadmill { sight, noise, at: STARTED, target: 0, speed: 0, direction, until, incline: 0 }
    }

    fn period_us(&self) -> u64 {
        match self.sight {
            Sight::NoisyEncoder => 100 * MILLI,
            Sight::Drive => 200 * MILLI,
        }
    }

    fn choose(&mut self) {
        if self.at < self.until {
            return;
        }
        let rests = self.target != 0 && self.noise.below(4) == 0;
        self.until = self.at.plus((60 + self.noise.below(400)) * SECOND);
        self.target = if rests { 0 } else { 600 + self.noise.below(2_400).cast_signed() };
        if self.speed == 0 {
            let ways = [Direction::Forward, Direction::Forward, Direction::Reverse];
            self.direction = ways[usize::try_from(self.noise.below(3)).expect("it is small")];
        }
        self.incline = i32::try_from(self.noise.below(8)).expect("it is small") * 5;
    }

    fn seen(&mut self) -> i64 {
        match self.sight {
            Sight::NoisyEncoder if self.speed > 0 => (self.speed + self.noise.normal(10)).max(0),
            Sight::NoisyEncoder => 0,
            // 50 Hz are 4 m/s; the load moves the last digit.
            Sight::Drive if self.speed > 0 => {
                let centihertz = self.speed * 5_000 / 4_000 + self.noise.normal(1);
                centihertz * 4_000 / 5_000
            }
            Sight::Drive => 0,
        }
    }
}

impl Script for Treadmill {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::INCLINE);
        SourceSpec { name: "belt".to_owned(), capabilities, period_us: self.period_us() }
    }

    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        let period_us = self.period_us();
        while self.at.plus(period_us) <= now {
            self.at = self.at.plus(period_us);
            self.choose();
            let step = i64::try_from(150 * period_us / SECOND).expect("it is small");
            self.speed += (self.target - self.speed).clamp(-step, step);
            let seen = Speed(u32::try_from(self.seen()).expect("it is not negative"));
            let direction = if self.speed == 0 { Direction::Stopped } else { self.direction };
            let mut tell = |value| out.push(Signal { at: self.at, source: NUMBER, value });
            tell(SignalValue::MeasuredDirection(direction));
            tell(SignalValue::Speed(seen));
            tell(SignalValue::Incline(Incline(self.incline)));
            match self.sight {
                Sight::NoisyEncoder => {
                    tell(SignalValue::ContactLevel { contact: Contact::EmergencyStop, open: false });
                }
                Sight::Drive => {
                    let commanded = u32::try_from(self.target).expect("it is not negative");
                    tell(SignalValue::Commanded(Speed(commanded)));
                }
            }
        }
        Some(self.at.plus(period_us))
    }
}

/// The readings of a script, watched for some hours. Each signal comes up to `late_us` after its time.
fn watched(mut script: Box<dyn Script>, late_us: u64) -> Vec<(u64, Record)> {
    let mut watcher = SignalWatcher::new(vec![script.spec()], WatcherSettings::default(), STARTED);
    let (mut signals, mut observed) = (Vec::new(), Vec::new());
    let (mut late, mut events, mut records) = (Noise(5), 0, Vec::new());
    for step in 1..=HOURS * 36_000 {
        let now = STARTED.plus(step * 100 * MILLI);
        script.observe(now, &mut signals);
        let by = if late_us == 0 { 0 } else { late.below(late_us) };
        for mut signal in signals.drain(..) {
            signal.at = signal.at.plus(by);
            watcher.apply(&signal, &mut observed);
        }
        watcher.tick(now.plus(by), &mut observed);
        for one in observed.drain(..) {
            match one.payload {
                Payload::Reading(_) => {
                    let n = records.len() as u64 + 1;
                    records.push((n, Record { at: one.at, other_n: events, payload: one.payload }));
                }
                Payload::Event(_) | Payload::Recording(_) | Payload::Commissioning(_) => events += 1,
            }
        }
    }
    records
}

/// What is stored of some machines: readings, octets of their files, octets of everything there is.
#[derive(Debug, Clone, Copy)]
struct Size {
    readings: u64,
    fresh_bytes: u64,
    bytes: u64,
    index_bytes: u64,
}

impl Size {
    fn each(&self) -> f64 {
        self.bytes as f64 / self.readings as f64
    }
}

async fn stored(machines: Vec<Vec<(u64, Record)>>) -> Size {
    let live = folder();
    let telemetry = open(live.path());
    for (number, records) in machines.iter().enumerate() {
        let block = readings(&format!("tm-{number}"), 1, 1);
        for part in records.chunks(SLICE) {
            let block = Block { records: part.to_vec(), ..block.clone() };
            telemetry.put(vec![block]).await.expect("putting works");
        }
    }
    let done = compact(&telemetry).await;
    let stock = telemetry.stock().await.expect("it is measured");
    let count: usize = machines.iter().map(Vec::len).sum();
    assert_eq!(stock.lane(Lane::Readings).compacted, count as u64);
    let used = stock.database_bytes - stock.database_free_bytes;
    Size { readings: count as u64, fresh_bytes: done.bytes_before, bytes: done.bytes, index_bytes: used }
}

fn console(seed: u64) -> Box<dyn Script> {
    Box::new(Simulator::new(NUMBER, seed, Profile::ftms(), STARTED))
}

fn encoder(seed: u64) -> Box<dyn Script> {
    Box::new(Simulator::new(NUMBER, seed, Profile::encoder(), STARTED))
}

fn treadmill(sight: Sight, seed: u64) -> Box<dyn Script> {
    Box::new(Treadmill::new(sight, seed))
}

#[tokio::test]
async fn a_stored_reading_takes_few_octets() {
    let check = async |source: &str, machines: Vec<Vec<(u64, Record)>>, bytes_max: f64| {
        let size = stored(machines).await;
        println!(
            "{source}: {:.3} octets a reading ({} readings, {:.2} before compaction, database {} octets)",
            size.each(),
            size.readings,
            size.fresh_bytes as f64 / size.readings as f64,
            size.index_bytes
        );
        assert!(size.each() <= bytes_max, "{source}: {size:?}");
    };
    let consoles: Vec<_> = (1..=6).map(|seed| watched(console(seed), 0)).collect();
    let drives: Vec<_> = (7..=8).map(|seed| watched(treadmill(Sight::Drive, seed), 0)).collect();
    let strides = watched(encoder(9), 0);
    let noisy = watched(treadmill(Sight::NoisyEncoder, 10), 0);
    check("console (FTMS)", consoles[..2].to_vec(), 0.5).await;
    check("drive", drives[..1].to_vec(), 1.0).await;
    // Noise of 10 mm/s in ten speeds a second leaves some 2.1 octets that nothing can guess.
    check("encoder, noise of 10 mm/s", vec![noisy.clone()], 2.5).await;
    // Each stride brakes the belt by 3 %: twice to five times as much noise.
    check("encoder, each stride seen", vec![strides.clone()], 3.3).await;
    let fleet = [consoles, drives, vec![strides, noisy]].concat();
    check("fleet of six consoles, two drives, two encoders", fleet, 1.0).await;
    // A time in microseconds that is 3 ms late by chance has twelve bits that nothing can guess.
    check("console (FTMS), its signals up to 3 ms late", vec![watched(console(1), 3 * MILLI)], 2.6).await;
}
