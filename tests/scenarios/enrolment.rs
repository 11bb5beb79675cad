//! Agents get their credentials from a real server over TLS, as `beltwatch-agent enrol` does.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use agent::enrol::{Address, EnrolError, EnrolSettings, Refusal, Told, enrol};
use agent::run::{Agent, AgentSettings};
use anyhow::{Context, ensure};
use domain::signal::Script;
use harness::belt::PlayedBelt;
use harness::service::Service;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wire::api::v1::{
    ApproveEnrolmentRequest, CreateEnrolmentCodeRequest, ListPendingEnrolmentsRequest, PendingEnrolment,
    RefuseEnrolmentRequest, RevokeCredentialRequest, RevokeEnrolmentCodeRequest,
};
use wire::credential::Credential;
use wire::enrolment::{Code, Shown};

/// Agents that come with one site's code.
const AGENTS: usize = 50;

async fn machine_code(service: &Service, machine: &str) -> anyhow::Result<Code> {
    let request = CreateEnrolmentCodeRequest { machine_id: machine.to_owned(), ..Default::default() };
    let made = service.enrolment().await?.create_enrolment_code(request).await?.into_inner();
    Ok(Code::parse(&made.code)?)
}

async fn site_code(service: &Service) -> anyhow::Result<Code> {
    let request = CreateEnrolmentCodeRequest { site_id: "north".to_owned(), ..Default::default() };
    let made = service.enrolment().await?.create_enrolment_code(request).await?.into_inner();
    Ok(Code::parse(&made.code)?)
}

async fn waiting(service: &Service) -> anyhow::Result<Vec<PendingEnrolment>> {
    let request = ListPendingEnrolmentsRequest::default();
    Ok(service.enrolment().await?.list_pending_enrolments(request).await?.into_inner().enrolments)
}

/// What an agent on a computer of this name is started with.
fn settings(service: &Service, name: &str, code: Code) -> anyhow::Result<EnrolSettings> {
    let credential = service.agent_folder(name)?.join("credential.json");
    Ok(EnrolSettings { address: Address::parse(&service.url())?, code, name: name.to_owned(), credential })
}

