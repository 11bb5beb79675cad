//! Plays lives in rounds: each round has lives about every rule by every kind of source. A life depends on the seed and its
//! own number only, so that it can be played again alone.

use domain::incident::settings::Timeline;
use domain::incident::{Incident, Rule};
use domain::units::SECOND;
use fastrand::Rng;

use crate::delivery::Delivery;
use crate::episodes::{Life, life};
use crate::player::Sight;
use crate::score::{Act, Micros};
use crate::source::{capabilities, sources};
use crate::stage::{Told, play};
use crate::tally::{Losses, Tally};

/// Part of the lives that lose some readings.
const LOSING: f64 = 0.1;
/// Lives of a round about a rule that has one episode a life at most.
const SINGLE_TIMES: u64 = 8;

/// What is to be played.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seed.
    pub seed: u64,
    /// Hours of machines at least.
    pub hours: u64,
    /// Delivered episodes of each rule by each source that can report it, at least.
    pub episodes: u64,
    /// Lives at once.
    pub threads: usize,
    /// Only lives about these rules; empty: all.
    pub only: Vec<Rule>,
}

/// Plays until the plan is fulfilled. `progress` is told the rounds and hours so far.
pub fn run(plan: &Plan, progress: &mut dyn FnMut(u64, f64)) -> Tally {
    let mut tally = Tally::default();
    let mut round = 0;
    while tally.total_us < plan.hours * 3_600 * SECOND || tally.fewest_episodes(&plan.only) < plan.episodes {
        let lives = lives(plan, round);
        let threads = plan.threads.max(1);
        std::thread::scope(|scope| {
            let part = |thread: usize| {
                let lives = &lives;
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    for number in lives.iter().skip(thread).step_by(threads) {
                        number.play(plan.seed, &mut tally);
                    }
                    tally
                })
            };
            let parts: Vec<_> = (0..threads).map(part).collect();
            for part in parts {
                tally.merge(part.join().expect("a life that panics ends the run"));
            }
        });
        round += 1;
        progress(round, tally.total_us as f64 / 3.6e9);
    }
    tally
}

/// A life by its number.
#[derive(Debug, Clone, Copy)]
struct Number {
    round: u64,
    rule: Rule,
    sight: Sight,
    again: u64,
}

fn lives(plan: &Plan, round: u64) -> Vec<Number> {
    let mut lives = Vec::new();
    for rule in Rule::ALL.into_iter().filter(|rule| plan.only.is_empty() || plan.only.contains(rule)) {
        for sight in Sight::ALL {
            lives.extend((0..times(rule)).map(|again| Number { round, rule, sight, again }));
        }
    }
    lives
}

/// Lives of a round about one rule: those with a single episode, or often none, come more often.
fn times(rule: Rule) -> u64 {
    let is_single = matches!(rule, Rule::EmergencyStopAsNormalStop | Rule::SafetyFunctionUntested);
    match (is_single, rule == Rule::MotionWhileOutOfService) {
        (true, _) => SINGLE_TIMES,
        (false, true) => 2,
        (false, false) => 1,
    }
}

impl Number {
    fn play(self, seed: u64, tally: &mut Tally) {
        let mix = [self.round, u64::from(self.rule.number()), self.sight as u64, self.again];
        let mixed = mix.iter().fold(seed ^ 0x9e37_79b9_7f4a_7c15, |all, part| {
            (all ^ part).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31)
        });
        let mut random = Rng::with_seed(mixed);
        let life = life(self.rule, self.sight, &mut random);
        let loses = times(self.rule) < SINGLE_TIMES && random.f64() < LOSING;
        let whose = format!("{} of round {}.{}", self.rule.name(), self.round, self.again);
        judge(&life, &whose, loses, &mut random, tally);
    }
}

/// Plays a life and holds what was found against its truth; gives the incidents.
pub fn judge(life: &Life, whose: &str, loses: bool, random: &mut Rng, tally: &mut Tally) -> Vec<Incident> {
    let mut sources = sources(life.sight, life.equipment, random);
    let capabilities = capabilities(&sources);
    let timeline = Timeline::always(life.settings.clone());
    let mut delivery = Delivery::new(timeline, life.begin, loses, Rng::with_seed(random.u64(..)));
    play(&life.score, &mut sources, &mut |told| match told {
        Told::Boot => delivery.boot(),
        Told::Record(observed) => delivery.take(observed),
    });
    delivery.finish();
    let incidents: Vec<Incident> = delivery.incidents.into_values().collect();
    let frames = sources.iter().flat_map(|source| source.lost()).copied().collect();
    let losses = Losses { readings: delivery.holes, frames };
    tally.take(life, (whose, lived(life)), capabilities, &incidents, &losses);
    incidents
}

/// How long the agent of a life was there.
fn lived(life: &Life) -> Micros {
    let mut away = 0;
    let mut since = None;
    for (at, act) in &life.score.acts {
        if *act == Act::Away(true) {
            since = Some(*at);
        } else if *act == Act::Away(false) {
            away += since.take().map_or(0, |since| at - since);
        }
    }
    life.score.end - away
}
