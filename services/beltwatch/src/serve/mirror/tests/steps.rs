//! Whatever happens in whatever order, in the end the points are those that a new mirror writes.

use domain::incident::{Incident, Severity};
use domain::units::{Speed, UnixMicros};
use proptest::collection::vec;
use proptest::prelude::*;
use store::ledger::Ledger;

use super::bucket::Fate;
use super::given::{DAY, MORNING, close, incident, move_machine, put_incidents, put_usage, row};
use super::{Scene, crash, settle};

#[derive(Debug, Clone)]
enum Act {
    /// A row of a day: machine, day, part, quarters with seeds.
    Usage(bool, i32, u64, Vec<(u8, u64)>),
    /// A version of an incident: number, time, whether it has a speed, whether it belongs to a proof test, how bad.
    Incident(u8, i64, bool, bool, bool),
    Close(u8),
    Unconfirmed(u8),
    Move(bool, bool),
    Turn,
    Fail(usize),
    /// After so many calls; whether the last is done.
    Crash(usize, bool),
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<bool>(), 0..3_i32, 0..2_u64, vec((0..4_u8, 0..50_u64), 1..4))
            .prop_map(|(first, day, part, quarters)| Act::Usage(first, day, part, quarters)),
        6 => (0..4_u8, 0..3_i64, any::<bool>(), prop::bool::weighted(0.2), any::<bool>())
            .prop_map(|(number, at, fast, drill, bad)| Act::Incident(number, at, fast, drill, bad)),
        1 => (0..4_u8).prop_map(Act::Close),
        1 => (0..4_u8).prop_map(Act::Unconfirmed),
        1 => any::<(bool, bool)>().prop_map(|(first, second)| Act::Move(first, second)),
        4 => Just(Act::Turn),
        2 => (1..4_usize).prop_map(Act::Fail),
        4 => (0..6_usize, any::<bool>()).prop_map(|(calls, done)| Act::Crash(calls, done)),
    ]
}

fn name(first: bool) -> &'static str {
    if first { "tm-01" } else { "tm-02" }
}

async fn run(acts: Vec<Act>) {
    let scene = Scene::new().await;
    let mut mirror = Some(scene.mirror());
    for (number, act) in (1_u64..).zip(acts) {
        match act {
            Act::Usage(first, day, part, quarters) => {
                // Kinds of motion never go from a quarter: a greater version has what the one before had.
                let all: Vec<(u8, u64)> = (0..4).flat_map(|n| (0..16).map(move |kind| (n, kind))).collect();
                let quarters = [all, quarters].concat();
                put_usage(&scene.ledger, vec![row(name(first), DAY + day, part, number, &quarters)]).await;
            }
            Act::Incident(octet, at, fast, drill, bad) => {
                // A rule finds no two incidents of a machine at one microsecond.
                let found = Incident {
                    speed: fast.then_some(Speed(900)),
                    drill: drill.then_some(3),
                    severity: if bad { Severity::Critical } else { Severity::Low },
                    ..incident(octet, name(octet < 2), at * 20_000_000 + i64::from(octet), number)
                };
                put_incidents(&scene.ledger, vec![found]).await;
            }
            Act::Close(octet) => {
                let id = domain::ids::IncidentId([octet; 16]);
                if scene.ledger.incident(&id).await.unwrap().is_some() {
                    close(&scene.ledger, octet).await;
                }
            }
            Act::Unconfirmed(octet) => {
                let ids = vec![domain::ids::IncidentId([octet; 16])];
                scene.ledger.mark_unconfirmed(ids, 9).await.unwrap();
            }
            Act::Move(first, second) => {
                let to = if second { "gym-2" } else { "gym-1" };
                let at = UnixMicros(MORNING).plus(number.cast_signed() * 1_000_000);
                move_machine(&scene.ledger, at.0, name(first), to).await;
                // What was found before knows of it with its next version only.
                for octet in 0..4 {
                    let ids = vec![domain::ids::IncidentId([octet; 16])];
                    let version = 100 + u32::try_from(number).unwrap();
                    scene.ledger.mark_unconfirmed(ids, version).await.unwrap();
                }
            }
            Act::Turn => drop(mirror.as_mut().unwrap().turn().await),
            Act::Fail(calls) => {
                scene.bucket.set(Fate::Failing(calls));
                let _ = mirror.as_mut().unwrap().turn().await;
                scene.bucket.set(Fate::Done);
            }
            Act::Crash(calls, done) => {
                scene.bucket.set(if done { Fate::Unanswered(calls) } else { Fate::Lost(calls) });
                crash(mirror.take().unwrap(), &scene.bucket).await;
                scene.bucket.set(Fate::Done);
                mirror = Some(scene.mirror());
            }
        }
    }
    settle(mirror.as_mut().unwrap()).await;
    scene.check().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_points_are_those_of_a_new_mirror(acts in vec(acts(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(acts));
    }
}
