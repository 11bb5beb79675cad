//! A stage for the tests of rules: a belt told second by second, through the agent's own watcher, to the incident fold.

use std::collections::BTreeMap;

use crate::belt::{Contact, Direction};
use crate::ids::{IncidentId, LogId, MachineId};
use crate::incident::mind::IncidentFold;
use crate::incident::settings::MachineSettings;
use crate::incident::{Incident, Rule, Severity};
use crate::log::{Lane, Position};
use crate::record::{Event, EventKind, Extra, Payload, Reading, Record};
use crate::registry::BeltKind;
use crate::signal::{Capabilities, Signal, SignalValue, SourceNumber, SourceSpec};
use crate::units::{MILLI, MonotonicMicros, Speed, UnixMicros};
use crate::watcher::{Observed, SignalWatcher, WatcherSettings};

/// Everything that can be reported.
pub(super) const ALL: Capabilities = Capabilities(0xffff);
/// What an encoder with contacts reports, without the machine's own start and stop.
pub(super) const ENCODER: Capabilities = Capabilities::SPEED
    .and(Capabilities::DIRECTION)
    .and(Capabilities::INCLINE)
    .and(Capabilities::EMERGENCY_STOP)
    .and(Capabilities::SAFETY_KEY);
/// What a console reports over FTMS.
pub(super) const FTMS: Capabilities = Capabilities::SPEED
    .and(Capabilities::INCLINE)
    .and(Capabilities::SAFETY_KEY)
    .and(Capabilities::USER_COMMANDS)
    .and(Capabilities::ELAPSED)
    .and(Capabilities::DISTANCE);

const MONDAY_NOON: UnixMicros = UnixMicros(1_767_614_400_000_000);
const STEP: u64 = 100 * MILLI;

/// A reversible machine with a proven direction, standing, its contacts closed.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) settings: MachineSettings,
    watcher: SignalWatcher,
    capabilities: Capabilities,
    fold: IncidentFold,
    now: MonotonicMicros,
    speed_kmh: f64,
    direction: Direction,
    contacts: Vec<(Contact, bool)>,
    /// Told at each step besides.
    pub(super) always: Vec<SignalValue>,
    /// What the second source tells at each step, if there is one.
    pub(super) second: Vec<SignalValue>,
    /// Whether the source tells anything.
    pub(super) is_heard: bool,
    numbers: [u64; 2],
    incidents: BTreeMap<IncidentId, Incident>,
}

