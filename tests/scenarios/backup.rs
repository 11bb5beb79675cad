//! A server's folder is copied while agents write, checked, and put in the place of the old one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use beltwatch::command::backup;
use beltwatch::command::finding::Level;
use beltwatch::command::folder::Meter;
use beltwatch::command::restore::{restore, verify};
use beltwatch::failure::Exit;
use domain::ids::MachineId;
use domain::log::{Lane, Position};
use domain::units::UnixMicros;
use harness::belt::PlayedBelt;
use harness::service::Service;
use store::ledger::{Ledger, Loss};
use store::sqlite::{SqliteLedger, SqliteTelemetry};
use store::telemetry::{RangeQuery, Telemetry};

const DRAIN: Duration = Duration::from_secs(20);

/// What a folder holds of a machine, while no server uses it.
#[derive(Debug)]
struct Held {
    /// Each record's place, by lane, as listed.
    places: Vec<(Lane, Position)>,
    losses: Vec<Loss>,
}

impl Held {
    async fn of(folder: &Path, machine: &str) -> anyhow::Result<Held> {
        let (telemetry, ledger) = (SqliteTelemetry::open(folder)?, SqliteLedger::open(folder)?);
        let machine = MachineId::new(machine)?;
        let mut places = Vec::new();
        for lane in [Lane::Events, Lane::Readings] {
            let query = RangeQuery {
                machine: machine.clone(),
                from: UnixMicros(0),
                until: UnixMicros(i64::MAX),
                after: None,
                max: 10_000,
            };
            let listed = telemetry.history(lane, &query).await?;
            places.extend(listed.into_iter().map(|stored| (lane, stored.position)));
        }
        Ok(Held { places, losses: ledger.losses(&machine, 1_000).await? })
    }

    fn is_told_lost(&self, lane: Lane, place: Position) -> bool {
        self.losses.iter().any(|loss| {
            loss.lane == lane && loss.hole.from.is_none_or(|from| from < place) && place < loss.hole.to
        })
    }
}

/// Copies the service's folder as the command does.
async fn back_up(service: &Service, to: PathBuf) -> anyhow::Result<()> {
    let folder = service.folder().to_owned();
    tokio::task::spawn_blocking(move || backup::make(&folder, &to, &mut Meter::quiet())).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_backup_is_in_it_and_what_came_after_is_told_as_lost()
-> anyhow::Result<()> {
    let aside = tempfile::tempdir()?;
    let (copy, restored) = (aside.path().join("copy"), aside.path().join("restored"));
    let mut service = Service::start().await?;
    let credential = service.add_machine("tm-01").await?;
    service.play(credential.clone(), Box::new(PlayedBelt::reverse_run())).await?;

    // The copy is made while the belt runs a second time; its stop comes after it.
    let mut agent = service.start_agent(credential.clone(), Box::new(PlayedBelt::reverse_run())).await?;
    agent.wait_until(|progress| progress.appended[0] >= 2).await;
    back_up(&service, copy.clone()).await?;
    agent.wait_until(|progress| progress.has_source_ended).await;
    ensure!(agent.stop(DRAIN).await?.is_delivered());
    service.stop().await?;
    let before = Held::of(service.folder(), "tm-01").await?;
    assert_eq!(before.losses, []);

    let verified = restore(&copy, &restored, &mut Meter::quiet())?;
    ensure!(verified.is_whole(), "{:?}", verified.findings);
    service.start_on(&restored).await?;
    service.play(credential, Box::new(PlayedBelt::reverse_run())).await?;
    service.stop().await?;
    let after = Held::of(&restored, "tm-01").await?;

    let places: BTreeSet<(Lane, Position)> = after.places.iter().copied().collect();
    assert_eq!(places.len(), after.places.len(), "each record is there once");
    for (lane, place) in &before.places {
        let is_there = places.contains(&(*lane, *place));
        ensure!(place.boot_count > 1 || is_there, "{lane:?} {place:?} was acknowledged before the backup");
        let is_lost = after.is_told_lost(*lane, *place);
        ensure!(is_there != is_lost, "{lane:?} {place:?}: there {is_there}, told as lost {is_lost}");
    }
    let stop_lost =
        before.places.iter().any(|(lane, place)| *lane == Lane::Events && after.is_told_lost(*lane, *place));
    ensure!(stop_lost, "the stop of the second run came after the backup");
    let third = places.iter().filter(|(lane, place)| *lane == Lane::Events && place.boot_count == 3).count();
    assert_eq!(third, 6, "what the agent saw after the restore");
    Ok(())
}

/// Changes one bit of a file, without changing a file that shares its octets.
fn flip(path: &Path, place: impl Fn(usize) -> usize) -> anyhow::Result<Vec<u8>> {
    let good = std::fs::read(path)?;
    let mut octets = good.clone();
    octets[place(good.len())] ^= 0x10;
    std::fs::remove_file(path)?;
    std::fs::write(path, octets)?;
    Ok(good)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_of_a_backup_is_named_and_such_a_backup_is_not_restored() -> anyhow::Result<()> {
    let aside = tempfile::tempdir()?;
    let copy = aside.path().join("copy");
    let mut service = Service::start().await?;
    let credential = service.add_machine("tm-01").await?;
    service.play(credential, Box::new(PlayedBelt::reverse_run())).await?;
    super::settle(&mut service).await?;
    // In a year all of it is old enough for a file.
    let telemetry = &service.server().stores().telemetry;
    while telemetry.compact(UnixMicros(2_500_000_000 * 1_000_000)).await?.more {}
    ensure!(telemetry.stock().await?.files > 0);
    back_up(&service, copy.clone()).await?;
    service.stop().await?;

    let chunks = std::fs::read_dir(copy.join("history"))?.next().context("a file of chunks")??.path();
    let name = format!("history/{}", chunks.file_name().and_then(|name| name.to_str()).context("a name")?);
    let bad = |folder: &Path| -> anyhow::Result<Vec<String>> {
        let findings = verify(folder, &mut Meter::quiet())?.findings.into_iter();
        Ok(findings.filter(|one| one.level == Level::Bad).map(|one| one.words).collect())
    };
    assert_eq!(bad(&copy)?, Vec::<String>::new());

    let good = flip(&chunks, |length| length - 10)?;
    let words = bad(&copy)?;
    ensure!(words[0] == format!("{name} is not what was written (SHA-256)"), "{words:?}");
    let damage =
        words.iter().find(|one| one.starts_with(&format!("{name} at octet "))).context("its place")?;
    ensure!(damage.contains("of tm-01, 20") && damage.contains("lost: "), "{damage}");
    let failure =
        restore(&copy, &aside.path().join("none"), &mut Meter::quiet()).err().context("a refusal")?;
    assert_eq!(failure.exit, Exit::Data);
    ensure!(!aside.path().join("none").exists(), "nothing is made of it");
    std::fs::write(&chunks, good)?;
    assert_eq!(bad(&copy)?, Vec::<String>::new());

    flip(&copy.join("telemetry.db"), |length| length / 2)?;
    ensure!(bad(&copy)?[0] == "telemetry.db is not what was written (SHA-256)");
    Ok(())
}
