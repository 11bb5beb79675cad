//! Contacts: made, changed, tried, taken away.

use domain::ids::{NoticeId, SiteId};
use domain::incident::Severity;
use domain::limits::CONTACTS_MAX;
use domain::units::UnixMicros;
use store::StoreErrorKind;
use store::fact::{ContactEnd, FactKind, FactOutcome, NewContact};
use store::ledger::{About, Notice, NoticeQuery, NoticeState};
use store::registry::{Contact, Way};
use wire::api::v1;

use super::notices::{self, sites_seen};
use super::{Notifications, everywhere, request_id_reused};
use crate::access::{Caller, Scope};
use crate::check::{Check, NAME_CHARACTERS_MAX, quoted};
use crate::convert::timestamp;
use crate::registry::Visible;
use crate::status::ApiError;

/// Notices of a contact that are looked at for its last one, and for a test that waits.
const NOTICES_LOOKED_AT: usize = 50;

impl Notifications {
    pub(super) async fn contacts(
        &self,
        scope: Scope,
        request: v1::ListContactsRequest,
    ) -> Result<v1::ListContactsResponse, ApiError> {
        let mut check = Check::default();
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        check.finish()?;
        let visible = self.visible(&scope);
        if let Some(site) = &site {
            visible.site(site)?;
        }
        let is_asked = |contact: &&Contact| match (&contact.site, &site) {
            (None, _) => true,
            (Some(of), Some(site)) => of == site,
            (Some(of), None) => scope.has(of),
        };
        let mut contacts = Vec::new();
        for contact in visible.registry().contacts().filter(is_asked) {
            contacts.push(self.shown(&visible, contact).await?);
        }
        Ok(v1::ListContactsResponse { contacts })
    }

    pub(super) async fn set(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::SetContactRequest,
    ) -> Result<v1::SetContactResponse, ApiError> {
        let mut check = Check::default();
        let new = request.contact.unwrap_or_default();
        let name = check.contact_name("contact.name", &new.name);
        let display_name = check.text("contact.display_name", &new.display_name, NAME_CHARACTERS_MAX);
        let site = check.optional_id::<SiteId>("contact.site_id", &new.site_id);
        let way = check.way(&new.webhook_url, &new.email);
        let is_email = matches!(way, Some(Way::Email { .. }));
        if request.renew_secret && is_email {
            check.wrong("renew_secret", "is set, but e-mail has no secret; leave it out");
        }
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let way = way.expect("what is not valid is a violation");
        let visible = self.visible(&scope);
        may_set(&visible, &scope, site.as_ref())?;
        let before = visible.registry().contact(&name);
        self.may_replace(&scope, before, site.as_ref(), &name, &visible)?;
        let now = self.surroundings.now();
        let kept =
            before.filter(|before| is_webhook(&before.way) == is_webhook(&way) && !request.renew_secret);
        let generation = kept.map_or_else(|| next_generation(before, now), |kept| kept.generation);
        let display_name = if display_name.is_empty() { name.clone() } else { display_name };
        let (is_anchor, weekly) = (new.is_anchor, new.weekly);
        let contact = Contact { name, display_name, site, way, is_anchor, weekly, generation, changed: now };
        let kind = FactKind::ContactSet(NewContact { contact: contact.clone() });
        let (stands, is_new_secret) = match self.add(&caller, request_id, kind).await? {
            FactOutcome::Added(_) => (contact, kept.is_none()),
            FactOutcome::Repeated(_, fact) => {
                if let FactKind::ContactSet(NewContact { contact: other }) = fact.kind
                    && says_the_same(&other, &contact)
                {
                    let was_new = other.generation >= seconds(other.changed);
                    (other, was_new)
                } else {
                    return Err(request_id_reused());
                }
            }
        };
        tracing::info!(contact = stands.name, caller = caller.name(), "contact set");
        let secret =
            if is_new_secret && is_webhook(&stands.way) { self.secret(&stands) } else { String::new() };
        let contact = Some(self.shown(&self.visible(&scope), &stands).await?);
        Ok(v1::SetContactResponse { contact, secret })
    }

