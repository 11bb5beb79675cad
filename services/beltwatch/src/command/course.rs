//! `beltwatch course`: sessions of one person under an opaque code.

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::print;
use crate::command::repeat::{RepeatArgs, twice};
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value};
use crate::words;

/// Courses: sessions of one person under an opaque code, week by week against what was prescribed
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a course
    Add {
        /// Its code: 1 to 16 letters, digits and hyphens. Do not write names
        code: String,
        /// Its site
        #[arg(long, value_name = "SITE")]
        site: String,
        #[command(flatten)]
        prescribed: PrescribedArgs,
        #[command(flatten)]
        repeat: RepeatArgs,
    },
    /// Changes what is prescribed, or hands the course over
    Edit {
        /// Its number
        course: u64,
        #[command(flatten)]
        prescribed: PrescribedArgs,
        /// Whose it is from now on, such as user:anna
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        #[command(flatten)]
        repeat: RepeatArgs,
    },
    /// Ends a course; its sessions stay
    End {
        /// Its number
        course: u64,
        #[command(flatten)]
        repeat: RepeatArgs,
    },
    /// Lists courses, newest first
    List {
        /// Only of this site
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// Those that ended, too
        #[arg(long)]
        ended: bool,
    },
    /// Shows a course week by week
    Show {
        /// Its number
        course: u64,
    },
    /// Labels a session with a course, or takes its label away
    Label {
        /// The session
        session: String,
        /// The course's number; 0 takes the label away
        course: u64,
        #[command(flatten)]
        repeat: RepeatArgs,
    },
}

/// What somebody is to do.
#[derive(Debug, Clone, Default, ClapArgs)]
struct PrescribedArgs {
    /// Sessions a week, 1 to 14
    #[arg(long, value_name = "COUNT")]
    sessions_a_week: Option<u32>,
    /// Reverse belt time a session, in seconds, 30 to 7200
    #[arg(long, value_name = "SECONDS")]
    reverse_s: Option<u32>,
    /// Greatest speed, in km/h
    #[arg(long, value_name = "KMH")]
    speed: Option<f64>,
    /// Length of an interval, in seconds, 5 to 1800
    #[arg(long, value_name = "SECONDS")]
    interval_s: Option<u32>,
    /// For how many weeks, 1 to 52
    #[arg(long, value_name = "COUNT")]
    weeks: Option<u32>,
}

impl PrescribedArgs {
    /// As the API takes it; `None`: nothing was given.
    fn prescription(&self) -> Option<v1::Prescription> {
        let prescription = v1::Prescription {
            sessions_a_week: self.sessions_a_week,
            reverse_s: self.reverse_s,
            speed_max_mps: self.speed.map(|kmh| kmh / 3.6),
            interval_s: self.interval_s,
            weeks: self.weeks,
        };
        (prescription != v1::Prescription::default()).then_some(prescription)
    }
}

const COLUMNS: &[Column<v1::Course>] = &[
    Column { name: "id", title: "course", value: |row| Value::Count(row.id) },
    Column { name: "site_id", title: "site", value: |row| Value::Text(row.site_id.clone()) },
    Column { name: "code", title: "code", value: |row| Value::Text(row.code.clone()) },
    Column { name: "owner", title: "owner", value: |row| Value::Text(row.owner.clone()) },
    Column {
        name: "create_time",
        title: "since (UTC)",
        value: |row| Value::Time(words::time(row.create_time), TimeZone::UTC),
    },
    Column {
        name: "end_time",
        title: "ended (UTC)",
        value: |row| Value::Time(words::time(row.end_time), TimeZone::UTC),
    },
    Column {
        name: "sessions_a_week",
        title: "sessions a week",
        value: |row| prescribed(row, |prescription| prescription.sessions_a_week),
    },
    Column {
        name: "reverse_s",
        title: "reverse s",
        value: |row| prescribed(row, |prescription| prescription.reverse_s),
    },
    Column {
        name: "speed_max_mps",
        title: "most km/h",
        value: |row| Value::Speed(row.prescription.as_ref().and_then(|given| given.speed_max_mps)),
    },
    Column {
        name: "interval_s",
        title: "interval s",
        value: |row| prescribed(row, |prescription| prescription.interval_s),
    },
];

fn prescribed(row: &v1::Course, part: fn(&v1::Prescription) -> Option<u32>) -> Value {
    Value::OptionalCount(row.prescription.as_ref().and_then(part).map(u64::from))
}

