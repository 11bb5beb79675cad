//! What people do about incidents. Each incident has its own result; one that is refused holds no other up.

mod given;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use wire::api::v1;

use self::given::Given;
use super::ids::IdArgs;
use crate::client::Options;
use crate::command::now;
use crate::command::repeat::RepeatArgs;
use crate::failure::Failure;
use crate::words;

/// What `--normal-stop` writes down.
const NORMAL_STOP_NOTE: &str = "Spoke to the person, not hurt, deliberate.";

/// What all steps have in common.
#[derive(Debug, Args)]
pub(super) struct StepArgs {
    #[command(flatten)]
    ids: IdArgs,
    /// Something to write down with it, at most 2000 characters; `-` reads it from standard input
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    repeat: RepeatArgs,
}

#[derive(Debug, Args)]
pub(super) struct AssignArgs {
    #[command(flatten)]
    step: StepArgs,
    /// A user, `me`, or `nobody`
    #[arg(long, value_name = "USER")]
    to: String,
}

#[derive(Debug, Args)]
pub(super) struct NoteArgs {
    #[command(flatten)]
    ids: IdArgs,
    /// What to write down, 1 to 2000 characters; `-` reads it from standard input
    #[arg(value_name = "TEXT", required = true)]
    text: String,
    #[command(flatten)]
    repeat: RepeatArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShelveArgs {
    #[command(flatten)]
    step: StepArgs,
    #[command(flatten)]
    until: UntilArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct UntilArgs {
    /// For so long, such as 90m, 2h or 3d; at most 30 days
    #[arg(long = "for", value_name = "DURATION")]
    length: Option<String>,
    /// Until then: with offset, or in the site's zone, such as 2026-11-20T09:00
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CloseArgs {
    #[command(flatten)]
    step: StepArgs,
    /// Why it happened; needed for high and critical ones
    #[arg(long, value_enum)]
    cause: Option<Cause>,
    /// Whether anybody was hurt; needed for high and critical ones
    #[arg(long, value_enum)]
    hurt: Option<Hurt>,
    /// In one go: a deliberate stop, nobody hurt, spoke to the person. Only of stops after which the belt came to rest
    /// as it should
    #[arg(long, conflicts_with_all = ["cause", "hurt", "note"])]
    normal_stop: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Cause {
    /// Somebody stopped the belt on purpose
    #[value(alias = "deliberate_stop")]
    DeliberateStop,
    /// Somebody did not feel well
    Discomfort,
    /// The machine was used in a way that it is not for
    Misuse,
    /// The machine is at fault
    #[value(alias = "machine_fault")]
    MachineFault,
    /// What observes the machine is at fault
    #[value(alias = "sensor_fault")]
    SensorFault,
    /// It was a test
    Drill,
    /// Nobody knows
    Unknown,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Hurt {
    /// Nobody was
    No,
    /// Nobody knows
    Unknown,
    /// Somebody was
    Yes,
}

/// What to do about incidents.
enum Step {
    Acknowledge,
    /// Empty: nobody any more.
    Assign(String),
    Note,
    /// `None`: taken up again.
    Shelve(Option<prost_types::Timestamp>),
    Close(v1::Cause, v1::Hurt),
    Hold(bool),
}

pub(super) async fn acknowledge(args: StepArgs, options: &Options) -> Result<(), Failure> {
    run(args, Step::Acknowledge, options).await
}

pub(super) async fn assign(args: AssignArgs, options: &Options) -> Result<(), Failure> {
    let user = if args.to == "nobody" { String::new() } else { args.to };
    run(args.step, Step::Assign(user), options).await
}

pub(super) async fn note(args: NoteArgs, options: &Options) -> Result<(), Failure> {
    let step = StepArgs { ids: args.ids, note: args.text, repeat: args.repeat };
    run(step, Step::Note, options).await
}

pub(super) async fn shelve(args: ShelveArgs, options: &Options) -> Result<(), Failure> {
    let ShelveArgs { step, until } = args;
    let mut given = Given::read(step, options).await?;
    let until = match (until.length, until.until) {
        (Some(length), _) => words::after("--for", &length, now())?,
        (None, until) => {
            let until = until.expect("the command line asks for one of the two");
            let read = words::moment("--until", &until, &TimeZone::UTC)?;
            // Only a time without an offset needs to know where the incidents are.
            let has_offset = until.parse::<jiff::Timestamp>().is_ok();
            if has_offset { read } else { words::moment("--until", &until, &given.zone().await?)? }
        }
    };
    given.take(Step::Shelve(Some(words::timestamp(until))), options).await
}

pub(super) async fn unshelve(args: StepArgs, options: &Options) -> Result<(), Failure> {
    run(args, Step::Shelve(None), options).await
}

pub(super) async fn close(args: CloseArgs, options: &Options) -> Result<(), Failure> {
    let CloseArgs { step, cause, hurt, normal_stop } = args;
    if !normal_stop {
        let cause = cause.map_or(v1::Cause::Unspecified, Cause::value);
        let hurt = hurt.map_or(v1::Hurt::Unspecified, Hurt::value);
        return run(step, Step::Close(cause, hurt), options).await;
    }
    let mut given = Given::read(StepArgs { note: NORMAL_STOP_NOTE.to_owned(), ..step }, options).await?;
    given.keep_normal_stops().await?;
    given.take(Step::Close(v1::Cause::DeliberateStop, v1::Hurt::No), options).await
}

pub(super) async fn hold(args: StepArgs, on: bool, options: &Options) -> Result<(), Failure> {
    run(args, Step::Hold(on), options).await
}

async fn run(args: StepArgs, step: Step, options: &Options) -> Result<(), Failure> {
    Given::read(args, options).await?.take(step, options).await
}

impl Cause {
    fn value(self) -> v1::Cause {
        match self {
            Cause::DeliberateStop => v1::Cause::DeliberateStop,
            Cause::Discomfort => v1::Cause::Discomfort,
            Cause::Misuse => v1::Cause::Misuse,
            Cause::MachineFault => v1::Cause::MachineFault,
            Cause::SensorFault => v1::Cause::SensorFault,
            Cause::Drill => v1::Cause::Drill,
            Cause::Unknown => v1::Cause::Unknown,
        }
    }
}

impl Hurt {
    fn value(self) -> v1::Hurt {
        match self {
            Hurt::No => v1::Hurt::No,
            Hurt::Unknown => v1::Hurt::Unknown,
            Hurt::Yes => v1::Hurt::Yes,
        }
    }
}

#[cfg(test)]
mod tests;
