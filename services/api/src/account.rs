//! `AccountService`: signing in and out, and one's own account.

use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::UserName;
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, FactOutcome, NewPassword, NewPreferences, NewUser, SignOut};
use store::ledger::Ledger;
use store::registry::{Grant, Link, LinkKind, Role, SecretHash, SignIn, User};
use store::{StoreError, StoreErrorKind};
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::account_service_server::AccountService;

use crate::access::attempts::Attempts;
use crate::access::password::Passwords;
use crate::access::secret::{self, SecretKind, new_secret, secret_hash};
use crate::access::{self, Caller, Denied, Scope, Who};
use crate::audit::Refused;
use crate::check::Check;
use crate::convert::{people, timestamp};
use crate::gate::Gate;
use crate::status::ApiError;
use crate::surroundings::Surroundings;

/// How long a session lasts, in microseconds (7 days): a page that is kept open must not close within a shift.
const SESSION_LIFE_US: i64 = 7 * 24 * 3_600 * 1_000_000;
const SIGN_IN: &str = "AccountService/SignIn";
const CHANGE_PASSWORD: &str = "AccountService/ChangePassword";
/// Characters of a password.
const PASSWORD_CHARACTERS: std::ops::RangeInclusive<usize> = 10..=200;

/// The service.
#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) gate: Arc<Gate>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    pub(crate) passwords: Passwords,
    pub(crate) attempts: Mutex<Attempts>,
}

/// A session that was begun: its secret and its end.
struct Begun {
    secret: String,
    expires: UnixMicros,
}

impl Accounts {
    async fn add(&self, author: String, kind: FactKind) -> Result<FactOutcome, StoreError> {
        let fact = Fact { time: self.surroundings.now(), author, request_id: None, kind };
        self.ledger.add_fact(fact).await
    }