const WEEKS: &[Column<v1::CourseWeek>] = &[
    Column { name: "date", title: "week of", value: |row| Value::Text(row.date.clone()) },
    Column { name: "sessions", title: "sessions", value: |row| Value::Count(u64::from(row.sessions)) },
    Column { name: "reverse_s", title: "reverse s", value: |row| length(row.reverse) },
    Column { name: "unknown_s", title: "unknown s", value: |row| length(row.unknown) },
    Column { name: "speed_mean_mps", title: "mean km/h", value: |row| Value::Speed(row.speed_mean_mps) },
    Column { name: "speed_max_mps", title: "most km/h", value: |row| Value::Speed(row.speed_max_mps) },
    Column { name: "intervals", title: "intervals", value: |row| Value::Count(u64::from(row.intervals)) },
    Column { name: "longest_interval_s", title: "longest s", value: |row| length(row.longest_interval) },
    Column { name: "level_s", title: "level s", value: |row| length(row.level) },
    Column { name: "uphill_s", title: "uphill s", value: |row| length(row.uphill) },
    Column { name: "downhill_s", title: "downhill s", value: |row| length(row.downhill) },
    Column {
        name: "days_between_max",
        title: "most days between",
        value: |row| Value::OptionalCount(row.days_between_max.map(u64::from)),
    },
    Column { name: "kept", title: "prescribed", value: |row| Value::Text(kept(&row.compared)) },
    Column { name: "incidents", title: "incidents", value: |row| Value::Count(u64::from(row.incidents)) },
    Column {
        name: "coverage_percent",
        title: "covered %",
        value: |row| Value::Number(row.coverage.map(|share| share * 100.0), 0),
    },
];

fn length(length: Option<prost_types::Duration>) -> Value {
    Value::Number(words::seconds(length), 0)
}

/// What was prescribed, and whether it was kept, in words.
fn kept(compared: &[v1::Compared]) -> String {
    let word = |one: &v1::Compared| {
        let kept = match one.kept {
            Some(true) => "kept",
            Some(false) => "not kept",
            None => "cannot be told",
        };
        format!("{} {kept}", one.field)
    };
    compared.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::Add { code, site, prescribed, repeat } => {
            let request = v1::CreateCourseRequest {
                site_id: site,
                code,
                prescription: prescribed.prescription(),
                request_id: repeat.id()?,
            };
            let ask = async || client.courses.create_course(request.clone()).await;
            one(twice(&request.request_id, ask).await?.course, options)
        }
        Action::Edit { course, prescribed, owner, repeat } => {
            let request = v1::UpdateCourseRequest {
                course_id: course,
                prescription: prescribed.prescription(),
                owner: owner.unwrap_or_default(),
                request_id: repeat.id()?,
            };
            let ask = async || client.courses.update_course(request.clone()).await;
            one(twice(&request.request_id, ask).await?.course, options)
        }
        Action::End { course, repeat } => {
            let request = v1::EndCourseRequest { course_id: course, request_id: repeat.id()? };
            let ask = async || client.courses.end_course(request.clone()).await;
            one(twice(&request.request_id, ask).await?.course, options)
        }
        Action::List { site, ended } => list(&mut client, site.unwrap_or_default(), ended, options).await,
        Action::Show { course } => show(&mut client, course, options).await,
        Action::Label { session, course, repeat } => {
            let request =
                v1::LabelSessionRequest { session_id: session, course_id: course, request_id: repeat.id()? };
            let ask = async || client.courses.label_session(request.clone()).await;
            twice(&request.request_id, ask).await?;
            Ok(())
        }
    }
}

fn one(course: Option<v1::Course>, options: &Options) -> Result<(), Failure> {
    let rows: Vec<v1::Course> = course.into_iter().collect();
    print(&Listing { name: "courses", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
}

async fn list(client: &mut Client, site_id: String, ended: bool, options: &Options) -> Result<(), Failure> {
    let mut request =
        v1::ListCoursesRequest { site_id, with_ended: ended, page_size: 1_000, page_token: String::new() };
    let mut rows = Vec::new();
    loop {
        let page = client.courses.list_courses(request.clone()).await?.into_inner();
        rows.extend(page.courses);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return print(
                &Listing { name: "courses", columns: COLUMNS, rows: &rows, notes: Vec::new() },
                options,
            );
        }
    }
}

async fn show(client: &mut Client, course: u64, options: &Options) -> Result<(), Failure> {
    let answer = client.courses.get_course(v1::GetCourseRequest { course_id: course }).await?.into_inner();
    let course = answer.course.unwrap_or_default();
    let mut notes: Vec<Note> =
        COLUMNS.iter().map(|column| Note { name: column.name, value: (column.value)(&course) }).collect();
    notes.push(Note { name: "sessions_total", value: Value::Count(u64::from(answer.sessions_total)) });
    notes.push(Note { name: "as_of", value: Value::Time(words::time(answer.as_of), TimeZone::UTC) });
    print(&Listing { name: "weeks", columns: WEEKS, rows: &answer.weeks, notes }, options)
}
