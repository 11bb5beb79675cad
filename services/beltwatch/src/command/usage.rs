//! `beltwatch usage`: what belts did, added up.

pub(super) mod asked;
mod row;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use wire::api::v1;

use self::asked::AskedArgs;
use self::row::{as_of_notes, by_direction};
use crate::client::{Client, Options};
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value};
use crate::words;

/// Adds up what belts did: forward, in reverse and unknown apart, each with its coverage
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Adds it all up, by site, model or machine
    Total {
        #[command(flatten)]
        asked: AskedArgs,
        /// By what it is told apart
        #[arg(long, value_enum, default_value_t = By::Machine)]
        by: By,
        /// In what order
        #[arg(long, value_enum, default_value_t = Order::Name)]
        order: Order,
        /// At most this many
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// Hour by hour, or by day, week or month of the gym's own clock
    Series {
        #[command(flatten)]
        asked: AskedArgs,
        /// Length of a period
        #[arg(long, value_enum, default_value_t = Every::Day)]
        every: Every,
        /// By what it is told apart
        #[arg(long, value_enum)]
        by: Option<By>,
    },
    /// By weekday and hour of the day
    HeatMap {
        #[command(flatten)]
        asked: AskedArgs,
    },
    /// Use against opening hours, and the most machines in use at once
    Utilisation {
        #[command(flatten)]
        asked: AskedArgs,
    },
    /// How belts ran in reverse, by all users of these machines
    Reverse {
        #[command(flatten)]
        asked: AskedArgs,
        /// Mass of the person whose energy is estimated, in kilograms
        #[arg(long, value_name = "KILOGRAMS", default_value_t = 70)]
        #[arg(value_parser = clap::value_parser!(u32).range(30..=250))]
        mass: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    Site,
    Model,
    Machine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    Name,
    Motion,
    Reverse,
    Distance,
    LeastMotion,
}

/// Length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Every {
    Hour,
    Day,
    Week,
    Month,
}

impl Every {
    /// As the API names it.
    pub(super) fn resolution(self) -> v1::Resolution {
        match self {
            Every::Hour => v1::Resolution::Hour,
            Every::Day => v1::Resolution::Day,
            Every::Week => v1::Resolution::Week,
            Every::Month => v1::Resolution::Month,
        }
    }
}

impl By {
    fn group(self) -> v1::GroupBy {
        match self {
            By::Site => v1::GroupBy::Site,
            By::Model => v1::GroupBy::Model,
            By::Machine => v1::GroupBy::Machine,
        }
    }
}

