//! `beltwatch user`: people who sign in.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::grants::{self, GrantArgs};
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Listing, Value};
use crate::words;

const PAGE: i32 = 1_000;

/// Makes, lists and changes the people who sign in
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a user, and a link with which they set their password
    Add {
        /// Name to sign in with: a-z, 0-9, `.`, `_` and `-`, at most 64
        name: String,
        /// Name for people; the name if not given
        #[arg(long = "name", value_name = "NAME", default_value = "")]
        display_name: String,
        #[command(flatten)]
        grants: GrantArgs,
        /// From when on they may no longer sign in, such as 2027-01-31T00:00Z
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Lists users
    List,
    /// Sets what a user may do, in the place of what they might do before
    Grant {
        /// The user's name
        name: String,
        #[command(flatten)]
        grants: GrantArgs,
    },
    /// Stops a user from signing in, and ends their sessions
    Disable {
        /// The user's name
        name: String,
    },
    /// Lets a user sign in again
    Enable {
        /// The user's name
        name: String,
    },
    /// Makes a new link with which a user sets a new password
    Link {
        /// The user's name
        name: String,
    },
}

const COLUMNS: &[Column<v1::User>] = &[
    Column { name: "name", title: "user", value: |user| Value::Text(user.name.clone()) },
    Column { name: "display_name", title: "name", value: |user| Value::Text(user.display_name.clone()) },
    Column { name: "may", title: "may", value: |user| Value::Text(grants::words(&user.grants)) },
    Column { name: "state", title: "state", value: |user| Value::Text(state(user).to_owned()) },
    Column { name: "expire_time", title: "until", value: |user| time(user.expire_time) },
    Column { name: "last_sign_in_time", title: "last signed in", value: |user| time(user.last_sign_in_time) },
    Column { name: "create_time", title: "made", value: |user| time(user.create_time) },
];

fn state(user: &v1::User) -> &'static str {
    match (user.disabled, user.has_password) {
        (true, _) => "disabled",
        (false, true) => "active",
        (false, false) => "no password yet",
    }
}

/// Users belong to no site: their times are shown in UTC.
fn time(time: Option<prost_types::Timestamp>) -> Value {
    Value::Time(words::time(time), TimeZone::UTC)
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let users = match args.action {
        Action::Add { name, display_name, grants, expires } => {
            let expire_time = expires.as_deref().map(words::expiry).transpose()?;
            let request = v1::CreateUserRequest { name, display_name, grants: grants.grants(), expire_time };
            let made = client.admin.create_user(request).await?.into_inner();
            tell_link(options, &made.link_path)?;
            made.user.into_iter().collect()
        }
        Action::List => list(&mut client).await?,
        Action::Grant { name, grants } => {
            let user = v1::User { name, grants: grants.grants(), ..Default::default() };
            update(&mut client, user, "grants").await?
        }
        Action::Disable { name } => {
            let user = v1::User { name, disabled: true, ..Default::default() };
            update(&mut client, user, "disabled").await?
        }
        Action::Enable { name } => {
            let user = v1::User { name, disabled: false, ..Default::default() };
            update(&mut client, user, "disabled").await?
        }
        Action::Link { name } => {
            let request = v1::CreatePasswordLinkRequest { user_name: name };
            let made = client.admin.create_password_link(request).await?.into_inner();
            return tell_link(options, &made.link_path);
        }
    };
    print(&Listing { name: "users", columns: COLUMNS, rows: &users, notes: Vec::new() }, options)
}

async fn list(client: &mut Client) -> Result<Vec<v1::User>, Failure> {
    let (mut users, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListUsersRequest { page_size: PAGE, page_token };
        let page = client.admin.list_users(request).await?.into_inner();
        users.extend(page.users);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(users);
        }
    }
}

async fn update(client: &mut Client, user: v1::User, field: &str) -> Result<Vec<v1::User>, Failure> {
    let update_mask = Some(prost_types::FieldMask { paths: vec![field.to_owned()] });
    let request = v1::UpdateUserRequest { user: Some(user), update_mask };
    Ok(client.admin.update_user(request).await?.into_inner().user.into_iter().collect())
}

/// A link is a secret, and no part of the listing.
fn tell_link(options: &Options, path: &str) -> Result<(), Failure> {
    let server = options.server.trim_end_matches('/');
    writeln!(
        io::stderr(),
        "give this link to the user; it sets their password, once, within 72 h:\n{server}{path}"
    )?;
    Ok(())
}
