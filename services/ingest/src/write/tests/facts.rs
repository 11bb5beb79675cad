//! What an agent reports becomes a fact, once, and the pipeline hears of it; what is too much of it does not.

use domain::commissioning::CommissioningReport;
use domain::ids::{ConfigurationHash, SiteId};
use domain::limits::COMMISSIONINGS_A_DAY_MAX;
use domain::registry::{BeltKind, DriveKind};
use store::fact::{Fact, FactKind, MachineName, NewCommissioning};
use store::registry::{Machine, Site};

use super::*;
use crate::follow::Follower;
use crate::registry::Registered;

const DAY: i64 = 24 * 3_600 * 1_000_000;

fn told(request: &str, machine: &str) -> Fact {
    let report = CommissioningReport {
        technician: "Jo".to_owned(),
        agent_version: "1.2.3".to_owned(),
        configuration: ConfigurationHash([3; 16]),
        direction_proven: true,
        silent_on_stop: false,
        incline_is_target: false,
        stops: Vec::new(),
        steps: Vec::new(),
    };
    let machine = MachineId::new(machine).unwrap();
    Fact {
        time: UnixMicros(1_000_000),
        author: format!("machine:{machine}"),
        request_id: Some(request.to_owned()),
        kind: FactKind::Commissioned(NewCommissioning::reported(machine, Some(UnixMicros(900_000)), report)),
    }
}

async fn ledger() -> MemoryLedger {
    let ledger = MemoryLedger::new();
    let site = SiteId::new("north").unwrap();
    let machine = Machine {
        id: MachineId::new("tm-01").unwrap(),
        site: site.clone(),
        display_name: String::new(),
        model: String::new(),
        belt: BeltKind::Reversible,
        drive: DriveKind::Motor,
        created: UnixMicros(1),
        key_generation: 1,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        place: None,
        maintained: None,
        history: Default::default(),
        drills: Vec::new(),
    };
    let site = Site {
        id: site,
        display_name: String::new(),
        time_zone: "UTC".to_owned(),
        created: UnixMicros(1),
        history: Default::default(),
    };
    let other = Machine { id: MachineId::new("tm-02").unwrap(), ..machine.clone() };
    let machines = [machine, other].map(FactKind::MachineCreated);
    for kind in [FactKind::SiteCreated(site)].into_iter().chain(machines) {
        let fact = Fact { time: UnixMicros(1), author: "test".to_owned(), request_id: None, kind };
        ledger.add_fact(fact).await.unwrap();
    }
    ledger
}

/// Writes each of these lists of facts as one work. Gives how far the journal is not needed any more.
async fn write(ledger: &MemoryLedger, works: &[&[Fact]]) -> Sequence {
    let (work, waiting) = mpsc::channel(8);
    let (saved, seen) = watch::channel(0);
    let writer = ledger::LedgerWriter {
        ledger: Arc::new(ledger.clone()),
        work: waiting,
        saved,
        reports: ledger::Reports::default(),
        readiness: Readiness::default(),
        give_up: CancellationToken::new(),
    };
    for (facts, saved) in works.iter().zip(1..) {
        let derived = Derived { facts: facts.to_vec(), ..Derived::default() };
        work.send(ledger::Work { derived, saved }).await.unwrap();
    }
    drop(work);
    writer.run().await;
    *seen.borrow()
}

/// What the pipeline is told of a registry that changes so.
async fn heard(ledger: &MemoryLedger, change: impl AsyncFnOnce()) -> Vec<Registered> {
    let follower = Follower::new(Arc::new(ledger.clone()));
    change().await;
    let (registered, mut heard) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let following = tokio::spawn(follower.run(registered, stop.clone()));
    // Whatever was told, this comes last.
    let last = Machine { id: MachineId::new("tm-99").unwrap(), ..one(ledger) };
    let mut all = Vec::new();
    add(ledger, FactKind::MachineCreated(last)).await;
    while all.last().is_none_or(|last: &Registered| last.machine.as_str() != "tm-99") {
        all.extend(heard.recv().await.unwrap());
    }
    all.pop();
    stop.cancel();
    following.await.unwrap();
    all
}

fn one(ledger: &MemoryLedger) -> Machine {
    Machine::clone(&ledger.registry().machines()[&MachineId::new("tm-01").unwrap()])
}