    async fn sign_in(
        &self,
        caller: Caller,
        _scope: Scope,
        request: v1::SignInRequest,
    ) -> Result<v1::SignInResponse, ApiError> {
        let typed: String = request.user_name.trim().to_lowercase().chars().take(80).collect();
        let now = self.surroundings.now();
        self.attempt(&caller, SIGN_IN, &typed, now)?;
        let find =
            || UserName::new(&typed).ok().and_then(|name| self.ledger.registry().users().get(&name).cloned());
        let hash = find().and_then(|user| user.password.clone());
        let fits = self.passwords.fits(request.password, hash.as_deref()).await?;
        // Asked again: hashing takes time, in which the password may have been changed or the user disabled.
        let is_still = |user: &Arc<User>| fits && user.password == hash && user.is_active(now);
        let Some(user) = find().filter(is_still) else {
            self.note(&caller, SIGN_IN, &typed, Denied::WrongPassword.reason());
            return Err(Denied::WrongPassword.into());
        };
        self.attempts().succeeded(&typed, caller.peer);
        let begun = self.begin(&caller, &user.name).await?;
        Ok(v1::SignInResponse { session: begun.secret, expire_time: Some(timestamp(begun.expires)) })
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempt(&self, caller: &Caller, method: &str, name: &str, now: UnixMicros) -> Result<(), ApiError> {
        self.attempts().begin(name, caller.peer, now).map_err(|wait_us| {
            self.note(caller, method, name, "TOO_MANY_ATTEMPTS");
            ApiError::TooManyAttempts { seconds: wait_us.cast_unsigned().div_ceil(1_000_000) }
        })
    }

    /// Notes who was tried. A name that nobody has is not kept: people type passwords into the wrong field.
    fn note(&self, caller: &Caller, method: &str, name: &str, reason: &'static str) {
        let registry = self.ledger.registry();
        let user = UserName::new(name).ok().filter(|name| registry.users().contains_key(name));
        let subject = user.map(|name| name.to_string()).unwrap_or_default();
        let (author, method, peer) = (caller.name(), method.to_owned(), caller.peer());
        self.gate.note(Refused { author, method, reason, subject, peer });
    }

    /// Begins a session. Its secret is always new: what a browser had before is worth nothing.
    async fn begin(&self, caller: &Caller, user: &UserName) -> Result<Begun, ApiError> {
        let secret = new_secret(SecretKind::Session).map_err(ApiError::NoRandomness)?;
        let created = self.surroundings.now();
        let expires = created.plus(SESSION_LIFE_US);
        let (hash, user) = (secret_hash(&secret), user.clone());
        let author = format!("user:{user}");
        let sign_in = SignIn { hash, user, created, expires, peer: caller.peer() };
        self.add(author.clone(), FactKind::SignedIn(sign_in)).await?;
        tracing::info!(caller = author, peer = caller.peer(), "signed in");
        Ok(Begun { secret, expires })
    }

    /// The link of a code, if it is good.
    fn find_link(&self, code: &str) -> Result<Link, ApiError> {
        let unknown = || ApiError::NoLink;
        let hash = match secret::read(code) {
            Some((SecretKind::Link, hash)) => hash,
            Some((SecretKind::Token | SecretKind::Session | SecretKind::Operator, _)) | None => {
                return Err(unknown());
            }
        };
        let registry = self.ledger.registry();
        let now = self.surroundings.now();
        let is_good = |link: &Link| match &link.kind {
            LinkKind::FirstAdministrator => !registry.has_administrator(),
            LinkKind::Password { user } | LinkKind::SignIn { user } => {
                registry.users().get(user).is_some_and(|user| user.is_active(now))
            }
        };
        let link = registry.link(&hash).filter(|link| now < link.expires && is_good(link));
        link.map(|link| Link::clone(link)).ok_or_else(unknown)
    }

    fn get_link(&self, request: &v1::GetLinkRequest) -> Result<v1::GetLinkResponse, ApiError> {
        let link = self.find_link(&request.code)?;
        let (kind, user_name) = people::link_kind(&link.kind);
        Ok(v1::GetLinkResponse { kind: kind.into(), user_name, expire_time: Some(timestamp(link.expires)) })
    }

    async fn redeem_link(
        &self,
        caller: Caller,
        _scope: Scope,
        request: v1::RedeemLinkRequest,
    ) -> Result<v1::RedeemLinkResponse, ApiError> {
        let link = self.find_link(&request.code)?;
        let user = match link.kind {
            LinkKind::FirstAdministrator => self.first_administrator(link.hash, request).await?,
            LinkKind::Password { user } => {
                let mut check = Check::default();
                check.password("password", &request.password, user.as_str());
                check.finish()?;
                self.set_password(&user, request.password, None, Some(link.hash)).await?;
                user
            }
            LinkKind::SignIn { user } => user,
        };
        let begun = self.begin(&caller, &user).await?;
        Ok(v1::RedeemLinkResponse { session: begun.secret, expire_time: Some(timestamp(begun.expires)) })
    }

    async fn first_administrator(
        &self,
        link: SecretHash,
        request: v1::RedeemLinkRequest,
    ) -> Result<UserName, ApiError> {
        let mut check = Check::default();
        let name = check.user_name("user_name", &request.user_name);
        check.password("password", &request.password, &request.user_name);
        check.finish()?;
        let name = name.expect("a name that is not valid is a violation");
        let user = User {
            name: name.clone(),
            display_name: name.to_string(),
            grants: vec![Grant { role: Role::Administrator, sites: Vec::new() }],
            expires: None,
            disabled: false,
            password: Some(self.passwords.hash(request.password).await?),
            preferences: Default::default(),
            created: self.surroundings.now(),
            last_sign_in: None,
        };
        let kind = FactKind::UserCreated(NewUser { user, link: Some(link) });
        self.add(format!("user:{name}"), kind).await.map_err(|error| match error.kind {
            StoreErrorKind::Conflict if self.ledger.registry().link(&link).is_some() => {
                ApiError::Taken { what: "user", id: name.to_string() }
            }
            // Somebody else was faster.
            StoreErrorKind::Conflict => ApiError::NoLink,
            StoreErrorKind::Unavailable
            | StoreErrorKind::Timeout
            | StoreErrorKind::Full
            | StoreErrorKind::Corrupt
            | StoreErrorKind::IncompatibleVersion
            | StoreErrorKind::Invalid => error.into(),
        })?;
        tracing::info!(user.name = %name, "the first administrator was made");
        Ok(name)
    }

    async fn set_password(
        &self,
        user: &UserName,
        password: String,
        keep: Option<SecretHash>,
        link: Option<SecretHash>,
    ) -> Result<(), ApiError> {
        let password = self.passwords.hash(password).await?;
        let kind = FactKind::PasswordSet(NewPassword { user: user.clone(), password, keep, link });
        match self.add(format!("user:{user}"), kind).await {
            Ok(_) => Ok(()),
            Err(error) if link.is_some() && error.kind == StoreErrorKind::Conflict => Err(ApiError::NoLink),
            Err(error) => Err(error.into()),
        }
    }

    async fn sign_out(
        &self,
        caller: Caller,
        _scope: Scope,
        request: v1::SignOutRequest,
    ) -> Result<v1::SignOutResponse, ApiError> {
        let (user, session) = own(&caller)?;
        let session = (!request.everywhere).then_some(session);
        self.add(caller.name(), FactKind::SignedOut(SignOut { user, session })).await?;
        Ok(v1::SignOutResponse {})
    }

    fn account(&self, caller: &Caller) -> Result<v1::GetAccountResponse, ApiError> {
        let registry = self.ledger.registry();
        let grants = access::grants(&registry, caller, self.surroundings.now())?;
        let is_program = matches!(caller.who, Who::Program(..));
        let (user, sign_in) = match &caller.who {
            Who::User(name, session) => (registry.users().get(name), registry.sign_in(session)),
            Who::Nobody | Who::Operator(_) | Who::Program(..) => (None, None),
        };
        Ok(v1::GetAccountResponse {
            caller: caller.name(),
            user: user.map(|user| people::user(user)),
            preferences: user.map(|user| people::preferences(user.preferences)),
            permissions: people::permissions(&grants, is_program),
            expire_time: sign_in.map(|sign_in| timestamp(sign_in.expires)),
        })
    }

    async fn update_preferences(
        &self,
        caller: Caller,
        _scope: Scope,
        request: v1::UpdatePreferencesRequest,
    ) -> Result<v1::UpdatePreferencesResponse, ApiError> {
        let (user, _) = own(&caller)?;
        let mut check = Check::default();
        let preferences = check.preferences(request.preferences.as_ref());
        check.finish()?;
        let kind = FactKind::PreferencesSet(NewPreferences { user, preferences });
        self.add(caller.name(), kind).await?;
        Ok(v1::UpdatePreferencesResponse { preferences: Some(people::preferences(preferences)) })
    }

    async fn change_password(
        &self,
        caller: Caller,
        _scope: Scope,
        request: v1::ChangePasswordRequest,
    ) -> Result<v1::ChangePasswordResponse, ApiError> {
        let (user, session) = own(&caller)?;
        let mut check = Check::default();
        check.password("new_password", &request.new_password, user.as_str());
        check.finish()?;
        // A stolen session must not be able to guess the password either.
        self.attempt(&caller, CHANGE_PASSWORD, user.as_str(), self.surroundings.now())?;
        let registry = self.ledger.registry();
        let hash = registry.users().get(&user).and_then(|user| user.password.clone());
        if !self.passwords.fits(request.old_password, hash.as_deref()).await? {
            self.note(&caller, CHANGE_PASSWORD, user.as_str(), Denied::WrongPassword.reason());
            let mut check = Check::default();
            check.wrong("old_password", "does not fit");
            check.finish()?;
        }
        self.attempts().succeeded(user.as_str(), caller.peer);
        self.set_password(&user, request.new_password, Some(session), None).await?;
        Ok(v1::ChangePasswordResponse {})
    }
}

fn own(caller: &Caller) -> Result<(UserName, SecretHash), Denied> {
    match &caller.who {
        Who::User(name, session) => Ok((name.clone(), *session)),
        Who::Nobody | Who::Operator(_) | Who::Program(..) => Err(Denied::NotAUser),
    }
}

impl Check {
    /// A user's name.
    pub(crate) fn user_name(&mut self, field: &'static str, value: &str) -> Option<UserName> {
        match UserName::new(value) {
            Ok(name) => Some(name),
            Err(error) => {
                self.wrong(field, format!("is not valid: {error}"));
                None
            }
        }
    }

