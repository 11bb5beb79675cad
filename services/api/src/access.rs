//! Who is calling and what they may reach: decided here and nowhere else.

pub(crate) mod attempts;
pub(crate) mod password;
pub(crate) mod rights;
pub(crate) mod secret;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use domain::ids::{SiteId, UserName};
use domain::units::UnixMicros;
use store::ledger::Ledger;
use store::registry::{Grant, Registry, Role, SecretHash};
use subtle::ConstantTimeEq;

use self::rights::{Need, Permission, may};
use self::secret::SecretKind;

/// Metadata in which the operator tells a name.
const USER_HEADER: &str = "x-beltwatch-user";
/// Metadata in which our own pages tell the browser's address.
const PEER_HEADER: &str = "x-beltwatch-peer";

/// A mark on requests that our own pages make, in this process: they may tell where the browser is.
#[derive(Debug, Clone, Copy)]
pub struct FromPages;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who it is.
    pub(crate) who: Who,
    /// Where the request comes from; `None`: not known.
    pub(crate) peer: Option<IpAddr>,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// Nobody has been told yet.
    Nobody,
    /// Who runs the server, on the same computer, with the name they gave.
    Operator(String),
    /// A user, by this session.
    User(UserName, SecretHash),
    /// A program, by the token with this hash and number.
    Program(SecretHash, u64),
}

impl Caller {
    /// Name for facts and logs, such as `user:anna` or `token:3`; at most 120 characters.
    pub(crate) fn name(&self) -> String {
        match &self.who {
            Who::Nobody => "unknown".to_owned(),
            Who::Operator(name) => format!("operator:{name}"),
            Who::User(name, _) => format!("user:{name}"),
            Who::Program(_, number) => format!("token:{number}"),
        }
    }

    /// Where the request comes from, for facts and logs; empty: not known.
    pub(crate) fn peer(&self) -> String {
        name_of(self.peer)
    }
}

/// The sites that a request may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All sites.
    All,
    /// These sites.
    Sites(BTreeSet<SiteId>),
}

impl Scope {
    /// Where these grants give a permission; `None`: nowhere.
    pub(crate) fn of(grants: &[Grant], permission: Permission) -> Option<Scope> {
        let mut grants = grants.iter().filter(|grant| may(grant.role, permission)).peekable();
        grants.peek()?;
        let mut sites = BTreeSet::new();
        for grant in grants {
            if grant.sites.is_empty() {
                return Some(Scope::All);
            }
            sites.extend(grant.sites.iter().cloned());
        }
        Some(Scope::Sites(sites))
    }

    /// Whether a site is within it.
    pub(crate) fn has(&self, site: &SiteId) -> bool {
        match self {
            Scope::All => true,
            Scope::Sites(sites) => sites.contains(site),
        }
    }

    /// Whether all that these grants reach is within it.
    pub(crate) fn covers(&self, grants: &[Grant]) -> bool {
        match self {
            Scope::All => true,
            Scope::Sites(sites) => {
                let within = |grant: &Grant| {
                    !grant.sites.is_empty() && grant.sites.iter().all(|site| sites.contains(site))
                };
                grants.iter().all(within)
            }
        }
    }
}

/// Why a request was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("sign in, or send a token as `authorization: Bearer TOKEN`")]
    NotKnown,
    #[error("authorization must be `Bearer SECRET`, where the secret is a token or session of this server")]
    Malformed,
    #[error("the token or session is not known, or has ended")]
    Ended,
    #[error("x-beltwatch-user must be 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`")]
    MalformedUser,
    #[error("the name and the password do not fit")]
    WrongPassword,
    #[error("the code is wrong; look at it again, or ask for a new one")]
    WrongCode,
    #[error("this is not among what you may do; somebody who administers users can allow it")]
    NotAllowed,
    #[error("this is allowed only to those who may do it at all sites")]
    NotEverywhere,
    #[error("a token can do no more than its maker lets it; users and tokens are made by people")]
    NotForPrograms,
    #[error("only people who have signed in have an account")]
    NotAUser,
    #[error("nobody can grant more than they may administer")]
    BeyondOwn,
}

impl Denied {
    /// The reason in one word, for metrics, facts and programs.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Denied::NotKnown => "NOT_KNOWN",
            Denied::Malformed => "MALFORMED",
            Denied::Ended => "ENDED",
            Denied::MalformedUser => "MALFORMED_USER",
            Denied::WrongPassword => "WRONG_PASSWORD",
            Denied::WrongCode => "WRONG_CODE",
            Denied::NotAllowed => "NOT_ALLOWED",
            Denied::NotEverywhere => "NOT_EVERYWHERE",
            Denied::NotForPrograms => "NOT_FOR_PROGRAMS",
            Denied::NotAUser => "NOT_A_USER",
            Denied::BeyondOwn => "BEYOND_OWN",
        }
    }

    /// Whether the caller is known, but not allowed.
    pub(crate) fn is_known(self) -> bool {
        match self {
            Denied::NotAllowed
            | Denied::NotEverywhere
            | Denied::NotForPrograms
            | Denied::NotAUser
            | Denied::BeyondOwn => true,
            Denied::NotKnown
            | Denied::Malformed
            | Denied::Ended
            | Denied::MalformedUser
            | Denied::WrongPassword
            | Denied::WrongCode => false,
        }
    }
}

/// What a request brings to show who it is from.
#[derive(Debug, Default, Clone)]
pub(crate) struct Credentials {
    /// Content of `authorization`, if any; not text counts as empty.
    authorization: Option<String>,
    /// Content of `x-beltwatch-user`, if any; not text counts as empty.
    user: Option<String>,
    /// Where the request comes from; `None`: not known.
    peer: Option<IpAddr>,
}

