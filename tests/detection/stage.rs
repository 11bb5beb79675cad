//! Plays a score before its sources and the agent's signal watcher, and gives what the agent records.

use domain::record::{Event, EventKind, Payload};
use domain::signal::{Signal, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, SECOND};
use domain::watcher::{Observed, SignalWatcher, WatcherSettings};

use crate::belt::Belt;
use crate::score::{Act, LineReader, Micros, Score};
use crate::source::{Source, capabilities};

/// A step while something goes on.
const STEP: Micros = 100 * MILLI;
/// A step of a machine that rests.
const REST_STEP: Micros = SECOND;
/// How long before and after an act steps stay short.
const AWAKE: Micros = 5 * SECOND;

/// What a life gives.
#[derive(Debug)]
pub enum Told {
    /// An agent has started.
    Boot,
    /// It has recorded something.
    Record(Observed),
}

/// Plays one life.
pub fn play(score: &Score, sources: &mut [Box<dyn Source>], told: &mut dyn FnMut(Told)) {
    let (mut speed, mut incline) = (LineReader::new(&score.speed), LineReader::new(&score.incline));
    let mut stage = Stage::new(sources);
    stage.boot(0, told);
    let (mut now, mut next, mut asleep_from) = (0, 0, AWAKE);
    while now < score.end {
        let step = if now >= asleep_from && stage.pending.is_empty() { REST_STEP } else { STEP };
        now += step;
        if stage.is_away {
            // Nobody looks until the agent is back.
            now = now.max(score.acts.get(next).map_or(score.end, |(at, _)| *at));
        }
        while let Some((at, act)) = score.acts.get(next).filter(|(at, _)| *at <= now) {
            stage.act(*at, act, told);
            next += 1;
            asleep_from = at + AWAKE;
        }
        stage.belt.advance(step, speed.at(now), incline.at(now));
        stage.step(now, step, told);
        // A machine rests if neither belt nor people do anything for a while.
        let act = score.acts.get(next).map_or(Micros::MAX, |(at, _)| *at);
        let change = speed.flat_until(now).min(incline.flat_until(now)).min(act);
        if stage.belt.is_moving() || change < now + AWAKE + REST_STEP {
            asleep_from = now + AWAKE;
        }
    }
}

struct Stage<'a> {
    sources: &'a mut [Box<dyn Source>],
    belt: Belt,
    watcher: SignalWatcher,
    is_away: bool,
    /// Signals on their way.
    pending: Vec<Signal>,
    observed: Vec<Observed>,
}

impl<'a> Stage<'a> {
    fn new(sources: &'a mut [Box<dyn Source>]) -> Stage<'a> {
        let watcher = watcher(sources, 0);
        let belt = Belt::default();
        Stage { sources, belt, watcher, is_away: false, pending: Vec::new(), observed: Vec::new() }
    }

    fn boot(&mut self, now: Micros, told: &mut dyn FnMut(Told)) {
        let at = MonotonicMicros(now);
        self.watcher = watcher(self.sources, now);
        self.pending.clear();
        let mut event = Event::new(EventKind::AgentStarted, at, Default::default(), Default::default());
        event.capabilities = Some(capabilities(self.sources));
        told(Told::Boot);
        told(Told::Record(Observed { at, payload: Payload::Event(event) }));
    }

    fn act(&mut self, at: Micros, act: &Act, told: &mut dyn FnMut(Told)) {
        if let Act::Away(away) = act {
            if self.is_away && !*away {
                self.boot(at, told);
            }
            self.is_away = *away;
        }
        for source in self.sources.iter_mut() {
            source.act(at, act, &self.belt, &mut self.pending);
        }
        self.belt.take(act);
    }

    fn step(&mut self, now: Micros, step: Micros, told: &mut dyn FnMut(Told)) {
        // Sources count tenths of a second; a long step is as many of them.
        for tenth in (0..step / STEP).rev() {
            for source in self.sources.iter_mut() {
                source.step(now - tenth * STEP, &self.belt, &mut self.pending);
            }
        }
        if self.is_away {
            self.pending.clear();
            return;
        }
        self.pending.sort_by_key(|signal| signal.at);
        let due = self.pending.partition_point(|signal| signal.at.0 <= now);
        for signal in self.pending.drain(..due) {
            self.watcher.apply(&signal, &mut self.observed);
        }
        self.watcher.tick(MonotonicMicros(now), &mut self.observed);
        self.observed.drain(..).for_each(|observed| told(Told::Record(observed)));
    }
}

fn watcher(sources: &[Box<dyn Source>], now: Micros) -> SignalWatcher {
    let specs: Vec<SourceSpec> = sources.iter().map(|source| source.spec()).collect();
    SignalWatcher::new(specs, WatcherSettings::default(), MonotonicMicros(now))
}