/// km/h in mm/s.
pub(super) fn mm_s(kmh: f64) -> u32 {
    u32::try_from(whole(kmh / 0.0036)).expect("a speed of a treadmill")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the stories of tests are short and slow"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

impl Scene {
    /// A machine that can report this, seen ten times a second.
    pub(super) fn new(capabilities: Capabilities) -> Scene {
        let spec = SourceSpec { name: "stage".to_owned(), capabilities, period_us: STEP };
        let settings = MachineSettings {
            belt: BeltKind::Reversible,
            direction_proven: true,
            ..MachineSettings::default()
        };
        let watcher = SignalWatcher::new(vec![spec], WatcherSettings::default(), MonotonicMicros(0));
        let mut scene = Scene {
            settings,
            watcher,
            capabilities,
            fold: IncidentFold::default(),
            now: MonotonicMicros(0),
            speed_kmh: 0.0,
            direction: Direction::Forward,
            contacts: vec![(Contact::EmergencyStop, false), (Contact::SafetyKey, false)],
            always: Vec::new(),
            second: Vec::new(),
            is_heard: true,
            numbers: [0; 2],
            incidents: BTreeMap::new(),
        };
        scene.agent_starts();
        scene.wait(2.0);
        scene
    }

    /// The same with other settings; they hold from the beginning.
    pub(super) fn with(mut self, change: impl FnOnce(&mut MachineSettings)) -> Scene {
        change(&mut self.settings);
        self
    }

    /// The same with a threshold set.
    pub(super) fn set(mut self, name: &str, value: i64) -> Scene {
        self.settings.limits.set(name, Some(value)).expect("a threshold within its range");
        self
    }

    /// The same with a second source, less preferred, that tells what `second` says.
    pub(super) fn with_second_source(mut self) -> Scene {
        let spec = |name: &str| SourceSpec {
            name: name.to_owned(),
            capabilities: self.capabilities,
            period_us: STEP,
        };
        let specs = vec![spec("stage"), spec("second")];
        self.watcher = SignalWatcher::new(specs, WatcherSettings::default(), self.now);
        self
    }

    /// The agent starts anew.
    pub(super) fn agent_starts(&mut self) {
        let mut event = Event::new(EventKind::AgentStarted, self.now, Default::default(), Default::default());
        event.capabilities = Some(self.capabilities);
        self.fold(Observed { at: self.now, payload: Payload::Event(event) });
    }

    /// Time passes with the belt as it is.
    pub(super) fn wait(&mut self, seconds: f64) -> &mut Scene {
        for _ in 0..whole(seconds * 10.0) {
            self.step();
        }
        self
    }

    /// Time passes for the agent and its belt, and nothing is recorded of it; as if the agent was not there.
    pub(super) fn vanish(&mut self, seconds: f64) -> &mut Scene {
        self.now = self.now.plus(whole(seconds * 1e6));
        let spec = SourceSpec { name: "stage".to_owned(), capabilities: self.capabilities, period_us: STEP };
        self.watcher = SignalWatcher::new(vec![spec], WatcherSettings::default(), self.now);
        self.agent_starts();
        self
    }

    /// The belt has this speed at once, in km/h; its sign is the direction: below 0 is reverse.
    pub(super) fn speed(&mut self, kmh: f64) -> &mut Scene {
        self.speed_kmh = kmh.abs();
        if kmh != 0.0 {
            self.direction = if kmh < 0.0 { Direction::Reverse } else { Direction::Forward };
        }
        self
    }

    /// The belt's speed changes by so many km/h each second until it has this one; the sign must not change.
    pub(super) fn ramp(&mut self, kmh: f64, kmh_per_s: f64) -> &mut Scene {
        let step = kmh_per_s / 10.0;
        while (self.speed_kmh - kmh.abs()).abs() > step {
            self.speed_kmh += if self.speed_kmh < kmh.abs() { step } else { -step };
            if kmh != 0.0 {
                self.direction = if kmh < 0.0 { Direction::Reverse } else { Direction::Forward };
            }
            self.step();
        }
        self.speed(kmh).wait(0.1)
    }

    /// A contact opens or closes.
    pub(super) fn contact(&mut self, contact: Contact, open: bool) -> &mut Scene {
        self.contacts.retain(|(other, _)| *other != contact);
        self.contacts.push((contact, open));
        self
    }

    /// Whether the machine can report this.
    pub(super) fn can_tell(&self, capabilities: Capabilities) -> bool {
        self.capabilities.has(capabilities)
    }

    /// The source tells no contacts.
    pub(super) fn forget_contacts(&mut self) -> &mut Scene {
        self.contacts.clear();
        self
    }

    /// The source tells something once.
    pub(super) fn tell(&mut self, value: SignalValue) -> &mut Scene {
        let mut out = Vec::new();
        self.watcher.apply(&Signal { at: self.now, source: SourceNumber(0), value }, &mut out);
        self.fold_all(out);
        self
    }

    /// The same as [`Scene::wait`] with all contacts and speeds, for a moment of so many milliseconds.
    pub(super) fn wait_ms(&mut self, ms: u64) -> &mut Scene {
        self.observe(self.now.plus(ms * MILLI));
        self
    }

    fn step(&mut self) {
        self.observe(self.now.plus(STEP));
    }

    fn observe(&mut self, now: MonotonicMicros) {
        self.now = now;
        let mut out = Vec::new();
        if self.is_heard {
            let mut values = vec![SignalValue::Speed(Speed(mm_s(self.speed_kmh)))];
            if self.capabilities.has(Capabilities::DIRECTION) {
                values.insert(0, SignalValue::MeasuredDirection(self.direction));
            }
            for (contact, open) in &self.contacts {
                values.push(SignalValue::ContactLevel { contact: *contact, open: *open });
            }
            values.extend(self.always.iter().cloned());
            for value in values {
                self.watcher.apply(&Signal { at: now, source: SourceNumber(0), value }, &mut out);
            }
        }
        for value in self.second.clone() {
            self.watcher.apply(&Signal { at: now, source: SourceNumber(1), value }, &mut out);
        }
        self.watcher.tick(now, &mut out);
        self.fold_all(out);
    }

    fn fold_all(&mut self, out: Vec<Observed>) {
        out.into_iter().for_each(|observed| self.fold(observed));
    }

    /// Gives a record to the fold, as it would come from the agent.
    pub(super) fn fold(&mut self, observed: Observed) {
        let lane = observed.payload.lane();
        let n = self.numbers[lane.index()] + 1;
        self.numbers[lane.index()] = n;
        let other_n = self.numbers[lane.other().index()];
        let record = Record { at: observed.at, other_n, payload: observed.payload };
        let place = (LogId::for_lane([9; 16], lane), Position::new(1, n));
        let machine = MachineId::new("stage").expect("a good id");
        let time = MONDAY_NOON.plus(record.at.0.cast_signed());
        let mut changed = Vec::new();
        if lane == Lane::Events {
            changed.extend(self.fold.at_once(&machine, place, time, &record, &self.settings));
        }
        changed.extend(self.fold.merged(&machine, place, time, &record, &self.settings));
        for incident in changed {
            let known = self.incidents.get(&incident.id).map_or(0, |known| known.revision);
            assert!(incident.revision > known, "versions count up: {incident:?}");
            self.incidents.insert(incident.id, incident);
        }
        // A checkpoint at any moment changes nothing.
        if n % 7 == 0 {
            let kept = serde_json::to_string(&self.fold).expect("it can be kept");
            self.fold = serde_json::from_str(&kept).expect("it can be read again");
        }
    }

    /// A person declares a mode, told with a reading as a console would.
    pub(super) fn declare(&mut self, mode: u32) -> &mut Scene {
        let extra = Extra { declared_mode: Some(mode), ..Extra::default() };
        let reading = Reading { span_ms: 1, extra, ..Reading::default() };
        self.fold(Observed { at: self.now, payload: Payload::Reading(reading) });
        self
    }

    /// All incidents so far, by time.
    pub(super) fn incidents(&self) -> Vec<&Incident> {
        let mut incidents: Vec<&Incident> = self.incidents.values().collect();
        incidents.sort_by_key(|incident| (incident.time, incident.rule));
        incidents
    }

    /// Rules and severities of all incidents so far, by time.
    pub(super) fn found(&self) -> Vec<(Rule, Severity)> {
        self.incidents().iter().map(|incident| (incident.rule, incident.severity)).collect()
    }

    /// Severities of the incidents of one rule, by time.
    pub(super) fn of(&self, rule: Rule) -> Vec<Severity> {
        self.found().into_iter().filter(|(of, _)| *of == rule).map(|(_, severity)| severity).collect()
    }

    /// Seconds from the beginning to a time.
    pub(super) fn seconds(time: UnixMicros) -> f64 {
        time.since(MONDAY_NOON) as f64 / 1e6
    }
}
