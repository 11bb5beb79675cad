//! Fresh places for histories: three buckets and a folder each.

use anyhow::Context;
use http::{Method, StatusCode};
use serde_json::json;
use store::influx::{InfluxSettings, InfluxTelemetry};
use tempfile::TempDir;

use crate::influxd::{Influxd, NAME};

/// What all places share.
#[derive(Debug)]
pub(super) struct Places {
    web: crate::influxd::Web,
    token: String,
    organisation_id: String,
    settings: InfluxSettings,
}

/// One place.
#[derive(Debug)]
pub(super) struct Place {
    bucket: String,
    pub(super) folder: TempDir,
}

impl Places {
    pub(super) async fn of(influxd: &Influxd) -> anyhow::Result<Places> {
        let path = format!("/api/v2/orgs?org={NAME}");
        let token = influxd.admin_token().to_owned();
        let answer = influxd.call(Method::GET, &path, &token, None).await?.json()?;
        let organisation_id =
            answer["orgs"][0]["id"].as_str().context("there is no organisation")?.to_owned();
        let settings = InfluxSettings {
            url: influxd.url().parse()?,
            organisation: NAME.to_owned(),
            token: token.clone(),
            bucket: NAME.to_owned(),
        };
        Ok(Places { web: crate::influxd::Web::new(influxd.url()), token, organisation_id, settings })
    }

    async fn add_bucket(&self, name: &str) -> anyhow::Result<()> {
        let body = json!({ "orgID": self.organisation_id, "name": name, "retentionRules": [] }).to_string();
        let token = format!("Token {}", self.token);
        let path = "/api/v2/buckets".to_owned();
        let answer = self.web.ask((Method::POST, &path), &token, ("application/json", body)).await?;
        match answer.status {
            // It was made when the place was opened before.
            StatusCode::UNPROCESSABLE_ENTITY => Ok(()),
            _ => answer.good().map(drop),
        }
    }
}

impl Place {
    pub(super) fn new(number: u32) -> Place {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Place { bucket: format!("place-{number}"), folder }
    }

    /// The same buckets with another folder.
    pub(super) fn with_folder(&self, folder: TempDir) -> Place {
        Place { bucket: self.bucket.clone(), folder }
    }

    pub(super) async fn open(&self, places: &Places) -> anyhow::Result<InfluxTelemetry> {
        for ending in ["", "-readings", "-events"] {
            places.add_bucket(&format!("{}{ending}", self.bucket)).await?;
        }
        self.open_only(places)
    }

    /// Opens it without asking InfluxDB for anything.
    pub(super) fn open_only(&self, places: &Places) -> anyhow::Result<InfluxTelemetry> {
        let settings = InfluxSettings { bucket: self.bucket.clone(), ..places.settings.clone() };
        Ok(InfluxTelemetry::open(&settings, self.folder.path())?)
    }
}
