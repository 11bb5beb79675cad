//! `beltwatch token`: tokens with which programs read.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Format, Listing, Value};

/// Makes tokens for programs that read
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
        /// A site that it may see, any number of times; all if not given
        #[arg(long = "site", value_name = "SITE")]
        sites: Vec<String>,
    },
}

const COLUMNS: &[Column<String>] =
    &[Column { name: "token", title: "token", value: |token| Value::Text(token.clone()) }];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let Action::Create { name, sites } = args.action;
    let mut client = Client::connect(options).await?;
    let request = v1::CreateTokenRequest { display_name: name, site_ids: sites };
    let token = client.admin.create_token(request).await?.into_inner().token;
    if options.format() == Format::Table {
        // The bare token, for `TOKEN=$(beltwatch token create …)`.
        writeln!(io::stdout(), "{token}")?;
        writeln!(
            io::stderr(),
            "keep it now: it is not shown again. Programs send `authorization: Bearer TOKEN`"
        )?;
        return Ok(());
    }
    print(&Listing { name: "tokens", columns: COLUMNS, rows: &[token], notes: Vec::new() }, options)
}
