//! What has to be there before anything can be written: organisation, buckets, tokens.

use std::fmt;

use influxdb2::RequestError;
use influxdb2::api::authorizations::{CreateAuthorizationRequest, ListAuthorizationsRequest};
use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::api::organization::ListOrganizationRequest;
use influxdb2::models::permission::Action;
use influxdb2::models::resource::Type;
use influxdb2::models::retention_rule::{RetentionRule, Type as RetentionType};
use influxdb2::models::{Permission, PostBucketRequest, Resource};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::json;

use super::Client;
use super::answer::{Doing, Refusal};
use crate::{StoreError, StoreErrorKind};

/// The first user of a fresh InfluxDB, with what comes with it.
pub(in crate::influx) struct Beginning<'a> {
    pub(in crate::influx) user: &'a str,
    pub(in crate::influx) password: &'a str,
    pub(in crate::influx) organisation: &'a str,
    /// Kept for ever.
    pub(in crate::influx) bucket: &'a str,
}

/// A bucket that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::influx) struct Bucket {
    pub(in crate::influx) id: String,
    /// How long it keeps points, in seconds; 0: for ever.
    pub(in crate::influx) kept_seconds: i32,
}

/// A token that is there.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::influx) struct Token {
    /// `None`: InfluxDB does not show it any more.
    pub(in crate::influx) token: Option<String>,
    pub(in crate::influx) description: String,
    pub(in crate::influx) is_active: bool,
    /// Buckets that it may read, by their ids; `None`: it has other rights than to buckets.
    pub(in crate::influx) rights: Option<Rights>,
}

/// Ids of buckets, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::influx) struct Rights {
    pub(in crate::influx) reads: Vec<String>,
    pub(in crate::influx) writes: Vec<String>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl Client {
    /// Whether nobody has set this InfluxDB up yet.
    pub(in crate::influx) async fn is_fresh(&self) -> Result<bool, StoreError> {
        let doing = self.doing("asking whether it is fresh", None);
        self.inner.crate_client.is_onboarding_allowed().await.map_err(|error| doing.crate_failed(error))
    }

    /// Makes the first user, who may do everything with this client's token. The crate has no word for the token, and
    /// one that InfluxDB makes would be lost with the answer.
    pub(in crate::influx) async fn begin(&self, beginning: &Beginning<'_>) -> Result<(), StoreError> {
        let doing = self.doing("setting it up", None);
        let token = self.inner.token.to_str().unwrap_or_default().trim_start_matches("Token ");
        let body = json!({
            "username": beginning.user,
            "password": beginning.password,
            "org": beginning.organisation,
            "bucket": beginning.bucket,
            "retentionPeriodSeconds": 0,
            "token": token,
        });
        // It is asked without a token: there is none yet.
        let url = format!("{}/api/v2/setup", self.inner.origin);
        let request = self.inner.http.request(Method::POST, url).body(body.to_string());
        let response = self.send(request, &doing).await?;
        expect(&doing, response, 201).await.map(|_| ())
    }

    /// The id of the organisation, if it is there.
    pub(in crate::influx) async fn organisation(&self) -> Result<Option<String>, StoreError> {
        let doing = self.doing("looking for the organisation", None);
        let org = Some(self.inner.organisation.clone());
        let request = ListOrganizationRequest { org, ..ListOrganizationRequest::new() };
        match self.inner.crate_client.list_organizations(request).await {
            Ok(found) => {
                let ours = found.orgs.into_iter().find(|one| one.name == self.inner.organisation);
                Ok(ours.and_then(|ours| ours.id))
            }
            Err(RequestError::Http { status, .. }) if status.as_u16() == 404 => Ok(None),
            Err(error) => Err(doing.crate_failed(error)),
        }
    }

    /// Makes the organisation; the crate cannot.
    pub(in crate::influx) async fn make_organisation(&self) -> Result<String, StoreError> {
        let doing = self.doing("making the organisation", None);
        let body = json!({ "name": self.inner.organisation });
        let response =
            self.send(self.request(Method::POST, "/api/v2/orgs").body(body.to_string()), &doing).await?;
        made(&doing, &expect(&doing, response, 201).await?)
    }

    /// A bucket of the organisation, if it is there.
    pub(in crate::influx) async fn bucket(
        &self,
        organisation: &str,
        name: &str,
    ) -> Result<Option<Bucket>, StoreError> {
        let doing = self.doing("looking for the bucket", Some(name));
        let (org_id, name) = (Some(organisation.to_owned()), name.to_owned());
        let request =
            ListBucketsRequest { org_id, name: Some(name.clone()), ..ListBucketsRequest::default() };
        let found = match self.inner.crate_client.list_buckets(Some(request)).await {
            Ok(found) => found,
            Err(RequestError::Http { status, .. }) if status.as_u16() == 404 => return Ok(None),
            Err(error) => return Err(doing.crate_failed(error)),
        };
        let ours = found.buckets.into_iter().find(|bucket| bucket.name == name);
        Ok(ours.and_then(|bucket| {
            let kept_seconds = bucket.retention_rules.first().map_or(0, |rule| rule.every_seconds);
            Some(Bucket { id: bucket.id?, kept_seconds })
        }))
    }

    /// Makes a bucket.
    pub(in crate::influx) async fn make_bucket(
        &self,
        organisation: &str,
        name: &str,
        kept_seconds: i32,
    ) -> Result<(), StoreError> {
        let doing = self.doing("making the bucket", Some(name));
        let retention_rules = vec![RetentionRule::new(RetentionType::Expire, kept_seconds)];
        let request = PostBucketRequest::new(organisation.to_owned(), name.to_owned());
        let request = PostBucketRequest { retention_rules, ..request };
        let made = self.inner.crate_client.create_bucket(Some(request)).await;
        made.map_err(|error| doing.crate_failed(error))
    }

    /// Says how long a bucket keeps points; the crate cannot.
    pub(in crate::influx) async fn keep(
        &self,
        name: &str,
        id: &str,
        kept_seconds: i32,
    ) -> Result<(), StoreError> {
        let doing = self.doing("changing the retention", Some(name));
        // A shard must not span more than what is kept, and InfluxDB does not adapt it by itself.
        let shard_seconds = match kept_seconds {
            3_600..172_800 => 3_600,
            172_800..15_552_000 => 86_400,
            _ => 604_800,
        };
        let rule = json!({
            "type": "expire",
            "everySeconds": kept_seconds,
            "shardGroupDurationSeconds": shard_seconds,
        });
        let body = json!({ "retentionRules": [rule] });
        let request = self.request(Method::PATCH, &format!("/api/v2/buckets/{id}")).body(body.to_string());
        let response = self.send(request, &doing).await?;
        expect(&doing, response, 200).await.map(|_| ())
    }

    /// All tokens of the organisation.
    pub(in crate::influx) async fn tokens(&self, organisation: &str) -> Result<Vec<Token>, StoreError> {
        let doing = self.doing("looking at the tokens", None);
        let request = ListAuthorizationsRequest {
            org_id: Some(organisation.to_owned()),
            ..ListAuthorizationsRequest::default()
        };
        let found = self.inner.crate_client.list_authorizations(request).await;
        let found = found.map_err(|error| doing.crate_failed(error))?;
        Ok(found.authorizations.into_iter().map(token_of).collect())
    }

    /// Makes a token that may do this and nothing else.
    pub(in crate::influx) async fn make_token(
        &self,
        organisation: &str,
        description: &str,
        rights: &Rights,
    ) -> Result<String, StoreError> {
        let doing = self.doing("making a token", None);
        let permission = |action: Action| {
            move |id: &String| {
                let (id, org_id) = (Some(id.clone()), Some(organisation.to_owned()));
                Permission::new(action, Resource { id, org_id, ..Resource::new(Type::Buckets) })
            }
        };
        let reads = rights.reads.iter().map(permission(Action::Read));
        let permissions = reads.chain(rights.writes.iter().map(permission(Action::Write))).collect();
        let request = CreateAuthorizationRequest {
            org_id: organisation.to_owned(),
            description: Some(description.to_owned()),
            permissions,
            ..CreateAuthorizationRequest::default()
        };
        let made = self.inner.crate_client.create_authorization(request).await;
        let made = made.map_err(|error| doing.crate_failed(error))?;
        made.token.ok_or_else(|| doing.error(StoreErrorKind::Unavailable, "it does not show the token"))
    }
}