async fn add(ledger: &MemoryLedger, kind: FactKind) {
    let fact = Fact { time: UnixMicros(1), author: "test".to_owned(), request_id: None, kind };
    ledger.add_fact(fact).await.unwrap();
}

async fn reports(ledger: &MemoryLedger) -> usize {
    let facts = ledger.facts(0, 1_000).await.unwrap();
    facts.iter().filter(|(_, fact)| matches!(fact.kind, FactKind::Commissioned(_))).count()
}

#[tokio::test]
async fn a_report_is_one_fact_however_often_it_comes() {
    let check = async |works: &[&[Fact]], facts: usize| {
        let ledger = ledger().await;
        let heard = heard(&ledger, async || {
            assert_eq!(write(&ledger, works).await, works.len() as u64, "{works:?}");
        });
        let heard = heard.await;
        assert_eq!(reports(&ledger).await, facts, "{works:?}");
        // What the pipeline goes by from then on: of this machine alone.
        let machines: Vec<&str> = heard.iter().map(|registered| registered.machine.as_str()).collect();
        assert_eq!(machines, ["tm-01"][..facts.min(1)], "{works:?}");
        for registered in heard {
            let newest = registered.settings.newest();
            assert!(newest.direction_counts(Some(ConfigurationHash([3; 16]))), "{newest:?}");
            assert!(!newest.direction_counts(Some(ConfigurationHash([4; 16]))), "{newest:?}");
        }
    };
    let one = || told("log/1/1", "tm-01");
    check(&[], 0).await;
    check(&[&[one()]], 1).await;
    check(&[&[one(), one()], &[one()]], 1).await;
    check(&[&[one()], &[told("log/1/2", "tm-01")]], 2).await;
    // Of a machine that is not there it can never be a fact; what comes behind it does not wait for it.
    check(&[&[told("log/1/1", "tm-09")], &[one()]], 1).await;
}

#[tokio::test]
async fn an_agent_cannot_fill_the_facts() {
    let ledger = ledger().await;
    let flood = |machine: &str, day: i64, numbers: std::ops::Range<usize>| -> Vec<Fact> {
        let told = |n| told(&format!("log/1/{n}"), machine);
        numbers.map(|n| Fact { time: UnixMicros(day * DAY + 7), ..told(n) }).collect()
    };
    let most = COMMISSIONINGS_A_DAY_MAX;
    write(&ledger, &[&flood("tm-01", 0, 0..most - 1)]).await;
    assert_eq!(reports(&ledger).await, most - 1);
    // Another process counts what the first one has added. What comes again is no other report.
    let (again, more) = (flood("tm-01", 0, most - 3..most + 40), flood("tm-01", 0, most + 40..most + 80));
    assert_eq!(write(&ledger, &[&again, &more]).await, 2, "what is set aside is done with");
    assert_eq!(reports(&ledger).await, most);
    // Others may go on, and so may this one the next day.
    write(&ledger, &[&flood("tm-02", 0, 0..2), &flood("tm-01", 1, 500..503)]).await;
    assert_eq!(reports(&ledger).await, most + 5);
}

#[tokio::test]
async fn a_change_that_nobody_told_of_is_heard() {
    let ledger = ledger().await;
    let renewed = FactKind::CredentialRenewed(MachineName { machine: one(&ledger).id });
    let heard = heard(&ledger, async || add(&ledger, renewed).await).await;
    let told: Vec<_> = heard.iter().map(|told| (told.machine.as_str(), told.key_generation)).collect();
    assert_eq!(told, [("tm-01", 2)]);
}

#[tokio::test]
async fn a_pipeline_that_takes_nothing_any_more_holds_nobody_up() {
    let ledger = ledger().await;
    let (registered, _kept) = mpsc::channel(1);
    let stop = CancellationToken::new();
    registered.send(Vec::new()).await.unwrap();
    let following = tokio::spawn(Follower::new(Arc::new(ledger.clone())).run(registered, stop.clone()));
    write(&ledger, &[&[told("log/1/1", "tm-01")], &[told("log/1/2", "tm-01")]]).await;
    assert_eq!(reports(&ledger).await, 2);
    stop.cancel();
    following.await.unwrap();
}
