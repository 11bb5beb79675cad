//! Sites.

use domain::ids::SiteId;
use store::StoreErrorKind;
use store::fact::{FactKind, FactOutcome, SiteChange};
use store::registry::Site;
use wire::api::v1;

use super::{Administration, masked, or_id, request_id_reused};
use crate::access::{Caller, Scope};
use crate::check::{Check, NAME_CHARACTERS_MAX};
use crate::convert;
use crate::status::ApiError;

impl Administration {
    pub(super) async fn create_site(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateSiteRequest,
    ) -> Result<v1::CreateSiteResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<SiteId>("site_id", &request.site_id);
        let display_name = check.text("display_name", &request.display_name, NAME_CHARACTERS_MAX);
        let time_zone = check.time_zone("time_zone", &request.time_zone);
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let display_name = or_id(display_name, id.as_str());
        let created = self.surroundings.now();
        let site = Site { id, display_name, time_zone, created, history: Default::default() };
        // What the request says; what became of the site since is no part of it.
        let said = |site: &Site| (site.id.clone(), site.display_name.clone(), site.time_zone.clone());
        let same = |other: &Site| said(other) == said(&site);
        let stands = match self.add(&caller, request_id, FactKind::SiteCreated(site.clone())).await {
            Ok(FactOutcome::Added(fact)) => {
                tracing::info!(site.id = %site.id, fact, caller = caller.name(), "site registered");
                site
            }
            Ok(FactOutcome::Repeated(_, fact)) => {
                if let FactKind::SiteCreated(other) = &fact.kind
                    && same(other)
                {
                    other.clone()
                } else {
                    return Err(request_id_reused());
                }
            }
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                let other = self.visible(&scope).site(&site.id).ok().cloned();
                let taken = || ApiError::Taken { what: "site", id: site.id.to_string() };
                other.filter(|other| same(other)).map(|other| (*other).clone()).ok_or_else(taken)?
            }
            Err(error) => return Err(error.into()),
        };
        Ok(v1::CreateSiteResponse { site: Some(convert::site(&stands)) })
    }

    pub(super) async fn update_site(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::UpdateSiteRequest,
    ) -> Result<v1::UpdateSiteResponse, ApiError> {
        let new = request.site.unwrap_or_default();
        let mut check = Check::default();
        let id = check.id::<SiteId>("site.id", &new.id);
        let fields = masked(&mut check, request.update_mask.as_ref(), &["display_name", "time_zone"]);
        let display_name = fields
            .contains(&"display_name")
            .then(|| check.text("site.display_name", &new.display_name, NAME_CHARACTERS_MAX));
        let time_zone =
            fields.contains(&"time_zone").then(|| check.time_zone("site.time_zone", &new.time_zone));
        check.finish()?;
        let site = id.expect("an id that is not valid is a violation");
        self.visible(&scope).site(&site)?;
        let display_name = display_name.map(|name| or_id(name, site.as_str()));
        let change = SiteChange { site: site.clone(), display_name, time_zone };
        self.add(&caller, None, FactKind::SiteChanged(change)).await?;
        let visible = self.visible(&scope);
        Ok(v1::UpdateSiteResponse { site: Some(convert::site(visible.site(&site)?)) })
    }
}
