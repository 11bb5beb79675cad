//! `beltwatch site`: the gyms.

mod hours;

use clap::{Args as ClapArgs, Subcommand};
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::{enrolment, pages, print, request_id};
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Value};
use crate::words;

/// Registers and lists sites
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Registers a site
    Add {
        /// Its id: a-z, 0-9 and hyphen, at most 64
        id: String,
        /// Name for people; the id if not given
        #[arg(long, default_value = "")]
        name: String,
        /// Time zone by its IANA name, such as Europe/Vienna
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        time_zone: String,
    },
    /// Changes what is told of a site
    Edit {
        /// Its id
        id: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Says when staff are at a site, when it is open, and on which day its weeks begin
    Hours(hours::Hours),
    /// Makes a code with which agents come to this site; staff approve each
    EnrolCode {
        /// Its id
        id: String,
        /// How many days it is good, 1 to 30
        #[arg(long, value_name = "DAYS", default_value_t = 7)]
        days: u32,
        /// How many agents may come with it, 1 to 200
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        machines: u32,
    },
    /// Lists sites
    List,
}

#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Name for people
    #[arg(long)]
    name: Option<String>,
    /// Time zone by its IANA name
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

const COLUMNS: &[Column<v1::Site>] = &[
    Column { name: "id", title: "site", value: |site| Value::Text(site.id.clone()) },
    Column { name: "display_name", title: "name", value: |site| Value::Text(site.display_name.clone()) },
    Column { name: "time_zone", title: "time zone", value: |site| Value::Text(site.time_zone.clone()) },
    Column {
        name: "staffed",
        title: "staffed",
        value: |site| Value::Text(hours::shown(&site.staffed_spans)),
    },
    Column { name: "open", title: "open", value: |site| Value::Text(hours::shown(&site.open_spans)) },
    Column {
        name: "first_weekday",
        title: "weeks begin",
        value: |site| Value::Text(hours::day_name(site.first_weekday).to_owned()),
    },
    Column {
        name: "create_time",
        title: "registered",
        value: |site| Value::Time(words::time(site.create_time), words::zone(&site.time_zone)),
    },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let sites = match args.action {
        Action::Add { id, name, time_zone } => {
            let request = v1::CreateSiteRequest {
                site_id: id,
                display_name: name,
                time_zone,
                request_id: request_id()?,
            };
            client.admin.create_site(request).await?.into_inner().site.into_iter().collect()
        }
        Action::Edit { id, changes: Changes { name, time_zone } } => {
            let given = [("display_name", name.is_some()), ("time_zone", time_zone.is_some())];
            let paths =
                given.into_iter().filter(|(_, given)| *given).map(|(field, _)| field.to_owned()).collect();
            let site = v1::Site {
                id,
                display_name: name.unwrap_or_default(),
                time_zone: time_zone.unwrap_or_default(),
                create_time: None,
                ..v1::Site::default()
            };
            let update_mask = Some(prost_types::FieldMask { paths });
            let request = v1::UpdateSiteRequest { site: Some(site), update_mask };
            client.admin.update_site(request).await?.into_inner().site.into_iter().collect()
        }
        Action::Hours(args) => args.set(&mut client).await?.into_iter().collect(),
        Action::EnrolCode { id, days, machines } => {
            if machines == 0 {
                return Err(Failure::new(Exit::Usage, "--machines is 0; 1 to 200 are allowed"));
            }
            let seconds = i64::from(days) * 24 * 3_600;
            let request = v1::CreateEnrolmentCodeRequest {
                site_id: id,
                life: Some(prost_types::Duration { seconds, nanos: 0 }),
                machines_max: machines,
                ..Default::default()
            };
            return enrolment::make(&mut client, request, options).await;
        }
        Action::List => pages::sites(&mut client).await?,
    };
    print(&Listing { name: "sites", columns: COLUMNS, rows: &sites, notes: Vec::new() }, options)
}
