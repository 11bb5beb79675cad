//! Tokens for programs.

use store::fact::{FactKind, FactOutcome, TokenNumber};
use store::registry::Token;
use wire::api::v1;

use super::{Administration, PAGE_DEFAULT, PAGE_MAX, may_grant};
use crate::access::secret::{SecretKind, new_secret, secret_hash};
use crate::access::{Caller, Scope};
use crate::check::{Check, NAME_CHARACTERS_MAX};
use crate::convert::people;
use crate::paging::{AfterNumber, Asked};
use crate::status::ApiError;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// How long a token is good if nobody says (1 year), and at most (2 years).
const LIFE_US: i64 = 365 * DAY_US;
const LIFE_MAX_US: i64 = 731 * DAY_US;

impl Administration {
    pub(super) async fn create_token(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateTokenRequest,
    ) -> Result<v1::CreateTokenResponse, ApiError> {
        let created = self.surroundings.now();
        let mut check = Check::default();
        let display_name = check.text("display_name", &request.display_name, NAME_CHARACTERS_MAX);
        if display_name.is_empty() {
            check.wrong("display_name", "is empty; say what the token is for");
        }
        let grants = check.grants("grants", &request.grants);
        let expires = match &request.expire_time {
            None => Some(created.plus(LIFE_US)),
            Some(end) => check.time("expire_time", end),
        };
        if expires.is_some_and(|end| end <= created || end.since(created) > LIFE_MAX_US) {
            check.wrong("expire_time", "must lie ahead, at most 2 years");
        }
        check.finish()?;
        let expires = expires.expect("a time that is not valid is a violation");
        may_grant(&scope, &self.visible(&scope), &grants)?;
        let secret = new_secret(SecretKind::Token).map_err(ApiError::NoRandomness)?;
        let hash = secret_hash(&secret);
        let author = caller.name();
        let token = Token { hash, number: 0, display_name, grants, author, created, expires, revoked: None };
        match self.add(&caller, None, FactKind::TokenCreated(token)).await? {
            FactOutcome::Added(fact) | FactOutcome::Repeated(fact, _) => {
                tracing::info!(fact, caller = caller.name(), "token made");
            }
        }
        let registry = self.ledger.registry();
        let token = registry.tokens().get(&hash).map(|token| people::token(token));
        Ok(v1::CreateTokenResponse { secret, token })
    }

    pub(super) fn list_tokens(
        &self,
        scope: &Scope,
        mut request: v1::ListTokensRequest,
    ) -> Result<v1::ListTokensResponse, ApiError> {
        let mut check = Check::default();
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let page_token = std::mem::take(&mut request.page_token);
        request.page_size = 0;
        let asked = Asked::new("ListTokens", &request);
        let after = self.pages.cursor::<AfterNumber>(&asked, &page_token)?;
        let before = after.map_or(u64::MAX, |after| after.0);
        let registry = self.ledger.registry();
        let within = |token: &&std::sync::Arc<Token>| token.number < before && scope.covers(&token.grants);
        let mut tokens: Vec<_> = registry.tokens().values().filter(within).collect();
        tokens.sort_by_key(|token| std::cmp::Reverse(token.number));
        let next = tokens.get(size).map(|_| AfterNumber(tokens[size - 1].number));
        let next_page_token = next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default();
        let tokens = tokens.into_iter().take(size).map(|token| people::token(token)).collect();
        Ok(v1::ListTokensResponse { tokens, next_page_token })
    }

    pub(super) async fn revoke_token(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::RevokeTokenRequest,
    ) -> Result<v1::RevokeTokenResponse, ApiError> {
        let id = &request.token_id;
        let unknown = || ApiError::NotFound { what: "token", id: id.chars().take(80).collect() };
        let number: u64 = id.parse().map_err(|_| unknown())?;
        let registry = self.ledger.registry();
        let token = registry.tokens().values().find(|token| token.number == number);
        let token = token.filter(|token| scope.covers(&token.grants)).ok_or_else(unknown)?;
        if token.revoked.is_none() {
            self.add(&caller, None, FactKind::TokenRevoked(TokenNumber { number })).await?;
            tracing::info!(token.number = number, caller = caller.name(), "token revoked");
        }
        let registry = self.ledger.registry();
        let token = registry.tokens().get(&token.hash).map(|token| people::token(token));
        Ok(v1::RevokeTokenResponse { token })
    }
}
