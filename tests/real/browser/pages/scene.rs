//! What there is to see on the pages: who is told and by when, incidents that people deal with, and proof tests.

use std::time::Duration;

use anyhow::{Context, bail};
use domain::belt::{Contact, Direction};
use wire::api::v1::{
    self, ChainStep, Deadline, HandlingState, Policy, Severity, Staffing, UpdatePolicyRequest,
};

use super::super::belt::{Act, Belt, Hand, starts};
use super::super::floor::{Floor, USER};
use super::super::found;
use super::super::incidents::Shown;
use super::Page;
use crate::processes::PATIENCE;

/// The machine that is tested.
const TESTED: &str = "harbour-03";
/// A machine whose belt runs for ever: its test is under way.
const RUNNING: &str = "north-08";
const OUT_OF_SERVICE: &str = "harbour-01";
/// At the test's speed, stopped by the button.
const PRESSED: [Act; 4] = [
    Act::runs(Direction::Forward, 850, 2_000),
    Act::runs(Direction::Forward, 600, 700).with_open(Contact::EmergencyStop),
    Act::runs(Direction::Forward, 300, 700).with_open(Contact::EmergencyStop),
    Act::stands(1_000).with_open(Contact::EmergencyStop),
];

/// What was set up, and what it brought about.
#[derive(Debug)]
pub(super) struct Scene {
    hand: Hand,
    /// The proof test that is over.
    drill: u64,
}

impl Scene {
    /// Sites and machines, of whose incidents people are told; a proof test is begun.
    pub(super) async fn set(floor: &mut Floor) -> anyhow::Result<Scene> {
        tell_people(floor).await?;
        floor.fill().await?;
        let credential = floor.add_machine("harbour", TESTED, "Treadmill 3").await?;
        let hand = Hand::default();
        floor.play(credential, Belt::by_hand(TESTED, &hand)).await?;
        let drill = start_drill(floor, TESTED).await?;
        Ok(Scene { hand, drill })
    }

    /// People deal with incidents, and a belt is tested.
    pub(super) async fn play(&mut self, floor: &Floor, shown: &Shown) -> anyhow::Result<()> {
        deal(floor, shown).await?;
        let request = v1::SetOutOfServiceRequest {
            machine_id: OUT_OF_SERVICE.to_owned(),
            reason: "The belt slips; the fitter comes on Thursday.".to_owned(),
            ..v1::SetOutOfServiceRequest::default()
        };
        floor.admin().await?.set_out_of_service(request).await.context("tagging")?;
        start_drill(floor, RUNNING).await?;
        self.test(floor).await
    }

    /// The button is pressed, and the test ends once that was measured.
    async fn test(&self, floor: &Floor) -> anyhow::Result<()> {
        // It takes effect 10 s after it was begun: that has passed while incidents were waited for, or it does now.
        let takes_effect = |drill: &v1::Drill| {
            drill.effective_time.is_some_and(|time| time.seconds < found::now_us() / 1_000_000)
        };
        self.wait(floor, "the test takes effect", takes_effect).await?;
        let mut acts = starts(850);
        acts.extend(PRESSED);
        self.hand.does(&acts);
        let is_measured = |drill: &v1::Drill| drill.stops.iter().any(|stop| stop.stop_time.is_some());
        self.wait(floor, "a stop is measured", is_measured).await?;
        self.hand.does(&[Act::stands(1_000)]);
        let request = v1::EndDrillRequest {
            machine_id: TESTED.to_owned(),
            number: self.drill,
            note: "Empty belt; the key was not tested, its cord is missing.".to_owned(),
        };
        floor.drills().await?.end_drill(request).await.context("ending the test")?;
        Ok(())
    }

    async fn wait(
        &self,
        floor: &Floor,
        what: &str,
        is_so: impl Fn(&v1::Drill) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            let request = v1::GetDrillRequest { machine_id: TESTED.to_owned(), number: self.drill };
            let drill = floor.drills().await?.get_drill(request).await?.into_inner().drill;
            if drill.as_ref().is_some_and(&is_so) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("not within {PATIENCE:?}: {what}")
    }

    /// Pages that show it, and forms that are answered with what is wrong in them.
    pub(super) fn pages(&self, shown: &Shown) -> Vec<Page> {
        let of = |incident: &v1::Incident| format!("/incident/{}", incident.id);
        let (recorded, unrecorded) = (of(&shown.recorded), of(&shown.unrecorded));
        let mut pages = vec![
            Page::new("incident-recorded", &recorded),
            Page::new("incident-unrecorded", &unrecorded),
            Page::new("incident-print", &format!("{recorded}/print")),
            Page::new("incidents-all", "/incidents?people=all"),
            Page::new("incidents-closed", "/incidents?people=closed"),
            Page::new("incidents-mine", "/incidents?people=mine"),
            Page::new("drill-start", &format!("/machine/{TESTED}/drill")),
            Page::new("drill-guide", &format!("/machine/{RUNNING}/drill")),
            Page::new("drill-sheet", &format!("/machine/{TESTED}/drill/{}", self.drill)),
        ];
        for machine in
            [&shown.recorded.machine_id, &shown.unrecorded.machine_id, TESTED, RUNNING, OUT_OF_SERVICE]
        {
            pages.push(Page::new(&format!("machine-{machine}"), &format!("/machine/{machine}")));
        }
        let refused = [
            ("incident-close", recorded.as_str(), "document.querySelector('#close').click()"),
            ("incident-note", &recorded, "document.querySelector('#note').click()"),
            ("incident-assign", &recorded, "document.querySelector('#forms button[value=user]').click()"),
            ("incidents-bulk", "/incidents", "document.querySelector('#bulk-acknowledge').click()"),
            ("contact-add", "/administration/add/contact", MAIN),
            ("site-add", "/administration/add/site", MAIN),
            ("machine-add", "/administration/add/machine", MAIN),
            ("user-add", "/administration/add/user", MAIN),
            ("token-add", "/administration/add/token", MAIN),
            ("policy", "/administration/policies/@all", POLICY),
            ("service", &format!("/machine/{RUNNING}/service"), MAIN),
            ("password", "/account", PASSWORD),
            ("drill-note", &format!("/machine/{RUNNING}/drill"), DRILL_NOTE),
        ]
        .map(|(name, path, press)| Page::refused(&format!("refused-{name}"), path, press));
        pages.extend(refused);
        pages
    }
}