impl Order {
    fn order(self) -> v1::UsageOrder {
        match self {
            Order::Name => v1::UsageOrder::Unspecified,
            Order::Motion => v1::UsageOrder::Motion,
            Order::Reverse => v1::UsageOrder::Reverse,
            Order::Distance => v1::UsageOrder::Distance,
            Order::LeastMotion => v1::UsageOrder::LeastMotion,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::Total { asked, by, order, limit } => {
            total(&mut client, &asked, (by, order, limit), options).await
        }
        Action::Series { asked, every, by } => series(&mut client, &asked, every, by, options).await,
        Action::HeatMap { asked } => heat_map(&mut client, &asked, options).await,
        Action::Utilisation { asked } => utilisation(&mut client, &asked, options).await,
        Action::Reverse { asked, mass } => reverse(&mut client, &asked, mass, options).await,
    }
}

async fn total(
    client: &mut Client,
    asked: &AskedArgs,
    (by, order, limit): (By, Order, u32),
    options: &Options,
) -> Result<(), Failure> {
    let request = v1::GetUsageRequest {
        scope: Some(asked.scope()),
        range: Some(asked.range()?),
        group_by: by.group().into(),
        order: order.order().into(),
        page_size: i32::try_from(limit).expect("at most 1 000"),
    };
    let answer = client.usage.get_usage(request).await?.into_inner();
    let shown = answer.groups.len();
    let row =
        |key: String, usage: Option<v1::Usage>| row::Shown { key, date: String::new(), is_cut: false, usage };
    let mut rows: Vec<row::Shown> =
        answer.groups.into_iter().map(|group| row(group.key, group.usage)).collect();
    rows.push(row("in all".to_owned(), answer.total));
    let mut notes = as_of_notes(answer.as_of.as_ref());
    notes.push(Note { name: "more", value: Value::Flag((shown as u64) < u64::from(answer.groups_total)) });
    print(&Listing { name: "usage", columns: row::BY_GROUP, rows: &rows, notes }, options)
}

async fn series(
    client: &mut Client,
    asked: &AskedArgs,
    every: Every,
    by: Option<By>,
    options: &Options,
) -> Result<(), Failure> {
    let request = v1::ListUsageRequest {
        scope: Some(asked.scope()),
        range: Some(asked.range()?),
        resolution: every.resolution().into(),
        group_by: by.map_or(v1::GroupBy::Unspecified, By::group).into(),
    };
    let answer = client.usage.list_usage(request).await?.into_inner();
    let mut rows = Vec::new();
    for series in answer.series {
        for period in series.periods {
            let hour = period.hour.map(|hour| format!(" {hour:02}:00")).unwrap_or_default();
            let date = format!("{}{hour}", period.date);
            rows.push(row::Shown {
                key: series.key.clone(),
                date,
                is_cut: period.is_partial,
                usage: period.usage,
            });
        }
    }
    let notes = as_of_notes(answer.as_of.as_ref());
    print(&Listing { name: "usage", columns: row::BY_PERIOD, rows: &rows, notes }, options)
}

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const CELLS: &[Column<v1::HeatCell>] = &[
    Column {
        name: "weekday",
        title: "weekday",
        value: |row| Value::Text(WEEKDAYS.get(row.weekday as usize).unwrap_or(&"").to_string()),
    },
    Column { name: "hour", title: "hour", value: |row| Value::Count(u64::from(row.hour)) },
    Column { name: "forward_min", title: "forward min", value: |row| row::minutes(row.forward) },
    Column { name: "reverse_min", title: "reverse min", value: |row| row::minutes(row.reverse) },
    Column { name: "unknown_min", title: "unknown min", value: |row| row::minutes(row.unknown) },
    Column { name: "covered_min", title: "covered min", value: |row| row::minutes(row.covered) },
    Column { name: "asked_min", title: "of min", value: |row| row::minutes(row.asked) },
];

async fn heat_map(client: &mut Client, asked: &AskedArgs, options: &Options) -> Result<(), Failure> {
    let request = v1::GetHeatMapRequest { scope: Some(asked.scope()), range: Some(asked.range()?) };
    let answer = client.usage.get_heat_map(request).await?.into_inner();
    let notes = as_of_notes(answer.as_of.as_ref());
    print(&Listing { name: "cells", columns: CELLS, rows: &answer.cells, notes }, options)
}

const SITES: &[Column<v1::SiteUtilisation>] = &[
    Column { name: "site_id", title: "site", value: |row| Value::Text(row.site_id.clone()) },
    Column { name: "machines", title: "machines", value: |row| Value::Count(u64::from(row.machines)) },
    Column {
        name: "has_opening_hours",
        title: "opening hours set",
        value: |row| Value::Flag(row.has_opening_hours),
    },
    Column {
        name: "in_use_percent",
        title: "in use %",
        value: |row| row::percent(row.in_motion, row.available),
    },
    Column { name: "in_motion_min", title: "in motion min", value: |row| row::minutes(row.in_motion) },
    Column { name: "available_min", title: "of min", value: |row| row::minutes(row.available) },
    Column {
        name: "covered_percent",
        title: "covered %",
        value: |row| row::percent(row.covered, row.available),
    },
    Column {
        name: "in_motion_closed_min",
        title: "while closed min",
        value: |row| row::minutes(row.in_motion_closed),
    },
    Column {
        name: "out_of_service_min",
        title: "out of service min",
        value: |row| row::minutes(row.out_of_service),
    },
    Column {
        name: "reverse_unstaffed_min",
        title: "reverse unstaffed min",
        value: |row| row::minutes(row.reverse_unstaffed),
    },
    Column {
        name: "peak_machines",
        title: "most at once",
        value: |row| Value::Count(u64::from(row.peak_machines)),
    },
    Column {
        name: "peak_time",
        title: "first at (UTC)",
        value: |row| Value::Time(words::time(row.peak_time), TimeZone::UTC),
    },
];

async fn utilisation(client: &mut Client, asked: &AskedArgs, options: &Options) -> Result<(), Failure> {
    let request = v1::GetUtilisationRequest { scope: Some(asked.scope()), range: Some(asked.range()?) };
    let answer = client.usage.get_utilisation(request).await?.into_inner();
    let notes = as_of_notes(answer.as_of.as_ref());
    print(&Listing { name: "sites", columns: SITES, rows: &answer.sites, notes }, options)
}

async fn reverse(
    client: &mut Client,
    asked: &AskedArgs,
    mass_kg: u32,
    options: &Options,
) -> Result<(), Failure> {
    let request =
        v1::GetReverseUseRequest { scope: Some(asked.scope()), range: Some(asked.range()?), mass_kg };
    let answer = client.usage.get_reverse_use(request).await?.into_inner();
    let rows = row::reverse(&answer);
    let mut notes = as_of_notes(answer.as_of.as_ref());
    notes.extend(by_direction(answer.usage.as_ref()));
    print(&Listing { name: "reverse_use", columns: row::FIGURES, rows: &rows, notes }, options)
}
