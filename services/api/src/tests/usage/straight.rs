//! Usage by the API equals usage worked out second by second straight from the readings: for random fleets, zones that
//! change, machines that move, gaps, duplicates and late readings.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use store::fact::{MachineChange, SiteChange};

use super::*;

/// Beginnings of spans in which clocks change, or not: Apia's missing day, both changes of Lord Howe and of St John's,
/// and a plain week.
const BEGINNINGS: [&str; 6] = [
    "2011-12-26T00:00:00Z",
    "2026-03-30T00:00:00Z",
    "2026-09-28T00:00:00Z",
    "2026-03-04T00:00:00Z",
    "2026-10-22T00:00:00Z",
    "2026-11-02T00:00:00Z",
];
const ZONES: [&str; 7] = [
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Apia",
    "Europe/Berlin",
    "UTC",
    "Pacific/Kiritimati",
];
const SITES: [&str; 2] = ["east", "west"];
const DAYS: i64 = 9;
const SECOND_US: i64 = 1_000_000;

/// One reading of one machine, as it arrives.
#[derive(Debug, Clone)]
struct Told {
    machine: usize,
    ends_s: i64,
    span_s: u32,
    direction: Direction,
    mm_s: Option<u32>,
}

#[derive(Debug, Clone)]
struct Place {
    zone: &'static str,
    /// Seconds after the beginning, and the zone from then on.
    changes: Option<(i64, &'static str)>,
}

#[derive(Debug, Clone)]
struct Stands {
    belt: BeltKind,
    site: usize,
    /// Seconds after the beginning, when it moves to the other site.
    moves: Option<i64>,
}

#[derive(Debug, Clone)]
struct World {
    begins: UnixMicros,
    places: Vec<Place>,
    machines: Vec<Stands>,
    /// In the order of arrival.
    told: Vec<Told>,
}

fn world() -> impl Strategy<Value = World> {
    let zone = || prop::sample::select(ZONES.to_vec());
    let moment = || 0..DAYS * 86_400;
    let place = (zone(), proptest::option::of((moment(), zone())))
        .prop_map(|(zone, changes)| Place { zone, changes });
    let belt = prop::sample::select(vec![BeltKind::OneWay, BeltKind::Reversible, BeltKind::Unknown]);
    let stands = (belt, 0..2_usize, proptest::option::of(moment())).prop_map(|(belt, site, moves)| Stands {
        belt,
        site,
        moves,
    });
    let direction = prop::sample::select(vec![
        Direction::Forward,
        Direction::Reverse,
        Direction::Stopped,
        Direction::Unknown,
    ]);
    let mm_s = proptest::option::weighted(0.9, 0..3_000_u32);
    let told = (0..3_usize, moment(), 1..=60_u32, direction, mm_s).prop_map(
        |(machine, ends_s, span_s, direction, mm_s)| Told { machine, ends_s, span_s, direction, mm_s },
    );
    let begins = prop::sample::select(BEGINNINGS.to_vec());
    (
        begins,
        prop::collection::vec(place, 2),
        prop::collection::vec(stands, 3),
        prop::collection::vec(told, 1..90),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(begins, places, machines, mut told, again)| {
            // Some come again, later.
            let repeated = told[again.index(told.len())..].to_vec();
            told.extend(repeated);
            World { begins: super::at(begins), places, machines, told }
        })
}

impl Told {
    fn reading(&self) -> Reading {
        let speed = |mm_s: u32| {
            let (mean, min, max) = (Speed(mm_s), Speed(mm_s), Speed(mm_s));
            SpeedSummary { mean, min, max, ..SpeedSummary::default() }
        };
        let origin = match self.direction {
            Direction::Unknown => Origin::Unknown,
            Direction::Forward | Direction::Reverse | Direction::Stopped => Origin::Measured,
        };
        Reading {
            span_ms: self.span_s * 1_000,
            direction: self.direction,
            origin,
            speed: self.mm_s.map(speed),
            ..Reading::default()
        }
    }
}

/// Whose, and at what local date and, by hours, hour.
type Key = (String, String, Option<u32>);

/// Seconds and millimetres forward, in reverse and unknown, seconds at rest, and seconds told of.
type Sums = [u64; 8];

fn sums(told: &Told, belt: BeltKind) -> Sums {
    let mut sums = [0; 8];
    sums[7] = 1;
    let Some(mm_s) = told.mm_s else { return sums };
    let way = match (told.direction, belt) {
        (direction, _) if mm_s <= 28 || direction == Direction::Stopped => {
            sums[6] = 1;
            return sums;
        }
        (Direction::Forward, _) | (Direction::Unknown, BeltKind::OneWay) => 0,
        (Direction::Reverse, _) => 1,
        (Direction::Stopped | Direction::Unknown, _) => 2,
    };
    sums[2 * way] = 1;
    sums[2 * way + 1] = u64::from(mm_s);
    sums
}

impl World {
    fn time(&self, seconds: i64) -> UnixMicros {
        self.begins.plus(seconds * SECOND_US)
    }