const MAIN: &str = "document.querySelector('main form[method=post] button.main').click()";
const POLICY: &str = "document.querySelector('#chain input[type=text]').value = 'soon'; \
                      document.querySelector('#chain button.main').click()";
const PASSWORD: &str = "document.querySelector('main form[action$=password]').requestSubmit()";
const DRILL_NOTE: &str = "document.querySelector('#note').value = 'x'.repeat(201); \
                          document.querySelector('form.note button').click()";

/// Two contacts that cannot be reached, a chain, deadlines and the rule that tags a machine.
async fn tell_people(floor: &Floor) -> anyhow::Result<()> {
    let mut client = floor.notification().await?;
    let contact = |name: &str, display_name: &str| v1::Contact {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        ..v1::Contact::default()
    };
    let contacts = [
        v1::Contact {
            // Nothing listens there.
            webhook_url: "http://127.0.0.1:9/incidents".to_owned(),
            ..contact("desk", "Front desk")
        },
        v1::Contact { email: "owner@gym.example".to_owned(), ..contact("owner", "The owner") },
    ];
    for contact in contacts {
        let request = v1::SetContactRequest { contact: Some(contact), ..v1::SetContactRequest::default() };
        client.set_contact(request).await.context("a contact")?;
    }
    let step = |contact: &str, least_severity: Severity, after_seconds| ChainStep {
        contact: contact.to_owned(),
        least_severity: least_severity.into(),
        after_seconds,
        staffing: Staffing::Always.into(),
    };
    let deadline = |name: &str, hours, until: HandlingState| Deadline {
        name: name.to_owned(),
        least_severity: Severity::High.into(),
        hours,
        until: until.into(),
    };
    let policy = Policy {
        chain: vec![step("desk", Severity::Medium, 0), step("owner", Severity::Critical, 300)],
        deadlines: vec![
            deadline("Look at it", 1, HandlingState::Acknowledged),
            deadline("Report to the insurer", 72, HandlingState::Closed),
        ],
        out_of_service_count: 3,
        out_of_service_days: 7,
        ..Policy::default()
    };
    let paths = ["chain", "deadlines", "out_of_service"].map(str::to_owned).to_vec();
    let request = UpdatePolicyRequest {
        policy: Some(policy),
        update_mask: Some(prost_types::FieldMask { paths }),
        ..UpdatePolicyRequest::default()
    };
    client.update_policy(request).await.context("a policy")?;
    Ok(())
}

/// One incident is worked on, with a timeline; the other is closed.
async fn deal(floor: &Floor, shown: &Shown) -> anyhow::Result<()> {
    let mut client = floor.handling().await?;
    let ids = |incident: &v1::Incident| vec![incident.id.clone()];
    let (recorded, unrecorded) = (ids(&shown.recorded), ids(&shown.unrecorded));
    let request = v1::AcknowledgeIncidentsRequest {
        incident_ids: recorded.clone(),
        ..v1::AcknowledgeIncidentsRequest::default()
    };
    client.acknowledge_incidents(request).await?;
    let request = v1::AssignIncidentsRequest {
        incident_ids: recorded.clone(),
        user: USER.to_owned(),
        note: "You are next to it.".to_owned(),
        ..v1::AssignIncidentsRequest::default()
    };
    client.assign_incidents(request).await?;
    for note in [
        "She was dizzy and pressed the button herself. Sat down, had some water, her sister came for her at half past \
         four. She does not want a doctor; the number is with the front desk.",
        "Donaudampfschifffahrtsgesellschaftskapit\u{e4}nsm\u{fc}tzenabzeichenbeschlagnahmung",
        "First line\nsecond line",
    ] {
        let request = v1::NoteIncidentsRequest {
            incident_ids: recorded.clone(),
            note: note.to_owned(),
            ..v1::NoteIncidentsRequest::default()
        };
        client.note_incidents(request).await?;
    }
    let request =
        v1::HoldIncidentsRequest { incident_ids: recorded, on: true, ..v1::HoldIncidentsRequest::default() };
    client.hold_incidents(request).await?;
    let request = v1::CloseIncidentsRequest {
        incident_ids: unrecorded,
        cause: v1::Cause::Misuse.into(),
        hurt: v1::Hurt::No.into(),
        note: "He wanted to see how fast it goes.".to_owned(),
        ..v1::CloseIncidentsRequest::default()
    };
    client.close_incidents(request).await?;
    Ok(())
}

async fn start_drill(floor: &Floor, machine: &str) -> anyhow::Result<u64> {
    let request = v1::StartDrillRequest {
        machine_id: machine.to_owned(),
        minutes: 15,
        ..v1::StartDrillRequest::default()
    };
    let answer = floor.drills().await?.start_drill(request).await;
    let drill = answer.with_context(|| format!("a test of {machine}"))?.into_inner().drill;
    Ok(drill.context("a test")?.number)
}
