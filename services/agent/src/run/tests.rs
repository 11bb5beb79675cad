mod broker;

use std::path::Path;

use domain::belt::Contact;
use domain::log::{Lane, Position};
use domain::record::{EventKind, Payload};
use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, SECOND, Speed};
use serde_json::Value;
use tempfile::tempdir;

use self::broker::{Broker, Manner};
use super::*;

/// A belt that stands long enough to be known to stand, starts, and an emergency stop.
#[derive(Debug)]
struct ShortRun {
    started: MonotonicMicros,
    step: u64,
}

impl ShortRun {
    fn now() -> Box<ShortRun> {
        Box::new(ShortRun { started: clock::monotonic(), step: 0 })
    }
}

impl Script for ShortRun {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::EMERGENCY_STOP);
        SourceSpec { name: "belt".to_owned(), capabilities, period_us: SECOND }
    }

    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        while self.step < 18 {
            let at = self.started.plus(self.step * 100 * MILLI);
            if at > now {
                return Some(at);
            }
            let mut tell = |value| out.push(Signal { at, source: SourceNumber(0), value });
            tell(SignalValue::Speed(Speed(if self.step < 12 { 0 } else { 2_000 })));
            tell(SignalValue::ContactLevel { contact: Contact::EmergencyStop, open: self.step > 14 });
            self.step += 1;
        }
        None
    }
}

fn settings(broker: &Broker, folder: &Path) -> AgentSettings {
    let truth = Some(folder.join("truth"));
    AgentSettings { truth, ..AgentSettings::new(broker.credential(), folder.join("spool"), ShortRun::now()) }
}

/// Runs an agent until its source has ended and stops it; gives what it says at the end.
async fn live(settings: AgentSettings) -> Progress {
    let mut agent = Agent::start(settings).await.unwrap();
    let seen = |progress: &Progress| progress.has_source_ended && progress.is_connected;
    agent.wait_until(seen).await;
    agent.stop(Duration::from_secs(60)).await.unwrap()
}

fn truth(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("truth")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the broker's ingest has must be what the agent wrote down, record by record.
fn check_truth(broker: &Broker, folder: &Path) {
    let seen = broker.seen.lock().unwrap();
    let truth = truth(folder);
    assert_eq!(truth.len(), seen.records.len());
    for line in truth {
        let lane = if line["lane"] == "events" { Lane::Events } else { Lane::Readings };
        let number = |key: &str| line[key].as_u64().unwrap();
        let position = Position::new(u32::try_from(number("boot_count")).unwrap(), number("n"));
        assert_eq!(line["record"], hex::encode(&seen.records[&(lane, position)]), "{lane:?} {position}");
        assert_eq!(line["durable"], lane == Lane::Events);
    }
}

fn kinds(broker: &Broker) -> Vec<EventKind> {
    let seen = broker.seen.lock().unwrap();
    let event = |((lane, _), octets): (&(Lane, Position), &Vec<u8>)| match wire::record::decode(*lane, octets)
        .unwrap()
        .payload
    {
        Payload::Event(event) => Some(event.kind),
        Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => None,
    };
    seen.records.iter().filter_map(event).collect()
}

#[tokio::test]
async fn what_was_seen_is_delivered_and_the_agent_says_good_bye() {
    let folder = tempdir().unwrap();
    let broker = Broker::start(&[]).await;
    let progress = live(settings(&broker, folder.path())).await;
    assert!(progress.is_delivered(), "{progress:?}");
    // Four events, the recording's beginning behind its event, and what it has when the agent stops.
    assert!(progress.appended[0] >= 6, "{progress:?}");
    assert!(progress.appended[1] > 0);
    let expected =
        [EventKind::AgentStarted, EventKind::BeltStarted, EventKind::SpeedJumped, EventKind::ContactOpened];
    assert_eq!(kinds(&broker), expected);
    check_truth(&broker, folder.path());
    let seen = broker.seen.lock().unwrap();
    let connect = &seen.connects[0];
    assert_eq!(connect.client_id, "tm-01");
    assert!(connect.clean_session);
    let login = connect.login.as_ref().unwrap();
    assert_eq!((login.username.as_str(), &login.password), ("tm-01", &broker.credential().broker_password()));
    let will = connect.last_will.as_ref().unwrap();
    assert!(will.retain && will.topic.ends_with("/tm-01/status"));
    let [.., before, last] = &seen.statuses[..] else { panic!("{:?}", seen.statuses) };
    assert!(!before.offline && last.offline, "{last:?}");
    assert_eq!(before.capabilities.names().collect::<Vec<_>>(), ["speed", "emergency_stop"]);
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_nothing_is_lost() {
    let folder = tempdir().unwrap();
    let manners = [Manner::RefuseSubscription, Manner::CutAtEnvelope, Manner::CutAtEnvelope];
    let broker = Broker::start(&manners).await;
    let progress = live(settings(&broker, folder.path())).await;
    assert!(progress.is_delivered(), "{progress:?}");
    assert!(progress.connection >= 4, "{progress:?}");
    check_truth(&broker, folder.path());
    let seen = broker.seen.lock().unwrap();
    let orders: Vec<_> = seen.statuses.iter().map(|status| status.order).collect();
    assert!(orders.is_sorted(), "{orders:?}");
    assert!(orders[0].connection > 1, "a connection without subscription is none");
}

#[tokio::test]
async fn what_an_agent_could_not_deliver_its_next_boot_does() {
    let folder = tempdir().unwrap();
    let nobody = Broker::start(&[]).await;
    let mut credential = nobody.credential();
    // A port that was free a moment ago: nobody answers there.
    credential.broker = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let mut agent =
        Agent::start(AgentSettings { credential, ..settings(&nobody, folder.path()) }).await.unwrap();
    agent.wait_until(|progress| progress.has_source_ended).await;
    let progress = agent.stop(Duration::ZERO).await.unwrap();
    assert!(progress.unacknowledged[0] >= 2 && !progress.is_connected, "{progress:?}");
    let broker = Broker::start(&[]).await;
    let progress = live(settings(&broker, folder.path())).await;
    assert_eq!((progress.boot_count, progress.unacknowledged), (2, [0, 0]));
    check_truth(&broker, folder.path());
    let boots: Vec<u32> =
        broker.seen.lock().unwrap().records.keys().map(|(_, position)| position.boot_count).collect();
    assert!(boots.contains(&1) && boots.contains(&2));
}

#[tokio::test]
async fn what_prevents_a_start_is_said() {
    let folder = tempdir().unwrap();
    let broker = Broker::start(&[]).await;
    let running = Agent::start(settings(&broker, folder.path())).await.unwrap();
    let second = Agent::start(settings(&broker, folder.path())).await;
    assert!(matches!(second, Err(StartError::Spool(OpenError::InUse { .. }))), "{second:?}");
    running.stop(Duration::ZERO).await.unwrap();
    for address in ["nowhere", "host:", "host:99999", "host:mqtt"] {
        let mut credential = broker.credential();
        credential.broker = address.to_owned();
        let error = Agent::start(AgentSettings { credential, ..settings(&broker, folder.path()) }).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(&format!("\"{address}\" has not the form host:port")), "{error}");
    }
    let truth = Some(folder.path().join("no/such/folder"));
    let error = Agent::start(AgentSettings { truth, ..settings(&broker, folder.path()) }).await;
    assert!(matches!(error, Err(StartError::Truth { .. })), "{error:?}");
}