    /// Whether a contact may take the place of the one that has its name.
    fn may_replace(
        &self,
        scope: &Scope,
        before: Option<&Contact>,
        site: Option<&SiteId>,
        name: &str,
        visible: &Visible,
    ) -> Result<(), ApiError> {
        let Some(before) = before else {
            let is_full = visible.registry().contacts().count() >= CONTACTS_MAX;
            return if is_full {
                Err(ApiError::Full { what: "contacts", max: CONTACTS_MAX })
            } else {
                Ok(())
            };
        };
        if before.site.as_ref() == site {
            return Ok(());
        }
        if before.site.as_ref().is_some_and(|of| !scope.has(of)) {
            return Err(ApiError::Taken { what: "contact", id: name.to_owned() });
        }
        let of = before.site.as_ref().map_or_else(|| "all sites".to_owned(), |of| format!("site \"{of}\""));
        let message =
            format!("contact \"{name}\" is one of {of}; take it away first, or choose another name");
        Err(ApiError::NotNow { reason: "CONTACT_OF_OTHER_SITE", message })
    }

    pub(super) async fn delete(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::DeleteContactRequest,
    ) -> Result<v1::DeleteContactResponse, ApiError> {
        let name = self.named(&scope, &request.name)?.name;
        let kind = FactKind::ContactEnded(ContactEnd { name: name.clone() });
        match self.add(&caller, None, kind).await {
            Ok(_) => {
                tracing::info!(contact = name, caller = caller.name(), "contact taken away");
                Ok(v1::DeleteContactResponse {})
            }
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                let message = format!("a chain tells contact \"{name}\"; take it out of the chain first");
                Err(ApiError::NotNow { reason: "CONTACT_IN_USE", message })
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn test(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::TestContactRequest,
    ) -> Result<v1::TestContactResponse, ApiError> {
        let mut check = Check::default();
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let contact = self.named(&scope, &request.name)?;
        let (now, by) = (self.surroundings.now(), caller.name());
        let which = request_id.unwrap_or_else(|| now.0.to_string());
        let id = NoticeId::of(&format!("test/{by}/{which}"), &contact.name, 0);
        let query = NoticeQuery {
            contact: Some(contact.name.clone()),
            max: NOTICES_LOOKED_AT,
            ..NoticeQuery::default()
        };
        let known = self.ledger.notices(&query).await?;
        let waits = |notice: &Notice| {
            matches!(notice.about, About::Test { .. }) && notice.state == NoticeState::Waiting
        };
        // While one test waits, another would tell nothing more.
        if let Some(notice) = known.into_iter().find(|notice| notice.id == id || waits(notice)) {
            return Ok(v1::TestContactResponse { notice: Some(notices::show(&notice)) });
        }
        let notice = Notice {
            id,
            about: About::Test { by },
            contact: contact.name,
            site: contact.site,
            severity: Severity::Info,
            step: 0,
            planned: now,
            due: now,
            state: NoticeState::Waiting,
            attempts: 0,
            last_attempt: None,
            reason: String::new(),
            together: 0,
            revision: 1,
        };
        self.ledger.put_notices(vec![notice.clone()], None).await?;
        Ok(v1::TestContactResponse { notice: Some(notices::show(&notice)) })
    }

    /// The contact that a request names, which the caller may change.
    fn named(&self, scope: &Scope, name: &str) -> Result<Contact, ApiError> {
        let mut check = Check::default();
        let name = check.contact_name("name", name);
        check.finish()?;
        let visible = self.visible(scope);
        let contact = visible.registry().contact(&name);
        let is_seen = |contact: &&Contact| contact.site.as_ref().is_none_or(|site| scope.has(site));
        let none = || ApiError::NotFound { what: "contact", id: name.clone() };
        let contact = contact.filter(is_seen).ok_or_else(none)?;
        may_set(&visible, scope, contact.site.as_ref())?;
        Ok(contact.clone())
    }

    /// A contact with the notice that was tried last, of those that the caller may see.
    async fn shown(&self, visible: &Visible, contact: &Contact) -> Result<v1::Contact, ApiError> {
        let query = NoticeQuery {
            contact: Some(contact.name.clone()),
            sites: sites_seen(visible, None),
            max: NOTICES_LOOKED_AT,
            ..NoticeQuery::default()
        };
        let newest = self.ledger.notices(&query).await?;
        let tried = newest.iter().filter(|notice| notice.attempts > 0);
        let (webhook_url, email) = match &contact.way {
            Way::Webhook { url } => (url.clone(), String::new()),
            Way::Email { address } => (String::new(), address.clone()),
        };
        Ok(v1::Contact {
            name: contact.name.clone(),
            display_name: contact.display_name.clone(),
            site_id: contact.site.as_ref().map(ToString::to_string).unwrap_or_default(),
            webhook_url,
            email,
            is_anchor: contact.is_anchor,
            weekly: contact.weekly,
            change_time: Some(timestamp(contact.changed)),
            last_notice: tried.max_by_key(|notice| (notice.last_attempt, notice.planned)).map(notices::show),
        })
    }

    /// With what messages to a webhook are signed.
    fn secret(&self, contact: &Contact) -> String {
        let purpose = format!("webhook/{}/{}", contact.name, contact.generation);
        hex::encode(self.master.purpose_key(&purpose).octets())
    }
}

/// Who is told of a site's incidents is a matter of that site; who is told of all, of those who may everywhere.
fn may_set(visible: &Visible, scope: &Scope, site: Option<&SiteId>) -> Result<(), ApiError> {
    match site {
        Some(site) => visible.site(site).map(drop),
        None => everywhere(scope),
    }
}

fn is_webhook(way: &Way) -> bool {
    matches!(way, Way::Webhook { .. })
}

/// Whether two say the same of a contact; secret and time are the server's.
fn says_the_same(a: &Contact, b: &Contact) -> bool {
    let said = |one: &Contact| {
        let told = (one.is_anchor, one.weekly);
        (one.name.clone(), one.display_name.clone(), one.site.clone(), one.way.clone(), told)
    };
    said(a) == said(b)
}

/// Secrets are numbered by the second in which they were made, so that a contact that was taken away and is made again
/// does not get the old one back. A fact whose number is not older than itself made the secret.
fn next_generation(before: Option<&Contact>, now: UnixMicros) -> u32 {
    let later = before.map_or(0, |before| before.generation.saturating_add(1));
    seconds(now).max(later)
}

/// Seconds since 1970, until 2106.
fn seconds(time: UnixMicros) -> u32 {
    u32::try_from(time.0.div_euclid(1_000_000).max(0)).unwrap_or(u32::MAX)
}

impl Check {
    /// A contact's name.
    pub(super) fn contact_name(&mut self, field: &'static str, value: &str) -> String {
        // The same letters as in the id of a site.
        if SiteId::new(value).is_err() {
            self.wrong(field, format!("is {}; 1 to 64 of a-z, 0-9 and hyphen are allowed", quoted(value)));
        }
        value.to_owned()
    }

    /// How a contact is told: one of both.
    fn way(&mut self, webhook_url: &str, email: &str) -> Option<Way> {
        let (field, way) = match (webhook_url, email) {
            ("", "") => {
                self.wrong(
                    "contact.webhook_url",
                    "is empty, and so is contact.email; one of both is required",
                );
                return None;
            }
            (url, "") => ("contact.webhook_url", Way::Webhook { url: url.to_owned() }),
            ("", address) => ("contact.email", Way::Email { address: address.to_owned() }),
            (_, _) => {
                self.wrong(
                    "contact.email",
                    "is given, and so is contact.webhook_url; one of both is allowed",
                );
                return None;
            }
        };
        match way.check() {
            Ok(()) => Some(way),
            Err(description) => {
                self.wrong(field, description);
                None
            }
        }
    }
}
