//! Makes what Beltwatch needs in an InfluxDB: organisation, buckets with retention, tokens with least rights. What is there
//! and right stays as it is.

use std::fmt;

use super::InfluxSettings;
use super::client::{Beginning, Client, Rights, Token};
use crate::{StoreError, StoreErrorKind};

const DAY_SECONDS: u32 = 24 * 3_600;

/// What is wanted, and with whose rights it is made.
#[derive(Clone)]
pub struct SetUp {
    /// Which InfluxDB, which organisation, which buckets. The token has to be one that may do everything; an InfluxDB that
    /// is fresh takes it as its first user's.
    pub settings: InfluxSettings,
    /// How long readings are kept, in days.
    pub readings_days: u32,
    /// How long events are kept, in days.
    pub events_days: u32,
    /// Name of the first user, who is made only if InfluxDB is fresh.
    pub user: String,
    /// Its password, 8 to 72 octets. A secret.
    pub password: String,
    /// The server's token that is known already, if one is. A secret.
    pub server_token: Option<String>,
    /// Whether a token for Grafana is wanted, and the one that is known already. A secret.
    pub grafana_token: Option<Option<String>>,
}

/// What is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the first user was made just now.
    pub is_fresh: bool,
    /// Organisation and buckets, with what was done.
    pub parts: Vec<(String, Change)>,
    /// The server's token: reads and writes the three buckets, nothing else.
    pub server: Secret,
    /// Grafana's token: reads the three buckets, nothing else.
    pub grafana: Option<Secret>,
}

/// What was done about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was right.
    Right,
    /// It was made.
    Made,
    /// It was made right.
    Changed,
}

impl Change {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Change::Right => "right",
            Change::Made => "made",
            Change::Changed => "changed",
        }
    }
}

/// A token that is not shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The token.
    pub token: String,
    /// `Right`: it is the one that was known.
    pub change: Change,
}

/// Whether nobody has set this InfluxDB up yet. The token plays no part.
///
/// # Errors
/// `Unavailable`, `Timeout`, `Invalid`.
pub async fn is_fresh(settings: &InfluxSettings) -> Result<bool, StoreError> {
    Client::new(settings)?.is_fresh().await
}

/// Makes what is missing and makes right what is not. Doing it again changes nothing.
///
/// # Errors
/// `Unavailable`, `Timeout`, `Full`; `Invalid`: the settings can never work, or InfluxDB does not accept a value.
pub async fn set_up(wanted: &SetUp) -> Result<Outcome, StoreError> {
    let client = Client::new(&wanted.settings)?;
    let InfluxSettings { organisation, bucket, .. } = &wanted.settings;
    let is_fresh = client.is_fresh().await?;
    if is_fresh {
        let (user, password) = (wanted.user.as_str(), wanted.password.as_str());
        client.begin(&Beginning { user, password, organisation, bucket }).await?;
    }
    let mut parts = Vec::new();
    let (id, change) = match client.organisation().await? {
        Some(id) => (id, if is_fresh { Change::Made } else { Change::Right }),
        None => (client.make_organisation().await?, Change::Made),
    };
    parts.push((format!("organisation {organisation}"), change));
    let mut buckets = Vec::new();
    let kept = [
        (bucket.clone(), 0),
        (wanted.settings.readings_bucket(), seconds(wanted.readings_days)),
        (wanted.settings.events_bucket(), seconds(wanted.events_days)),
    ];
    for (name, kept_seconds) in kept {
        let (bucket, change) = bucket_kept(&client, &id, &name, kept_seconds).await?;
        let change = if is_fresh { Change::Made } else { change };
        parts.push((format!("bucket {name}"), change));
        buckets.push(bucket);
    }
    buckets.sort();
    let found = client.tokens(&id).await?;
    let writes = Rights { reads: buckets.clone(), writes: buckets.clone() };
    let reads = Rights { reads: buckets, writes: Vec::new() };
    let description = format!("beltwatch server, buckets {bucket}");
    let known = wanted.server_token.as_deref();
    let server = token(&client, &id, &found, &description, &writes, known).await?;
    let grafana = match &wanted.grafana_token {
        Some(known) => {
            let description = format!("beltwatch grafana, buckets {bucket}");
            Some(token(&client, &id, &found, &description, &reads, known.as_deref()).await?)
        }
        None => None,
    };
    Ok(Outcome { is_fresh, parts, server, grafana })
}

/// A bucket that keeps points for so long; its id.
async fn bucket_kept(
    client: &Client,
    organisation: &str,
    name: &str,
    kept_seconds: i32,
) -> Result<(String, Change), StoreError> {
    if let Some(found) = client.bucket(organisation, name).await? {
        if found.kept_seconds == kept_seconds {
            return Ok((found.id, Change::Right));
        }
        client.keep(name, &found.id, kept_seconds).await?;
        return Ok((found.id, Change::Changed));
    }
    client.make_bucket(organisation, name, kept_seconds).await?;
    let made = client.bucket(organisation, name).await?;
    let lost = || {
        StoreError::new(
            StoreErrorKind::Unavailable,
            format!("InfluxDB made the bucket {name} and does not show it"),
        )
    };
    Ok((made.ok_or_else(lost)?.id, Change::Made))
}

/// A token with these rights: the one that is known, else one that was made for this and can be read, else a new one.
async fn token(
    client: &Client,
    organisation: &str,
    found: &[Token],
    description: &str,
    rights: &Rights,
    known: Option<&str>,
) -> Result<Secret, StoreError> {
    let fitting = found.iter().filter(|token| token.is_active && token.rights.as_ref() == Some(rights));
    let mut spare = None;
    for fitting in fitting {
        let Some(token) = fitting.token.as_deref() else { continue };
        if Some(token) == known {
            return Ok(Secret { token: token.to_owned(), change: Change::Right });
        }
        if fitting.description == description {
            spare = Some(token);
        }
    }
    // The answer to its making may have been lost.
    if let Some(token) = spare {
        return Ok(Secret { token: token.to_owned(), change: Change::Changed });
    }
    let token = client.make_token(organisation, description, rights).await?;
    Ok(Secret { token, change: Change::Made })
}

/// What InfluxDB cannot count in seconds it keeps for ever: 68 years and more.
fn seconds(days: u32) -> i32 {
    i32::try_from(u64::from(days) * u64::from(DAY_SECONDS)).unwrap_or(0)
}

impl fmt::Debug for SetUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetUp")
            .field("settings", &self.settings)
            .field("readings_days", &self.readings_days)
            .field("events_days", &self.events_days)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("change", &self.change).finish_non_exhaustive()
    }
}
