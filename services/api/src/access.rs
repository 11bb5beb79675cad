//! Who is calling and what they may see: decided here and nowhere else.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::ConnectInfo;
use domain::ids::SiteId;
use domain::limits::TOKENS_REMEMBERED_MAX;
use domain::units::UnixMicros;
use sha2::{Digest, Sha256};
use store::StoreError;
use store::ledger::{Ledger, Token};
use subtle::ConstantTimeEq;
use tonic::metadata::MetadataMap;

/// How long a token is believed without asking the ledger again, in microseconds.
const TOKEN_BELIEVED_US: i64 = 2_000_000;
/// Every token begins with its version.
const TOKEN_PREFIX: &str = "bw1_";
/// Metadata in which a local caller tells a name.
const USER_HEADER: &str = "x-beltwatch-user";

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name for facts and logs, such as `local:anna` or `token:3`; at most 120 characters.
    pub name: String,
    /// How it was recognised.
    pub kind: CallerKind,
}

/// How a caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// It calls from this host, without a token.
    Local,
    /// By a token.
    Token,
}

/// The sites that a request may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All sites.
    All,
    /// These sites.
    Sites(BTreeSet<SiteId>),
}

impl Scope {
    /// Whether a site is within it.
    pub fn has(&self, site: &SiteId) -> bool {
        match self {
            Scope::All => true,
            Scope::Sites(sites) => sites.contains(site),
        }
    }
}

/// What a method needs its caller to be allowed. Roles will decide it; today the kind of caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To see.
    Read,
    /// To change the registry and to see what concerns the whole server.
    Administer,
}

/// Why a request was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("a token is required: send `authorization: Bearer TOKEN`; only callers on this host need none")]
    NoToken,
    #[error("authorization must be `Bearer TOKEN`, where the token is bw1_ and 64 hexadecimal digits")]
    MalformedToken,
    #[error("the token is not known")]
    UnknownToken,
    #[error("x-beltwatch-user must be 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`")]
    MalformedUser,
    #[error("a token may only read; administration is done by a caller on this host without a token")]
    TokenOnlyReads,
}

impl Denied {
    /// The reason in one word, for metrics and programs.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Denied::NoToken => "NO_TOKEN",
            Denied::MalformedToken => "MALFORMED_TOKEN",
            Denied::UnknownToken => "UNKNOWN_TOKEN",
            Denied::MalformedUser => "MALFORMED_USER",
            Denied::TokenOnlyReads => "TOKEN_ONLY_READS",
        }
    }

    /// Whether the caller is known, but not allowed.
    pub(crate) fn is_known(self) -> bool {
        match self {
            Denied::TokenOnlyReads => true,
            Denied::NoToken | Denied::MalformedToken | Denied::UnknownToken | Denied::MalformedUser => false,
        }
    }
}

/// What a request brings to show who it is from.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    /// Content of `authorization`, if any; not text counts as empty.
    authorization: Option<String>,
    /// Content of `x-beltwatch-user`, if any; not text counts as empty.
    user: Option<String>,
    /// Where the connection comes from; `None`: not known, which is not this host.
    peer: Option<SocketAddr>,
}

impl Credentials {
    /// Those of a gRPC request.
    pub(crate) fn of<T>(request: &tonic::Request<T>) -> Credentials {
        let text = |metadata: &MetadataMap, name: &str| {
            metadata.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
        };
        Credentials {
            authorization: text(request.metadata(), "authorization"),
            user: text(request.metadata(), USER_HEADER),
            peer: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
        }
    }

    /// Where the request comes from, for the log.
    pub(crate) fn peer(&self) -> String {
        self.peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string())
    }
}

/// Whether a connection comes from this host.
pub(crate) fn is_local(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

/// A new token, of 256 random bits.
pub(crate) fn new_token() -> Result<String, getrandom::Error> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)?;
    Ok(format!("{TOKEN_PREFIX}{}", hex::encode(octets)))
}

/// What the ledger keeps of a token.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Tokens seen lately, with the number of their fact and until when they are believed.
type Remembered = HashMap<[u8; 32], (u64, Token, UnixMicros)>;

/// Decides who may do what.
#[derive(Debug)]
pub(crate) struct Access {
    ledger: Arc<dyn Ledger>,
    remembered: Mutex<Remembered>,
}

impl Access {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Access {
        Access { ledger, remembered: Mutex::default() }
    }

    /// Finds who brings these credentials and what they may see, if they may do what they ask for.
    pub(crate) async fn admit(
        &self,
        credentials: &Credentials,
        permission: Permission,
        now: UnixMicros,
    ) -> Result<Result<(Caller, Scope), Denied>, StoreError> {
        let Some(authorization) = &credentials.authorization else {
            return Ok(local(credentials));
        };
        let Some(token) = parse_token(authorization) else { return Ok(Err(Denied::MalformedToken)) };
        let hash = token_hash(token);
        let Some((number, token)) = self.token(&hash, now).await? else {
            return Ok(Err(Denied::UnknownToken));
        };
        Ok(match permission {
            Permission::Read => Ok(of_token(number, token)),
            Permission::Administer => Err(Denied::TokenOnlyReads),
        })
    }

    async fn token(&self, hash: &[u8; 32], now: UnixMicros) -> Result<Option<(u64, Token)>, StoreError> {
        if let Some(known) = self.remembered(hash, now) {
            return Ok(Some(known));
        }
        let found = self.ledger.token(hash).await?;
        // The ledger finds by hash; what it found is compared once more, in constant time.
        let found = found.filter(|(_, token)| bool::from(token.hash.ct_eq(hash)));
        if let Some((number, token)) = &found {
            let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            if remembered.len() >= TOKENS_REMEMBERED_MAX {
                remembered.clear();
            }
            remembered.insert(*hash, (*number, token.clone(), now.plus(TOKEN_BELIEVED_US)));
        }
        Ok(found)
    }

    fn remembered(&self, hash: &[u8; 32], now: UnixMicros) -> Option<(u64, Token)> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, token, until) = remembered.get(hash)?;
        // A clock that was set back must not prolong a token's life.
        let fresh = now < *until && until.since(now) <= TOKEN_BELIEVED_US;
        fresh.then(|| (*number, token.clone()))
    }
}

fn parse_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let digits = token.strip_prefix(TOKEN_PREFIX)?;
    let well_formed = digits.len() == 64 && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    (scheme.eq_ignore_ascii_case("bearer") && well_formed).then_some(token)
}

fn of_token(number: u64, token: Token) -> (Caller, Scope) {
    let caller = Caller { name: format!("token:{number}"), kind: CallerKind::Token };
    let scope =
        if token.sites.is_empty() { Scope::All } else { Scope::Sites(token.sites.into_iter().collect()) };
    (caller, scope)
}

/// A caller on this host needs no token: whoever can reach loopback can read the store's files as well.
fn local(credentials: &Credentials) -> Result<(Caller, Scope), Denied> {
    if !credentials.peer.is_some_and(is_local) {
        return Err(Denied::NoToken);
    }
    let user = credentials.user.as_deref().unwrap_or("unknown");
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    if user.is_empty() || user.len() > 64 || !user.bytes().all(allowed) {
        return Err(Denied::MalformedUser);
    }
    Ok((Caller { name: format!("local:{user}"), kind: CallerKind::Local }, Scope::All))
}

#[cfg(test)]
mod tests;
