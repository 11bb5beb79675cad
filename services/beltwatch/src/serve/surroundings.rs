//! What the API is told of the rest of the server.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use api::{Part, Refusal, Surroundings};
use domain::units::UnixMicros;
use ingest::IngestHandle;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use store::registry::Machine;
use wire::credential::Credential;
use wire::enrolment::Fingerprint;
use wire::keys::MasterKey;

use crate::tls::Tls;

/// The process's metrics. Several servers in one process, as in tests, share them.
static METRICS: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Begins to keep metrics; once in a process.
pub(super) fn keep_metrics() -> anyhow::Result<PrometheusHandle> {
    let mut kept = METRICS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*kept {
        return Ok(handle.clone());
    }
    let installed = PrometheusBuilder::new().install_recorder();
    let handle = installed.context("metrics are kept by somebody else in this process")?;
    *kept = Some(handle.clone());
    Ok(handle)
}

/// The server around the API.
pub(super) struct Around {
    pub(super) ingest: Arc<IngestHandle>,
    pub(super) metrics: PrometheusHandle,
    pub(super) broker: String,
    pub(super) url: String,
    pub(super) master: MasterKey,
    /// What makes machines' certificates, if the broker is one that asks for them.
    pub(super) tls: Option<Arc<Tls>>,
    /// The authority by which agents that enrol know the API's port, if it speaks TLS.
    pub(super) authority: Option<Fingerprint>,
}

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").field("broker", &self.broker).finish_non_exhaustive()
    }
}

impl Surroundings for Around {
    fn now(&self) -> UnixMicros {
        unix_now()
    }

    fn readiness(&self) -> Vec<Part> {
        let troubles = self.ingest.readiness().troubles();
        let state = |part| match troubles.iter().find(|(troubled, _)| *troubled == part) {
            Some((_, message)) => Err(message.clone()),
            None => Ok(()),
        };
        use ingest::readiness::Part as P;
        let parts = [P::Events, P::Readings, P::Journal, P::Ledger, P::Telemetry];
        parts.into_iter().map(|part| Part { name: part.name(), state: state(part) }).collect()
    }

    fn metrics(&self) -> String {
        self.metrics.render()
    }

    fn refusals(&self) -> Vec<Refusal> {
        let shown = |refused: ingest::refusals::Refused| Refusal {
            time: refused.time,
            topic: refused.topic,
            reason: refused.reason.name().to_owned(),
            detail: refused.detail,
            count: self.ingest.counters().refused_for(refused.reason),
        };
        self.ingest.refusals().into_iter().map(shown).collect()
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    fn settled(&self) -> Option<UnixMicros> {
        self.ingest.settled()
    }

    fn credential(&self, machine: &Machine) -> Result<Credential, String> {
        let tls = self.tls.as_ref();
        let tls = tls.map(|tls| tls.machine(&machine.id, machine.key_generation, self.now())).transpose();
        Ok(Credential {
            machine: machine.id.clone(),
            generation: machine.key_generation,
            key: self.master.machine_key(&machine.id, machine.key_generation),
            broker: self.broker.clone(),
            tls: tls.map_err(|error| format!("{error:#}"))?,
        })
    }

    fn authority(&self) -> Option<Fingerprint> {
        self.authority
    }
}

/// This computer's clock.
#[expect(clippy::disallowed_methods, reason = "the server's clock is asked for here")]
pub(super) fn unix_now() -> UnixMicros {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