#[track_caller]
fn refusal(ended: Result<Credential, EnrolError>) -> Refusal {
    match ended {
        Err(EnrolError::Refused { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The code with another secret.
fn guessed(code: &Code) -> Code {
    let mut octets = *code.shown.octets();
    octets[9] ^= 1;
    Code { shown: Shown::new(&octets).expect("11 octets"), ..*code }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_a_machine_gives_a_credential_that_works_and_the_old_one_ends() -> anyhow::Result<()> {
    let mut service = Service::start_with_tls().await?;
    let old = service.add_machine("tm-01").await?;
    service.play(old.clone(), Box::new(PlayedBelt::reverse_run())).await?;
    let settings = settings(&service, "tm-01", machine_code(&service, "tm-01").await?)?;
    let new = enrol(&settings, |_| {}).await?;
    assert_eq!((new.machine.as_str(), new.generation), ("tm-01", 2));
    let mode = std::fs::metadata(&settings.credential)?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let files = std::fs::read_dir(service.agent_folder("tm-01")?)?;
    ensure!(files.flatten().all(|file| !file.file_name().to_string_lossy().contains("enrolling")));
    let read = Credential::from_json(&std::fs::read_to_string(&settings.credential)?)?;
    assert_eq!(read, new);
    // The old one is good until the new one has spoken, and not from then on.
    service.play(new, Box::new(PlayedBelt::reverse_run())).await?;
    let agent = service.start_agent(old, Box::new(PlayedBelt::reverse_run())).await?;
    let mut agent = agent;
    agent.wait_until(|progress| progress.has_source_ended).await;
    let end = agent.stop(Duration::from_millis(100)).await?;
    ensure!(!end.is_delivered(), "nothing of it may be acknowledged: {end:?}");
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_agents_come_with_a_site_s_code_and_each_gets_what_staff_approved() -> anyhow::Result<()> {
    let mut service = Service::start_with_tls().await?;
    let code = site_code(&service).await?;
    let (shown, mut seen) = mpsc::channel(AGENTS);
    let mut agents = JoinSet::new();
    for number in 0..AGENTS {
        let (name, shown) = (format!("box-{number}"), shown.clone());
        let settings = settings(&service, &name, code)?;
        agents.spawn(async move {
            let told = |told| match told {
                Told::Waiting { comparison } => {
                    // There is room for one of each.
                    let _ = shown.try_send((name.clone(), comparison));
                }
                Told::Again { .. } | Told::Left { .. } => {}
            };
            let credential = enrol(&settings, told).await?;
            anyhow::Ok((name, credential))
        });
    }
    // A person reads the digits from each box and approves the row that shows the same.
    for _ in 0..AGENTS {
        let (name, comparison) = seen.recv().await.context("every agent waits")?;
        let rows = waiting(&service).await?;
        let row = rows.iter().find(|row| row.comparison == comparison).context("it is listed")?;
        ensure!(row.name == name && row.site_id == "north", "{row:?}");
        let request = ApproveEnrolmentRequest {
            enrolment_id: row.id.clone(),
            machine_id: name.replace("box", "tm"),
            ..Default::default()
        };
        service.enrolment().await?.approve_enrolment(request).await?;
    }
    let mut credentials = Vec::new();
    while let Some(ended) = agents.join_next().await {
        let (name, credential) = ended??;
        ensure!(credential.machine.as_str() == name.replace("box", "tm"), "{name} got {credential:?}");
        credentials.push(credential);
    }
    assert_eq!((credentials.len(), waiting(&service).await?.len()), (AGENTS, 0));
    // One more than the code allows.
    let late = settings(&service, "late", code)?;
    assert_eq!(refusal(enrol(&late, |_| {}).await), Refusal::Used);
    // What they got is good.
    let credential = credentials.pop().context("there are fifty")?;
    service.play(credential, Box::new(PlayedBelt::reverse_run())).await?;
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_server_a_wrong_code_and_a_wrong_address_are_told_apart() -> anyhow::Result<()> {
    let mut service = Service::start_with_tls().await?;
    let mut other = Service::start_with_tls().await?;
    let mut plain = Service::start().await?;
    service.add_machine("tm-01").await?;
    let code = machine_code(&service, "tm-01").await?;
    let settings = settings(&service, "tm-01", code)?;
    std::fs::write(&settings.credential, "what was there")?;
    let at = |url: String, code: Code| -> anyhow::Result<EnrolSettings> {
        Ok(EnrolSettings { address: Address::parse(&url)?, code, ..settings.clone() })
    };

    let elsewhere = enrol(&at(other.url(), code)?, |_| {}).await;
    ensure!(matches!(elsewhere, Err(EnrolError::OtherServer { .. })), "{elsewhere:?}");
    let no_tls = enrol(&at(plain.url().replace("http:", "https:"), code)?, |_| {}).await;
    ensure!(matches!(no_tls, Err(EnrolError::Tls { .. })), "{no_tls:?}");
    // A port at which nobody listens any more.
    let nobody = plain.url().replace("http:", "https:");
    plain.stop().await?;
    let unreachable = enrol(&at(nobody, code)?, |_| {}).await;
    ensure!(matches!(unreachable, Err(EnrolError::Unreachable { .. })), "{unreachable:?}");
    // The code of a server without TLS proves no server.
    let unproven = enrol(&at(service.url(), Code { authority: None, ..code })?, |_| {}).await;
    ensure!(matches!(unproven, Err(EnrolError::Mismatch(_))), "{unproven:?}");
    assert_eq!(refusal(enrol(&at(service.url(), guessed(&code))?, |_| {}).await), Refusal::WrongCode);
    assert_eq!(std::fs::read_to_string(&settings.credential)?, "what was there", "only success replaces it");
    enrol(&settings, |_| {}).await?;
    other.stop().await?;
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tries_survive_a_restart_and_so_does_a_code() -> anyhow::Result<()> {
    let mut service = Service::start_with_tls().await?;
    service.add_machine("tm-01").await?;
    service.add_machine("tm-02").await?;
    let tried = machine_code(&service, "tm-01").await?;
    let kept = machine_code(&service, "tm-02").await?;
    for number in 0..5 {
        if number == 3 {
            service.stop().await?;
            service.start_again().await?;
        }
        let settings = settings(&service, "tm-01", guessed(&tried))?;
        assert_eq!(refusal(enrol(&settings, |_| {}).await), Refusal::WrongCode);
    }
    let settings_of = |name, code| settings(&service, name, code);
    assert_eq!(refusal(enrol(&settings_of("tm-01", tried)?, |_| {}).await), Refusal::TriedOut);
    enrol(&settings_of("tm-02", kept)?, |_| {}).await?;
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_interrupted_goes_on_and_one_that_is_refused_ends() -> anyhow::Result<()> {
    let mut service = Service::start_with_tls().await?;
    let code = site_code(&service).await?;
    let settings = settings(&service, "box", code)?;
    // Interrupted as soon as it waits; then the server is restarted, too.
    let digits = interrupted(&settings).await?;
    service.stop().await?;
    service.start_again().await?;
    let settings = EnrolSettings { address: Address::parse(&service.url())?, ..settings };
    assert_eq!(interrupted(&settings).await?, digits, "it is still the same agent");
    let rows = waiting(&service).await?;
    let [row] = &rows[..] else { anyhow::bail!("one waits: {rows:?}") };
    let request = RevokeEnrolmentCodeRequest { code_id: row.code_id.clone() };
    service.enrolment().await?.revoke_enrolment_code(request).await?;
    let late = self::settings(&service, "late", code)?;
    assert_eq!(refusal(enrol(&late, |_| {}).await), Refusal::Revoked);
    let request = RefuseEnrolmentRequest { enrolment_id: row.id.clone() };
    service.enrolment().await?.refuse_enrolment(request).await?;
    assert_eq!(refusal(enrol(&settings, |_| {}).await), Refusal::ByStaff);
    ensure!(!settings.credential.exists());
    service.stop().await
}

/// Runs an agent until it waits, and drops it; the digits that it showed.
async fn interrupted(settings: &EnrolSettings) -> anyhow::Result<String> {
    let (shown, mut seen) = mpsc::channel(1);
    let told = |told| {
        if let Told::Waiting { comparison } = told {
            let _ = shown.try_send(comparison);
        }
    };
    tokio::select! {
        ended = enrol(settings, told) => anyhow::bail!("it ended: {ended:?}"),
        digits = seen.recv() => digits.context("it waits"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_credential_takes_its_codes_with_it_and_a_new_code_brings_a_good_one() -> anyhow::Result<()>
{
    let mut service = Service::start_with_tls().await?;
    let old = service.add_machine("tm-01").await?;
    let code = machine_code(&service, "tm-01").await?;
    let request = RevokeCredentialRequest { machine_id: "tm-01".to_owned() };
    service.admin().await?.revoke_credential(request).await?;
    let settings_of = |code| settings(&service, "tm-01", code);
    assert_eq!(refusal(enrol(&settings_of(code)?, |_| {}).await), Refusal::Revoked);
    let new = enrol(&settings_of(machine_code(&service, "tm-01").await?)?, |_| {}).await?;
    assert_eq!((old.generation, new.generation), (1, 2));
    service.play(new, Box::new(PlayedBelt::reverse_run())).await?;
    service.stop().await
}

/// A belt that stands for so long.
fn standing(seconds: u64) -> Box<dyn Script> {
    let direction = domain::belt::Direction::Stopped;
    let act = harness::belt::Act { direction, mm_s: 0, stop_pressed: false, millis: seconds * 1_000 };
    Box::new(PlayedBelt::new(&[act]))
}

fn copied(from: &PathBuf, to: &PathBuf) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for file in std::fs::read_dir(from)? {
        let file = file?;
        std::fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_card_is_told() -> anyhow::Result<()> {
    let mut service = Service::start_with_tls().await?;
    service.add_machine("tm-01").await?;
    let settings = settings(&service, "card", machine_code(&service, "tm-01").await?)?;
    let credential = enrol(&settings, |_| {}).await?;
    let (card, copy) =
        (service.agent_folder("card")?.join("spool"), service.agent_folder("copy")?.join("spool"));
    let first = Agent::start(AgentSettings::new(credential.clone(), card.clone(), standing(1))).await?;
    first.stop(Duration::from_secs(20)).await?;
    copied(&card, &copy)?;
    // Both cards are in computers that run: credential, spool and all.
    let start =
        |spool: &PathBuf| Agent::start(AgentSettings::new(credential.clone(), spool.clone(), standing(600)));
    let (mut one, other) = (start(&card).await?, start(&copy).await?);
    // Each connection of the one ends that of the other.
    let mut connections = 0;
    while service.server().ingest().counters().clones_seen == 0 {
        ensure!(connections < 20, "nobody was told of the copy");
        connections += 1;
        one.wait_until(|progress| progress.connection > connections).await;
    }
    let refused = service.server().ingest().refusals();
    ensure!(!refused.is_empty(), "staff see it among the refused messages");
    for agent in [one, other] {
        agent.stop(Duration::from_millis(100)).await?;
    }
    service.stop().await
}