    /// Each second by the first reading that told of it, in the quarter that it lies in.
    fn straight(&self, by_hour: bool) -> BTreeMap<Key, Sums> {
        let mut all: BTreeMap<Key, Sums> = BTreeMap::new();
        for (number, stands) in self.machines.iter().enumerate() {
            let mut seconds: BTreeMap<i64, &Told> = BTreeMap::new();
            for told in self.told.iter().filter(|told| told.machine == number) {
                for second in told.ends_s - i64::from(told.span_s)..told.ends_s {
                    seconds.entry(second).or_insert(told);
                }
            }
            for (second, told) in seconds {
                let began = self.time(second.div_euclid(900) * 900);
                let site = match stands.moves {
                    Some(moves) if self.time(moves) <= began => 1 - stands.site,
                    Some(_) | None => stands.site,
                };
                let place = &self.places[site];
                let zone = match place.changes {
                    Some((changes, zone)) if self.time(changes) <= began => zone,
                    Some(_) | None => place.zone,
                };
                let zone = TimeZone::get(zone).unwrap();
                let local = jiff::Timestamp::from_microsecond(began.0).unwrap().to_zoned(zone);
                let hour = by_hour.then(|| u32::try_from(local.hour()).unwrap());
                let key = (format!("m-{number}"), local.date().to_string(), hour);
                let sum = all.entry(key).or_default();
                sum.iter_mut().zip(sums(told, stands.belt)).for_each(|(sum, one)| *sum += one);
            }
        }
        all
    }

    async fn furnish(&self, bench: &Bench) {
        bench.stage.now.store(self.time((DAYS + 9) * 86_400).0, Ordering::SeqCst);
        let early = self.time(-20 * 86_400);
        for (id, place) in SITES.into_iter().zip(&self.places) {
            let site = Site {
                id: site_id(id),
                display_name: String::new(),
                time_zone: place.zone.to_owned(),
                created: early,
                history: Default::default(),
            };
            bench.fact_at(early, FactKind::SiteCreated(site)).await;
            if let Some((seconds, zone)) = place.changes {
                let time_zone = Some(zone.to_owned());
                let change = SiteChange { site: site_id(id), display_name: None, time_zone };
                bench.fact_at(self.set_before(seconds), FactKind::SiteChanged(change)).await;
            }
        }
        for (number, stands) in self.machines.iter().enumerate() {
            let id = format!("m-{number}");
            let early = jiff::Timestamp::from_microsecond(early.0).unwrap().to_string();
            bench.machine_since(&id, SITES[stands.site], "", stands.belt, &early).await;
            if let Some(seconds) = stands.moves {
                let change = MachineChange {
                    machine: machine_id(&id),
                    display_name: None,
                    model: None,
                    belt: None,
                    drive: None,
                    site: Some(site_id(SITES[1 - stands.site])),
                };
                bench.fact_at(self.set_before(seconds), FactKind::MachineChanged(change)).await;
            }
            bench.ledger.put(Derived { usage: self.rows(number), ..Derived::default() }).await.unwrap();
        }
    }

