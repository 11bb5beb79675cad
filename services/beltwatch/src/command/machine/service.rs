//! Out of service, commissioning, and being serviced.

use std::io::{self, Write};

use clap::Args as ClapArgs;
use jiff::tz::TimeZone;
use wire::api::v1;

use super::show;
use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::repeat::{RepeatArgs, twice};
use crate::command::request_id;
use crate::failure::Failure;
use crate::table::{Value, people_text};
use crate::words;

/// Metres per second in one km/h.
const MPS_PER_KMH: f64 = 1.0 / 3.6;

#[derive(Debug, ClapArgs)]
pub(super) struct OutOfService {
    /// Its id
    id: String,
    /// Why, 1 to 200 characters
    #[arg(long, value_name = "TEXT", required_unless_present = "back", conflicts_with = "back")]
    reason: Option<String>,
    /// It is back in service
    #[arg(long)]
    back: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Commission {
    /// Its id
    id: String,
    /// A forward and a reverse run have proven which sign of the direction signal is forward
    #[arg(long)]
    direction_proven: bool,
    /// A stop of the moving belt that was measured: by emergency_stop or safety_key, from so many km/h, in so many
    /// seconds, such as emergency_stop:3.2:2.5; at most 8
    #[arg(long = "stop", value_name = "CONTACT:KMH:SECONDS", value_parser = stop)]
    stops: Vec<v1::CommissionedStop>,
    /// The machine falls silent instead of telling a standstill
    #[arg(long)]
    silent_on_stop: bool,
    /// The incline that it tells is where the deck shall go, not where it is
    #[arg(long)]
    incline_is_target: bool,
    /// Who did it and how
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Maintained {
    /// Its id
    id: String,
    /// When: with offset, or in the site's zone, such as 2026-11-20T09:00; now if not given. What was said before is
    /// replaced
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What was done, at most 200 characters
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    repeat: RepeatArgs,
}

fn stop(text: &str) -> Result<v1::CommissionedStop, String> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let read = || {
        let mut parts = text.split(':');
        let (contact, kmh, seconds) = (parts.next()?, number(parts.next()?)?, number(parts.next()?)?);
        let time = std::time::Duration::try_from_secs_f64(seconds).ok()?;
        let time = prost_types::Duration::try_from(time).ok()?;
        let stop = v1::CommissionedStop {
            contact: contact.to_owned(),
            speed_mps: kmh * MPS_PER_KMH,
            time: Some(time),
        };
        parts.next().is_none().then_some(stop)
    };
    read().ok_or_else(|| "such as emergency_stop:3.2:2.5 is allowed".to_owned())
}

pub(super) async fn out_of_service(args: OutOfService, options: &Options) -> Result<(), Failure> {
    let request = v1::SetOutOfServiceRequest {
        machine_id: args.id,
        reason: args.reason.unwrap_or_default(),
        request_id: request_id()?,
    };
    let mut client = Client::connect(options).await?;
    let machine = client.admin.set_out_of_service(request).await?.into_inner().machine;
    show(&mut client, machine, options).await
}

pub(super) async fn commission(args: Commission, options: &Options) -> Result<(), Failure> {
    let Commission { id, direction_proven, stops, silent_on_stop, incline_is_target, note } = args;
    let request = v1::RecordCommissioningRequest {
        machine_id: id,
        direction_proven,
        stops,
        silent_on_stop,
        incline_is_target,
        note,
        request_id: request_id()?,
    };
    let mut client = Client::connect(options).await?;
    let machine = client.admin.record_commissioning(request).await?.into_inner().machine;
    show(&mut client, machine, options).await
}

pub(super) async fn maintained(args: Maintained, options: &Options) -> Result<(), Failure> {
    let Maintained { id, at, note, repeat } = args;
    // A time that cannot be read needs no server to be refused.
    at.as_deref().map(|at| words::moment("--at", at, &TimeZone::UTC)).transpose()?;
    let mut client = Client::connect(options).await?;
    let zone = Zones::of_machine(&mut client, &id).await?;
    let time = at.map(|at| words::moment("--at", &at, &zone)).transpose()?.map(words::timestamp);
    let request_id = repeat.id()?;
    let request =
        v1::RecordMaintenanceRequest { machine_id: id.clone(), time, note, request_id: request_id.clone() };
    let answer = twice(&request_id, async || client.admin.record_maintenance(request.clone()).await).await?;
    show(&mut client, answer.machine, options).await?;
    let since = people_text(&Value::Time(words::time(answer.time), zone));
    writeln!(
        io::stderr(),
        "the work of {id} is counted anew from {since} on; see `beltwatch maintenance list`"
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_contact_speed_and_time() {
        let read = stop("emergency_stop:3.6:2.5").unwrap();
        assert_eq!((read.contact.as_str(), read.time.unwrap().nanos), ("emergency_stop", 500_000_000));
        assert!((read.speed_mps - 1.0).abs() < 1e-9, "{}", read.speed_mps);
        for bad in
            ["", "emergency_stop", "a:b:c", "a:1", "a:1:2:3", "a:-1:2", "a:1:inf", "a:nan:1", "a:1:1e300"]
        {
            assert!(stop(bad).is_err(), "{bad}");
        }
    }
}