    /// A new password. It is never repeated in an error.
    fn password(&mut self, field: &'static str, value: &str, user: &str) {
        let characters = value.chars().count();
        if !PASSWORD_CHARACTERS.contains(&characters) {
            let (least, most) = (PASSWORD_CHARACTERS.start(), PASSWORD_CHARACTERS.end());
            self.wrong(field, format!("has {characters} characters; {least} to {most} are required"));
        } else if value.eq_ignore_ascii_case(user) {
            self.wrong(field, "is the user's name; choose another");
        }
    }
}

#[tonic::async_trait]
impl AccountService for Accounts {
    async fn sign_in(
        &self,
        request: Request<v1::SignInRequest>,
    ) -> Result<Response<v1::SignInResponse>, Status> {
        let work = |caller, scope, request| self.sign_in(caller, scope, request);
        self.gate.answer(SIGN_IN, request, work).await
    }

    async fn get_link(
        &self,
        request: Request<v1::GetLinkRequest>,
    ) -> Result<Response<v1::GetLinkResponse>, Status> {
        let work = |_, _, request| std::future::ready(self.get_link(&request));
        self.gate.answer("AccountService/GetLink", request, work).await
    }

    async fn redeem_link(
        &self,
        request: Request<v1::RedeemLinkRequest>,
    ) -> Result<Response<v1::RedeemLinkResponse>, Status> {
        let work = |caller, scope, request| self.redeem_link(caller, scope, request);
        self.gate.answer("AccountService/RedeemLink", request, work).await
    }

    async fn sign_out(
        &self,
        request: Request<v1::SignOutRequest>,
    ) -> Result<Response<v1::SignOutResponse>, Status> {
        let work = |caller, scope, request| self.sign_out(caller, scope, request);
        self.gate.answer("AccountService/SignOut", request, work).await
    }

    async fn get_account(
        &self,
        request: Request<v1::GetAccountRequest>,
    ) -> Result<Response<v1::GetAccountResponse>, Status> {
        let work = |caller, _, _| std::future::ready(self.account(&caller));
        self.gate.answer("AccountService/GetAccount", request, work).await
    }

    async fn update_preferences(
        &self,
        request: Request<v1::UpdatePreferencesRequest>,
    ) -> Result<Response<v1::UpdatePreferencesResponse>, Status> {
        let work = |caller, scope, request| self.update_preferences(caller, scope, request);
        self.gate.answer("AccountService/UpdatePreferences", request, work).await
    }

    async fn change_password(
        &self,
        request: Request<v1::ChangePasswordRequest>,
    ) -> Result<Response<v1::ChangePasswordResponse>, Status> {
        let work = |caller, scope, request| self.change_password(caller, scope, request);
        self.gate.answer(CHANGE_PASSWORD, request, work).await
    }
}
