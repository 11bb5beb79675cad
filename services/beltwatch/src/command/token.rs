//! `beltwatch token`: tokens for programs.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::grants::{self, GrantArgs};
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Format, Listing, Value};
use crate::words;

const PAGE: i32 = 1_000;

/// Makes, lists and revokes tokens for programs
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a token; it is shown this once
    Create {
        /// What it is for
        name: String,
        #[command(flatten)]
        grants: GrantArgs,
        /// From when on it is no longer good, such as 2027-01-31T00:00Z; in a year if not given
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Lists tokens
    List,
    /// Ends a token
    Revoke {
        /// Its id, as `beltwatch token list` shows it
        id: String,
    },
}

/// A token, and its secret if it was just made.
struct Shown {
    secret: String,
    token: v1::Token,
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "id", title: "token", value: |shown| Value::Text(shown.token.id.clone()) },
    Column { name: "secret", title: "", value: |shown| Value::Text(shown.secret.clone()) },
    Column {
        name: "display_name",
        title: "for",
        value: |shown| Value::Text(shown.token.display_name.clone()),
    },
    Column { name: "may", title: "may", value: |shown| Value::Text(grants::words(&shown.token.grants)) },
    Column {
        name: "created_by",
        title: "made by",
        value: |shown| Value::Text(shown.token.created_by.clone()),
    },
    Column { name: "create_time", title: "made", value: |shown| time(shown.token.create_time) },
    Column { name: "expire_time", title: "until", value: |shown| time(shown.token.expire_time) },
    Column { name: "revoke_time", title: "revoked", value: |shown| time(shown.token.revoke_time) },
];

/// Tokens belong to no site: their times are shown in UTC.
fn time(time: Option<prost_types::Timestamp>) -> Value {
    Value::Time(words::time(time), TimeZone::UTC)
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let tokens = match args.action {
        Action::Create { name, grants, expires } => {
            let expire_time = expires.as_deref().map(words::expiry).transpose()?;
            let request = v1::CreateTokenRequest { display_name: name, grants: grants.grants(), expire_time };
            let made = client.admin.create_token(request).await?.into_inner();
            if options.format() == Format::Table {
                return tell(&made.secret);
            }
            made.token.into_iter().map(|token| Shown { secret: made.secret.clone(), token }).collect()
        }
        Action::List => list(&mut client).await?,
        Action::Revoke { id } => {
            let request = v1::RevokeTokenRequest { token_id: id };
            let token = client.admin.revoke_token(request).await?.into_inner().token;
            token.into_iter().map(known).collect()
        }
    };
    print(&Listing { name: "tokens", columns: COLUMNS, rows: &tokens, notes: Vec::new() }, options)
}

/// The bare token, for `TOKEN=$(beltwatch token create …)`.
fn tell(secret: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{secret}")?;
    writeln!(
        io::stderr(),
        "keep it now: it is not shown again. Programs send `authorization: Bearer TOKEN`"
    )?;
    Ok(())
}

fn known(token: v1::Token) -> Shown {
    Shown { secret: String::new(), token }
}

async fn list(client: &mut Client) -> Result<Vec<Shown>, Failure> {
    let (mut tokens, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListTokensRequest { page_size: PAGE, page_token };
        let page = client.admin.list_tokens(request).await?.into_inner();
        tokens.extend(page.tokens.into_iter().map(known));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(tokens);
        }
    }
}