    /// When a fact is made that holds from then on.
    fn set_before(&self, seconds: i64) -> UnixMicros {
        self.time(seconds).plus(-domain::incident::settings::EFFECTIVE_AFTER_US)
    }

    /// The rows that the fold makes of a machine's readings.
    fn rows(&self, machine: usize) -> Vec<UsageRow> {
        let mut fold = UsageFold { able: ABLE, ..UsageFold::default() };
        let mut days = Vec::new();
        for (number, told) in (1..).zip(self.told.iter().filter(|told| told.machine == machine)) {
            let belt = self.machines[machine].belt;
            let stretch = Stretch::of(self.time(told.ends_s), &told.reading(), fold.able, belt);
            days.extend(fold.add(&stretch, PartId::of(LOG, Position::new(1, number))));
        }
        days.extend(fold.open);
        let row = |open: OpenDay| UsageRow {
            machine: machine_id(&format!("m-{machine}")),
            day: open.day,
            part: open.part,
            revision: 1,
            through: open.through,
            quarters: open.quarters(),
        };
        days.into_iter().map(row).collect()
    }
}

fn shown(usage: &v1::Usage) -> Sums {
    let whole = |length: Option<prost_types::Duration>| {
        let length = length.unwrap_or_default();
        assert_eq!(length.nanos, 0, "{length:?}");
        u64::try_from(length.seconds).unwrap()
    };
    let of = |motion: &Option<v1::Motion>| {
        let motion = motion.as_ref().unwrap();
        (whole(motion.observed), format!("{:.0}", motion.distance_m * 1_000.0).parse().unwrap())
    };
    let (forward, reverse, unknown) = (of(&usage.forward), of(&usage.reverse), of(&usage.unknown));
    let told_s = whole(usage.coverage.as_ref().unwrap().observed);
    [forward.0, forward.1, reverse.0, reverse.1, unknown.0, unknown.1, whole(usage.at_rest), told_s]
}

async fn by_the_api(bench: &Bench, world: &World, resolution: v1::Resolution) -> BTreeMap<Key, Sums> {
    let date = |days: i64| {
        let time = jiff::Timestamp::from_microsecond(world.time(days * 86_400).0).unwrap();
        time.to_zoned(TimeZone::UTC).date().to_string()
    };
    let request = v1::ListUsageRequest {
        range: dates(&date(-2), &date(DAYS + 2)),
        resolution: resolution.into(),
        group_by: v1::GroupBy::Machine.into(),
        ..Default::default()
    };
    let reply = bench.usage().await.list_usage(request).await.unwrap().into_inner();
    let mut all: BTreeMap<Key, Sums> = BTreeMap::new();
    for series in &reply.series {
        for period in &series.periods {
            // A date or an hour that comes twice is two periods or one; here they are added up.
            let sum = all.entry((series.key.clone(), period.date.clone(), period.hour)).or_default();
            let one = period.usage.as_ref().map_or([0; 8], shown);
            sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
        }
    }
    all.retain(|_, sums| *sums != [0; 8]);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn usage_from_buckets_is_usage_straight_from_readings(world in world()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (days, hours, total) = runtime.block_on(async {
            let bench = Bench::start().await;
            world.furnish(&bench).await;
            let days = by_the_api(&bench, &world, v1::Resolution::Day).await;
            let hours = by_the_api(&bench, &world, v1::Resolution::Hour).await;
            let request = v1::GetUsageRequest { range: dates("2011-01-01", "2020-01-01"), ..Default::default() };
            let later = v1::GetUsageRequest { range: dates("2020-01-01", "2027-01-01"), ..Default::default() };
            let request = if world.begins < super::at("2020-01-01T00:00:00Z") { request } else { later };
            let total = bench.usage().await.get_usage(request).await.unwrap().into_inner().total.unwrap();
            (days, hours, shown(&total))
        });
        let straight = world.straight(false);
        prop_assert_eq!(&days, &straight);
        prop_assert_eq!(hours, world.straight(true));
        let sum = straight.values().fold([0; 8], |mut sum: Sums, one| {
            sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
            sum
        });
        prop_assert_eq!(total, sum);
    }
}
