//! What an agent asks before it is known: nobody vouches for it but the code.
//!
//! Whoever does not show the whole code is told nothing but that it is wrong. Who does is told why it is not good any
//! more: a technician shall know what to do next.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::{MachineId, SiteId};
use domain::units::UnixMicros;
use sha2::{Digest, Sha256};
use store::fact::{EnrolmentFact, NewEnrolled};
use store::registry::{
    Enrolment, EnrolmentCode, EnrolmentCodeState, EnrolmentStanding, EnrolmentTarget, SecretHash,
};
use store::{StoreError, StoreErrorKind};
use subtle::ConstantTimeEq;
use wire::api::v1;
use wire::api::v1::enrol_response::Outcome;
use wire::api::v1::get_enrolment_response::Outcome as Standing;
use wire::enrolment::{
    Answer, NAME_CHARACTERS_MAX, NONCE_OCTETS, SHOWN_OCTETS, Shown, VERSION_CHARACTERS_MAX,
};

use super::Enrolments;
use crate::access::attempts::Attempts;
use crate::access::{Caller, Denied, Scope};
use crate::audit::Refused;
use crate::check::Check;
use crate::status::ApiError;

const ENROL: &str = "EnrolmentService/Enrol";
const GET: &str = "EnrolmentService/GetEnrolment";
/// How long the answer to a wrong code takes: longer than a fact takes to be written, so that its time does not tell whether
/// there is a code with this identity.
const WRONG_CODE_TAKES: Duration = Duration::from_millis(250);
/// What stands for an agent that shows no code.
const NO_CODE: &str = "nonce";
/// The hash of no code: what is compared if there is none.
const NO_HASH: SecretHash = [0; 32];

/// What an agent says of itself.
struct Asked {
    nonce: SecretHash,
    name: String,
    agent_version: String,
    now: UnixMicros,
}

impl Enrolments {
    pub(super) async fn enrol(
        &self,
        caller: Caller,
        _scope: Scope,
        request: v1::EnrolRequest,
    ) -> Result<v1::EnrolResponse, ApiError> {
        let mut check = Check::default();
        let shown = Shown::new(&request.code);
        if shown.is_none() {
            let found = request.code.len();
            check.wrong("code", format!("has {found} octets; {SHOWN_OCTETS} are allowed"));
        }
        let nonce = check.nonce(&request.nonce);
        let name = check.text("name", &request.name, NAME_CHARACTERS_MAX);
        let agent_version = check.text("agent_version", &request.agent_version, VERSION_CHARACTERS_MAX);
        check.finish()?;
        let shown = shown.expect("a code that is not valid is a violation");
        let asked = Asked { nonce, name, agent_version, now: self.surroundings.now() };
        let Some(code) = self.tried(&caller, &shown, asked.now)? else {
            // Whether it is counted, and so whether there is such a code, shows neither in the answer nor in its time.
            tokio::join!(self.count_wrong(&shown, asked.now), tokio::time::sleep(WRONG_CODE_TAKES));
            return Err(Denied::WrongCode.into());
        };
        let answer = match &code.target {
            EnrolmentTarget::Machine { machine } => self.enrol_machine(&caller, &code, machine, &asked).await,
            EnrolmentTarget::Site { site, .. } => self.wait(&caller, &code, site, asked).await,
        };
        let outcome = match answer? {
            Answer::Credential(credential) => Outcome::Credential(credential),
            Answer::Waiting(comparison) => Outcome::Comparison(comparison),
        };
        Ok(v1::EnrolResponse { outcome: Some(outcome) })
    }

