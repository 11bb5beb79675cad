//! Who stands where: the sites and machines of the demo, and what their agents observe.

use std::fs::File;
use std::io::BufReader;

use agent::capture::{Capture, Embedded};
use agent::source::replay::{Options, Repeat, Replay};
use agent::source::simulate::{Happening, Moment, Profile, Simulator};
use anyhow::{Context, ensure};
use domain::belt::Direction;
use domain::registry;
use domain::signal::{Script, SourceNumber};
use domain::units::{MonotonicMicros, SECOND, Speed};
use tonic::transport::Endpoint;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::{
    ArrangeMachinesRequest, BeltKind, CreateMachineRequest, CreateSiteRequest, DriveKind, MachinePlace,
    Place, RecordCommissioningRequest,
};
use wire::credential::Credential;

use super::DemoSettings;
use crate::client::{Identity, Service};
use crate::year;

/// Id, name and zone of the sites.
pub(super) const SITES: [(&str, &str, &str); 2] =
    [("north", "Northside Gym", "Europe/Vienna"), ("harbour", "Harbour Rehabilitation", "Europe/London")];

/// Whether a moment is one that is to be seen.
type Wanted = fn(&Moment) -> bool;

/// On which machines something is seen soon, so that nobody has to wait to see an incident of each severity: by number,
/// all with an encoder.
const SOON: [(usize, Wanted); 5] = [
    // The second one of the first site is stopped in reverse.
    (2, |moment| moment.what == Happening::EmergencyStop && moment.direction == Direction::Reverse),
    (0, |moment| moment.what == Happening::TooFast),
    (1, |moment| moment.what == Happening::EmergencyStop && moment.speed == Speed(0)),
    (3, |moment| moment.what == Happening::Glitch),
    (8, |moment| moment.what == Happening::KeyPulled && moment.speed == Speed(0)),
];
/// Until when, in seconds, and how many seeds are tried for it.
const SOON_S_MAX: u64 = 45;
const SEEDS_TRIED: u64 = 20_000;

/// A place on the floor: a machine and what its agent observes.
pub(super) struct Spot {
    pub(super) id: String,
    pub(super) script: Box<dyn Script>,
    pub(super) name: String,
    pub(super) model: &'static str,
    pub(super) site: &'static str,
    /// What it was in the weeks before.
    pub(super) kind: year::Kind,
}

/// The kinds of machines, by turns.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Reversible, with an encoder: its direction is measured.
    Encoder,
    /// One-way, of which only the console is heard.
    OneWay,
    /// Reversible, of which only the console is heard: it is blind to direction.
    Blind,
    /// A real walking pad's capture, replayed.
    Capture,
}

const KINDS: [Kind; 6] =
    [Kind::Encoder, Kind::Encoder, Kind::OneWay, Kind::Capture, Kind::Encoder, Kind::Blind];

/// All places, with what is to be observed there.
pub(super) fn spots(settings: &DemoSettings) -> anyhow::Result<Vec<Spot>> {
    ensure!(
        (2..=1_000).contains(&settings.machines),
        "--machines is {}: 2 to 1000 is allowed",
        settings.machines
    );
    ensure!(settings.speed >= 1.0, "--speed is {}: at least 1 is required", settings.speed);
    let capture = match &settings.replay {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            Capture::read(BufReader::new(file)).with_context(|| format!("reading {}", path.display()))?
        }
        None => Embedded::UrevoPause.capture(),
    };
    (0..settings.machines).map(|number| spot(settings, number, &capture)).collect()
}

fn spot(settings: &DemoSettings, number: usize, capture: &Capture) -> anyhow::Result<Spot> {
    let (site, kind) = (SITES[number % SITES.len()].0, KINDS[(number / SITES.len()) % KINDS.len()]);
    let place = number / SITES.len() + 1;
    let started = agent::clock::monotonic();
    let seed = settings.seed.wrapping_mul(1_000).wrapping_add(number as u64);
    let simulated = |profile: Profile| -> Box<dyn Script> {
        let soon = SOON.iter().find(|(of, _)| *of == number).map(|(_, is_it)| is_it);
        let profile = profile.with_pace(settings.speed * if soon.is_some() { 2.0 } else { 1.0 });
        let seed = soon.map_or(seed, |is_it| seed_with(profile, seed, is_it));
        Box::new(Simulator::new(SourceNumber(0), seed, profile, started))
    };
    let (script, model, was) = match kind {
        Kind::Encoder => (simulated(Profile::encoder()), "Reversible with encoder", year::Kind::Encoder),
        Kind::OneWay => (simulated(Profile::ftms()), "One-way, console only", year::Kind::OneWay),
        Kind::Blind => {
            let profile = Profile { is_reversible: true, ..Profile::ftms() };
            (simulated(profile), "Reversible, console only", year::Kind::Blind)
        }
        Kind::Capture => {
            let options = Options { repeat: Repeat::AfterRest(5_000_000), ..Options::default() };
            let replay = Replay::new(SourceNumber(0), "capture", capture, options, started)?;
            let script: Box<dyn Script> = Box::new(replay);
            (script, "Walking pad, replayed capture", year::Kind::OneWay)
        }
    };
    let id = format!("{site}-{place:02}");
    Ok(Spot { id, script, name: format!("Treadmill {place}"), model, site, kind: was })
}

