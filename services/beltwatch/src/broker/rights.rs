//! Who may say and hear what. Topics are read by `wire`; nothing here knows the broker's library.

use domain::ids::MachineId;
use wire::topics::{Kind, Topic, filter_all};

use super::refusals::Reason;

/// Kinds that go from the agents to the ingest.
pub(crate) const UPSTREAM: [Kind; 3] = [Kind::Events, Kind::Readings, Kind::Status];

/// Who a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The agent of a machine. Its client id must be the machine's id: so a machine has one connection, the newest,
    /// and no machine can push another's agent out.
    Machine(MachineId),
    /// Our own ingest, or a bench in its place.
    Service,
}

/// Whether a client may use this client id.
///
/// # Errors
/// It is not the machine's.
pub(crate) fn client_id(who: &Who, client_id: &str) -> Result<(), Reason> {
    match who {
        Who::Machine(machine) if machine.as_str() == client_id => Ok(()),
        Who::Machine(_) => Err(Reason::ClientId),
        Who::Service => Ok(()),
    }
}

/// Whether a client may connect with this machine's certificate, or with none, where TLS is required: a machine with its
/// own only, and this server without, from within.
///
/// # Errors
/// The certificate is another machine's, or there is none.
pub(crate) fn certificate(who: &Who, shown: Option<&MachineId>) -> Result<(), Reason> {
    match (who, shown) {
        (Who::Machine(machine), Some(shown)) if machine == shown => Ok(()),
        (Who::Service, None) => Ok(()),
        (Who::Machine(_) | Who::Service, Some(_) | None) => Err(Reason::Certificate),
    }
}

/// What a message that may be published carries.
///
/// # Errors
/// The topic is not the client's to publish to, or a message other than a status asks to be retained.
pub(crate) fn publish(who: &Who, topic: &str, is_retained: bool) -> Result<Kind, Reason> {
    let topic = Topic::parse(topic).map_err(|_| Reason::Publish)?;
    let is_allowed = match (who, topic.kind) {
        (Who::Machine(machine), Kind::Events | Kind::Readings | Kind::Status) => *machine == topic.machine,
        (Who::Machine(_), Kind::Ack) => false,
        (Who::Service, Kind::Ack) => true,
        (Who::Service, Kind::Events | Kind::Readings | Kind::Status) => false,
    };
    if !is_allowed {
        return Err(Reason::Publish);
    }
    if is_retained && topic.kind != Kind::Status {
        return Err(Reason::Retained);
    }
    Ok(topic.kind)
}

/// The upstream kind of which a subscription takes all, or none if it is a machine's to its acks.
///
/// # Errors
/// The filter is not one of those that the client may use: word for word, so that no wildcard, shared subscription
/// or `$SYS` gets past.
pub(crate) fn subscribe(who: &Who, filter: &str) -> Result<Option<Kind>, Reason> {
    match who {
        Who::Machine(machine) => match Topic::parse(filter) {
            Ok(topic) if topic.machine == *machine && topic.kind == Kind::Ack => Ok(None),
            Ok(_) | Err(_) => Err(Reason::Subscribe),
        },
        Who::Service => {
            let kind = UPSTREAM.into_iter().find(|kind| filter_all(*kind) == filter);
            kind.map(Some).ok_or(Reason::Subscribe)
        }
    }
}

/// Whether a client may leave a will on this topic: a machine on its own status only.
///
/// # Errors
/// It may not.
pub(crate) fn will(who: &Who, topic: &str) -> Result<(), Reason> {
    match (who, Topic::parse(topic)) {
        (Who::Machine(machine), Ok(topic)) if topic.machine == *machine && topic.kind == Kind::Status => {
            Ok(())
        }
        (Who::Machine(_) | Who::Service, Ok(_) | Err(_)) => Err(Reason::Will),
    }
}

#[cfg(test)]
mod tests;