    pub(super) fn get_enrolment(
        &self,
        caller: Caller,
        _scope: Scope,
        request: v1::GetEnrolmentRequest,
    ) -> Result<v1::GetEnrolmentResponse, ApiError> {
        let mut check = Check::default();
        let nonce = check.nonce(&request.nonce);
        check.finish()?;
        let now = self.surroundings.now();
        let registry = self.ledger.registry();
        let Some(found) = registry.enrolment(&nonce).filter(|one| bool::from(one.nonce.ct_eq(&nonce))) else {
            let begun = self.attempts().begin(NO_CODE, caller.peer, now);
            begun.map_err(|wait_us| self.too_many(&caller, GET, wait_us))?;
            return Err(ApiError::NotFound { what: "enrolment", id: "of this nonce".to_owned() });
        };
        let outcome = match self.standing(found, now)? {
            Answer::Credential(credential) => Standing::Credential(credential),
            Answer::Waiting(comparison) => Standing::Comparison(comparison),
        };
        Ok(v1::GetEnrolmentResponse { outcome: Some(outcome) })
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The code that is shown; `None`: it is wrong. Whoever guesses has to wait, and nobody else: many agents may come with
    /// one code from one address at once.
    fn tried(
        &self,
        caller: &Caller,
        shown: &Shown,
        now: UnixMicros,
    ) -> Result<Option<EnrolmentCode>, ApiError> {
        let tried = format!("{:06x}", shown.id());
        let mut attempts = self.attempts();
        if let Err(wait_us) = attempts.begin(&tried, caller.peer, now) {
            return Err(self.too_many(caller, ENROL, wait_us));
        }
        let found = self.find(shown);
        if found.is_some() {
            attempts.succeeded(&tried, caller.peer);
        }
        Ok(found)
    }

    fn too_many(&self, caller: &Caller, method: &str, wait_us: i64) -> ApiError {
        self.note(caller, method, "TOO_MANY_ATTEMPTS");
        ApiError::TooManyAttempts { seconds: wait_us.cast_unsigned().div_ceil(1_000_000) }
    }

    fn note(&self, caller: &Caller, method: &str, reason: &'static str) {
        let (author, method, peer) = (caller.name(), method.to_owned(), caller.peer());
        self.gate.note(Refused { author, method, reason, subject: String::new(), peer });
    }

    /// The code that an agent shows, if its secret is right. One that is not there is compared, too.
    fn find(&self, shown: &Shown) -> Option<EnrolmentCode> {
        let registry = self.ledger.registry();
        let known = registry.enrolment_code(shown.id());
        let kept = known.map_or(NO_HASH, |code| code.hash);
        let fits = bool::from(kept.ct_eq(&shown.hash()));
        known.filter(|_| fits).cloned()
    }

    /// Counts a wrong secret of a code for one machine; a restart does not forget it. That of a site is not ended so: with
    /// its 64 bits it cannot be guessed, and a stranger shall not be able to end it.
    async fn count_wrong(&self, shown: &Shown, now: UnixMicros) {
        let registry = self.ledger.registry();
        let is_counted = |code: &&EnrolmentCode| {
            matches!(code.target, EnrolmentTarget::Machine { .. })
                && code.state(now) == EnrolmentCodeState::Open
        };
        let Some(code) = registry.enrolment_code(shown.id()).filter(is_counted) else { return };
        let tried = EnrolmentFact::CodeTried { code: code.id };
        match self.add(author(code.id), now, tried).await {
            Ok(_) => {}
            // Others have ended it meanwhile.
            Err(error) if error.kind == StoreErrorKind::Conflict => {}
            // Nor can the code be used then: that would be a fact, too.
            Err(error) => tracing::error!(%error, "a wrong secret of an enrolment code could not be counted"),
        }
    }

    /// With a code for one machine: its next credential.
    async fn enrol_machine(
        &self,
        caller: &Caller,
        code: &EnrolmentCode,
        machine: &MachineId,
        asked: &Asked,
    ) -> Result<Answer, ApiError> {
        if let Some(generation) = code.repeats(&asked.nonce, asked.now) {
            return self.handed_out(machine, generation);
        }
        let (nonce, peer) = (asked.nonce, caller.peer());
        let new = NewEnrolled { code: code.id, nonce, machine: machine.clone(), peer };
        match self.add(author(code.id), asked.now, EnrolmentFact::Enrolled(new)).await {
            Ok(_) => {}
            Err(error) => return self.not_taken(caller, code.id, asked, error),
        }
        let registry = self.ledger.registry();
        let unknown = || ApiError::NotFound { what: "machine", id: machine.to_string() };
        let changed = registry.machines().get(machine).ok_or_else(unknown)?;
        let generation = changed.key_generation;
        tracing::info!(machine.id = %machine, generation, peer = caller.peer(), "an agent was enrolled");
        self.credential(changed).map(Answer::Credential)
    }

    /// With a site's code: it waits for approval.
    async fn wait(
        &self,
        caller: &Caller,
        code: &EnrolmentCode,
        site: &SiteId,
        asked: Asked,
    ) -> Result<Answer, ApiError> {
        let registry = self.ledger.registry();
        if let Some(known) = registry.enrolment(&asked.nonce) {
            return self.standing(known, asked.now);
        }
        let Asked { nonce, name, agent_version, now } = &asked;
        let waiting = Enrolment {
            nonce: *nonce,
            number: 0,
            code: code.id,
            site: site.clone(),
            name: name.clone(),
            agent_version: agent_version.clone(),
            peer: caller.peer(),
            comparison: self.comparison(*now)?,
            asked: *now,
            standing: EnrolmentStanding::Waiting,
        };
        let comparison = waiting.comparison.clone();
        match self.add(author(code.id), *now, EnrolmentFact::Asked(waiting)).await {
            Ok(_) => {
                tracing::info!(site.id = %site, peer = caller.peer(), "an agent waits for approval");
                Ok(Answer::Waiting(comparison))
            }
            Err(error) => self.not_taken(caller, code.id, &asked, error),
        }
    }

    /// Six digits that no other agent that waits has: the server chooses them, so that nobody can aim at another's.
    fn comparison(&self, now: UnixMicros) -> Result<String, ApiError> {
        let registry = self.ledger.registry();
        loop {
            let mut octets = [0; 8];
            getrandom::fill(&mut octets).map_err(ApiError::NoRandomness)?;
            let comparison = format!("{:06}", u64::from_be_bytes(octets) % 1_000_000);
            if !registry.enrolments().any(|one| one.is_waiting(now) && one.comparison == comparison) {
                return Ok(comparison);
            }
        }
    }

    /// Why the store did not take what an agent asked: mostly the code is no longer good. The registry says what became of
    /// it, also if somebody else was faster.
    fn not_taken(
        &self,
        caller: &Caller,
        code: u32,
        asked: &Asked,
        error: StoreError,
    ) -> Result<Answer, ApiError> {
        if error.kind != StoreErrorKind::Conflict {
            return Err(error.into());
        }
        let registry = self.ledger.registry();
        // The same agent asked twice at once.
        if let Some(known) = registry.enrolment(&asked.nonce) {
            return self.standing(known, asked.now);
        }
        let Some(code) = registry.enrolment_code(code) else { return Err(error.into()) };
        if let (Some(generation), EnrolmentTarget::Machine { machine }) =
            (code.repeats(&asked.nonce, asked.now), &code.target)
        {
            return self.handed_out(machine, generation);
        }
        let (reason, message) = match code.state(asked.now) {
            EnrolmentCodeState::Open => return Err(error.into()),
            EnrolmentCodeState::Used if code.machines_max() > 1 => {
                ("CODE_USED", "as many agents as may have come with this code; staff can make another")
            }
            EnrolmentCodeState::Used => ("CODE_USED", "the code was used already; it is good once"),
            EnrolmentCodeState::Expired => ("CODE_EXPIRED", "the code has expired"),
            EnrolmentCodeState::Revoked => ("CODE_REVOKED", "the code was revoked"),
            EnrolmentCodeState::TriedOut => {
                ("CODE_TRIED_OUT", "the code has ended, because it was tried wrongly too often")
            }
        };
        self.note(caller, ENROL, reason);
        Err(ApiError::NotNow { reason, message: message.to_owned() })
    }

    /// How it stands with an agent that came with a site's code.
    fn standing(&self, one: &Enrolment, now: UnixMicros) -> Result<Answer, ApiError> {
        let not_now = |reason, message: &str| Err(ApiError::NotNow { reason, message: message.to_owned() });
        if now >= one.ends() {
            return not_now(
                "TOO_LATE",
                "nobody answered in time, or the answer was not collected; begin again",
            );
        }
        match &one.standing {
            EnrolmentStanding::Waiting => Ok(Answer::Waiting(one.comparison.clone())),
            EnrolmentStanding::Approved { machine, generation, .. } => self.handed_out(machine, *generation),
            EnrolmentStanding::Refused { .. } => not_now("REFUSED", "staff have refused this computer"),
        }
    }

    /// The credential that was handed out before, as long as there is no newer one.
    fn handed_out(&self, machine: &MachineId, generation: u32) -> Result<Answer, ApiError> {
        let registry = self.ledger.registry();
        let known = registry.machines().get(machine);
        let same = known.filter(|machine| machine.key_generation == generation);
        match same.filter(|machine| machine.revoked_since().is_none()) {
            Some(machine) => self.credential(machine).map(Answer::Credential),
            None => {
                let message = "the machine has got another credential since, or it was revoked".to_owned();
                Err(ApiError::NotNow { reason: "CREDENTIAL_REPLACED", message })
            }
        }
    }
}

/// How facts name an agent that is known by its code only.
fn author(code: u32) -> String {
    format!("code:{code:06x}")
}

impl Check {
    /// What is kept of an agent's nonce.
    fn nonce(&mut self, octets: &[u8]) -> SecretHash {
        if octets.len() != NONCE_OCTETS {
            let found = octets.len();
            self.wrong("nonce", format!("has {found} octets; {NONCE_OCTETS} are allowed"));
        }
        Sha256::digest(octets).into()
    }
}