fn token_of(found: influxdb2::models::Authorization) -> Token {
    let mut rights = Some(Rights::default());
    for permission in found.permissions {
        let id = permission.resource.id.filter(|_| permission.resource.r#type == Type::Buckets);
        rights = rights.zip(id).map(|(mut rights, id)| {
            match permission.action {
                Action::Read => rights.reads.push(id),
                Action::Write => rights.writes.push(id),
            }
            rights
        });
    }
    if let Some(rights) = &mut rights {
        rights.reads.sort();
        rights.writes.sort();
    }
    let is_active =
        found.status.is_none_or(|status| status == influxdb2::models::authorization::Status::Active);
    let token = found.token.filter(|token| !token.is_empty());
    Token { token, description: found.description.unwrap_or_default(), is_active, rights }
}

/// The body of an answer that has this status.
async fn expect(doing: &Doing<'_>, mut response: Response, status: u16) -> Result<Vec<u8>, StoreError> {
    if response.status().as_u16() != status {
        return Err(doing.failed(&Refusal::read(response).await));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| doing.broke(error))? {
        body.extend_from_slice(&piece);
        if body.len() > domain::limits::INFLUX_REFUSAL_BYTES_MAX {
            return Err(doing.error(StoreErrorKind::Unavailable, "the answer is too long"));
        }
    }
    Ok(body)
}

fn made(doing: &Doing<'_>, body: &[u8]) -> Result<String, StoreError> {
    let made = serde_json::from_slice(body);
    let made: Made = made.map_err(|error| doing.error(StoreErrorKind::Unavailable, &error.to_string()))?;
    Ok(made.id)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("description", &self.description).finish_non_exhaustive()
    }
}