/// The first seed from this one on whose belt sees such a moment soon; this one if there is none near.
fn seed_with(profile: Profile, from: u64, is_it: &Wanted) -> u64 {
    let sees_soon = |seed: &u64| {
        let mut simulator = Simulator::new(SourceNumber(0), *seed, profile, MonotonicMicros(0));
        simulator.observe(MonotonicMicros(SOON_S_MAX * SECOND), &mut Vec::new());
        simulator.truth().any(is_it)
    };
    (from..from + SEEDS_TRIED).find(sees_soon).unwrap_or(from)
}

/// Places the machines of each site in rows, as they might stand in a room.
async fn arrange(admin: &mut AdminServiceClient<Service>, spots: &[Spot]) -> anyhow::Result<()> {
    for (site, ..) in SITES {
        let here: Vec<&Spot> = spots.iter().filter(|spot| spot.site == site).collect();
        let width = (3..).find(|width| width * width >= here.len()).unwrap_or(here.len());
        let place = |(number, spot): (usize, &&Spot)| {
            let (row, column) = (u32::try_from(number / width), u32::try_from(number % width));
            let place = row.ok().zip(column.ok()).map(|(row, column)| Place { row, column });
            MachinePlace { machine_id: spot.id.clone(), place }
        };
        let places = here.iter().enumerate().map(place).collect();
        let request = ArrangeMachinesRequest { site_id: site.to_owned(), places };
        admin.arrange_machines(request).await.with_context(|| format!("arranging site {site}"))?;
    }
    Ok(())
}

/// Registers sites and machines through the API, as anybody would, and gives the machines' credentials. Repeating it
/// on the same folder gives the same ones.
pub(super) async fn register(url: &str, secret: &str, spots: &[Spot]) -> anyhow::Result<Vec<Credential>> {
    let channel =
        Endpoint::from_shared(url.to_owned())?.connect().await.context("the API does not answer")?;
    let mut admin = AdminServiceClient::with_interceptor(channel, Identity::bearer(secret, Some("demo"))?);
    for (id, name, zone) in SITES {
        let request = CreateSiteRequest {
            site_id: id.to_owned(),
            display_name: name.to_owned(),
            time_zone: zone.to_owned(),
            request_id: format!("demo-site-{id}"),
        };
        admin.create_site(request).await.with_context(|| format!("registering site {id}"))?;
    }
    let mut credentials = Vec::new();
    for spot in spots {
        let request = CreateMachineRequest {
            machine_id: spot.id.clone(),
            site_id: spot.site.to_owned(),
            display_name: spot.name.clone(),
            model: spot.model.to_owned(),
            belt: belt(spot.kind).into(),
            drive: DriveKind::Motor.into(),
            request_id: format!("demo-machine-{}", spot.id),
        };
        let reply = admin.create_machine(request).await;
        let reply = reply.with_context(|| format!("registering machine {}", spot.id))?;
        credentials.push(Credential::from_json(&reply.into_inner().credential)?);
        if spot.kind.is_measured() {
            commission(&mut admin, &spot.id).await?;
        }
    }
    arrange(&mut admin, spots).await?;
    Ok(credentials)
}

fn belt(kind: year::Kind) -> BeltKind {
    match kind.belt() {
        registry::BeltKind::OneWay => BeltKind::OneWay,
        registry::BeltKind::Reversible => BeltKind::Reversible,
        registry::BeltKind::Unknown => BeltKind::Unspecified,
    }
}

/// Records that the sign of a machine's direction was proven, as a technician would after a forward and a reverse run.
async fn commission(admin: &mut AdminServiceClient<Service>, machine: &str) -> anyhow::Result<()> {
    let request = RecordCommissioningRequest {
        machine_id: machine.to_owned(),
        direction_proven: true,
        note: "simulated machine".to_owned(),
        request_id: format!("demo-commissioning-{machine}"),
        ..RecordCommissioningRequest::default()
    };
    admin.record_commissioning(request).await.with_context(|| format!("commissioning {machine}"))?;
    Ok(())
}