impl Credentials {
    /// Those of a request, from its headers and marks.
    pub(crate) fn of(headers: &http::HeaderMap, extensions: &http::Extensions) -> Credentials {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned());
        let connection = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let told = || text(PEER_HEADER).and_then(|peer| peer.parse().ok());
        let peer = if extensions.get::<FromPages>().is_some() { told() } else { connection };
        Credentials { authorization: text("authorization"), user: text(USER_HEADER), peer }
    }

    /// Where the request comes from, for facts and logs; empty: not known.
    pub(crate) fn peer_name(&self) -> String {
        name_of(self.peer)
    }
}

fn name_of(peer: Option<IpAddr>) -> String {
    peer.map(|peer| peer.to_canonical().to_string()).unwrap_or_default()
}

/// Whether an address is of this computer.
pub(crate) fn is_local(peer: IpAddr) -> bool {
    peer.to_canonical().is_loopback()
}

/// Decides who may do what.
#[derive(Debug)]
pub(crate) struct Access {
    ledger: Arc<dyn Ledger>,
    operator: SecretHash,
}

impl Access {
    /// `operator` is the hash of the secret that the server's own operator shows.
    pub(crate) fn new(ledger: Arc<dyn Ledger>, operator: SecretHash) -> Access {
        Access { ledger, operator }
    }

    /// Finds who brings these credentials, for a method that needs this.
    pub(crate) fn caller(
        &self,
        credentials: &Credentials,
        need: Need,
        now: UnixMicros,
    ) -> Result<Caller, Denied> {
        let who = if need == Need::Nothing { Who::Nobody } else { self.who(credentials, now)? };
        Ok(Caller { who, peer: credentials.peer })
    }

    /// What a caller may reach now with a method that needs this.
    pub(crate) fn scope(&self, caller: &Caller, need: Need, now: UnixMicros) -> Result<Scope, Denied> {
        if need == Need::Nothing {
            return Ok(Scope::Sites(BTreeSet::new()));
        }
        let grants = grants(&self.ledger.registry(), caller, now)?;
        let is_program = matches!(caller.who, Who::Program(..));
        let reach = |permission: Permission| {
            if is_program && !permission.is_for_programs() {
                return Err(Denied::NotForPrograms);
            }
            Scope::of(&grants, permission).ok_or(Denied::NotAllowed)
        };
        match need {
            Need::Nothing | Need::Known => Ok(Scope::Sites(BTreeSet::new())),
            Need::User if matches!(caller.who, Who::User(..)) => Ok(Scope::Sites(BTreeSet::new())),
            Need::User => Err(Denied::NotAUser),
            Need::Some(permission) => reach(permission),
            Need::All(permission) => match reach(permission)? {
                Scope::All => Ok(Scope::All),
                Scope::Sites(_) => Err(Denied::NotEverywhere),
            },
        }
    }

    fn who(&self, credentials: &Credentials, now: UnixMicros) -> Result<Who, Denied> {
        let Some(authorization) = &credentials.authorization else { return Err(Denied::NotKnown) };
        let (scheme, secret) = authorization.split_once(' ').ok_or(Denied::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Denied::Malformed);
        }
        let (kind, hash) = secret::read(secret).ok_or(Denied::Malformed)?;
        let registry = self.ledger.registry();
        // Found by hash, then compared once more in constant time.
        let is = |kept: &SecretHash| bool::from(kept.ct_eq(&hash));
        match kind {
            SecretKind::Operator if is(&self.operator) && credentials.peer.is_some_and(is_local) => {
                Ok(Who::Operator(operator_name(credentials)?))
            }
            SecretKind::Session => {
                let sign_in = registry.sign_in(&hash).filter(|sign_in| is(&sign_in.hash));
                let sign_in = sign_in.filter(|sign_in| now < sign_in.expires).ok_or(Denied::Ended)?;
                Ok(Who::User(sign_in.user.clone(), hash))
            }
            SecretKind::Token => {
                let token = registry.tokens().get(&hash).filter(|token| is(&token.hash));
                token.map(|token| Who::Program(hash, token.number)).ok_or(Denied::Ended)
            }
            SecretKind::Operator | SecretKind::Link => Err(Denied::Ended),
        }
    }
}

/// What somebody may do, as the registry has it now.
pub(crate) fn grants(registry: &Registry, caller: &Caller, now: UnixMicros) -> Result<Vec<Grant>, Denied> {
    match &caller.who {
        Who::Nobody => Err(Denied::NotKnown),
        Who::Operator(_) => Ok(vec![Grant { role: Role::Administrator, sites: Vec::new() }]),
        Who::User(name, session) => {
            let is_open = registry.sign_in(session).is_some_and(|sign_in| now < sign_in.expires);
            let user = registry.users().get(name).filter(|user| is_open && user.is_active(now));
            user.map(|user| user.grants.clone()).ok_or(Denied::Ended)
        }
        Who::Program(hash, _) => {
            let good = |token: &&Arc<store::registry::Token>| token.revoked.is_none() && now < token.expires;
            let token = registry.tokens().get(hash).filter(good);
            token.map(|token| token.grants.clone()).ok_or(Denied::Ended)
        }
    }
}

fn operator_name(credentials: &Credentials) -> Result<String, Denied> {
    let user = credentials.user.as_deref().unwrap_or("unknown");
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    if user.is_empty() || user.len() > 64 || !user.bytes().all(allowed) {
        return Err(Denied::MalformedUser);
    }
    Ok(user.to_owned())
}

#[cfg(test)]
mod tests;
