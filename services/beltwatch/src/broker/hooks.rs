//! Where the broker's library asks for decisions and tells what happens.

use std::sync::Arc;

use async_trait::async_trait;
use domain::ids::MachineId;
use rmqtt::acl::AuthInfo;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::context::ServerContext;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType, Type};
use rmqtt::net::MqttError;
use rmqtt::session::Session;
use rmqtt::types::{
    AuthResult, ConnectInfo, From, Id, Publish, PublishAclResult, Reason as End, Subscribe,
    SubscribeAclResult,
};
use wire::topics::Kind;

use super::backlog::{self, Backlog};
use super::front::Shown;
use super::refusals::{Reason, Refusals};
use super::rights::{self, Who};
use super::{Access, metrics};

/// What the decisions need.
pub(crate) struct Gate {
    pub(crate) access: Arc<dyn Access>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) backlog: Backlog<Id>,
    /// With TLS: whose certificates were shown.
    pub(crate) shown: Option<Arc<Shown>>,
}

impl Gate {
    /// Takes part in all that concerns us.
    pub(crate) async fn register(self: &Arc<Gate>, context: &ServerContext) {
        let register = context.extends.hook_mgr().register();
        for hook in [
            Type::ClientAuthenticate,
            Type::ClientConnected,
            Type::ClientDisconnected,
            Type::ClientSubscribeCheckAcl,
            Type::SessionSubscribed,
            Type::SessionUnsubscribed,
            Type::MessagePublishCheckAcl,
            Type::MessageDelivered,
            Type::MessageDropped,
        ] {
            register.add(hook, Box::new(Hooks(self.clone()))).await;
        }
        register.start().await;
    }

    fn authenticate(&self, info: &ConnectInfo) -> AuthResult {
        let refused = |reason, what: &str| {
            self.refusals.refuse(reason, info.client_id(), what);
            if reason == Reason::Login {
                AuthResult::BadUsernameOrPassword
            } else {
                AuthResult::NotAuthorized
            }
        };
        let ConnectInfo::V3(id, connect) = info else {
            return refused(Reason::Protocol, "MQTT 5");
        };
        let user = connect.username.as_deref();
        let Some(who) = self.access.authenticate(&id.client_id, user, connect.password.as_deref()) else {
            return refused(Reason::Login, user.unwrap_or("no user name"));
        };
        if let Some(shown) = &self.shown
            && let Err(reason) =
                rights::certificate(&who, id.remote_addr.and_then(|from| shown.by(from)).as_ref())
        {
            return refused(reason, user.unwrap_or_default());
        }
        if let Err(reason) = rights::client_id(&who, &id.client_id) {
            return refused(reason, user.unwrap_or_default());
        }
        if let Some(will) = &connect.last_will
            && let Err(reason) = rights::will(&who, &will.topic)
        {
            return refused(reason, &will.topic);
        }
        // `superuser` here is our note in the session, read by `who`; the first `false` is what the library acts on:
        // nobody gets past the rights.
        let note = AuthInfo { superuser: who == Who::Service, expire_at: None, rules: Vec::new() };
        AuthResult::Allow(false, Some(note))
    }

    async fn publish(&self, session: &Session, publish: &Publish) -> PublishAclResult {
        let refused = |reason, is_offence| {
            self.refusals.refuse(reason, &session.id.client_id, &publish.topic);
            PublishAclResult::rejected(is_offence, None)
        };
        let allowed = who(session).ok_or(Reason::Publish);
        match allowed.and_then(|who| rights::publish(&who, &publish.topic, publish.retain)) {
            Err(reason) => refused(reason, true),
            Ok(kind) if self.backlog.take(kind, weight(publish)).await => PublishAclResult::allow(),
            Ok(_) => refused(Reason::Behind, false),
        }
    }

    fn subscribe(&self, session: &Session, subscribe: &Subscribe) -> SubscribeAclResult {
        let allowed = who(session).ok_or(Reason::Subscribe);
        match allowed.and_then(|who| rights::subscribe(&who, &subscribe.topic_filter)) {
            Ok(_) => SubscribeAclResult::new_success(subscribe.opts.qos(), None),
            Err(reason) => {
                self.refusals.refuse(reason, &session.id.client_id, &subscribe.topic_filter);
                SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)
            }
        }
    }

    fn disconnected(&self, session: &Session, end: &End) {
        metrics::connections(session.scx.connections.count());
        self.backlog.ended(&session.id);
        if let Some(offence) = offence(end) {
            self.refusals.refuse(Reason::Packet, &session.id.client_id, &offence);
        }
        tracing::debug!(client = ?session.id.client_id, end = %end, "a client has left the broker");
    }
}

/// What a client sent that ended its connection, in the library's words; none if it ended otherwise.
fn offence(end: &End) -> Option<String> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's reasons, of which these are the client's fault"
    )]
    match end {
        End::Reasons(ends) => ends.iter().find_map(offence),
        End::MqttError(MqttError::Decode(error)) => Some(error.to_string()),
        End::ProtocolError(text) => Some(text.to_string()),
        // What the decoder says arrives as text; a broken connection, too.
        End::Error(text) if !text.starts_with("io error") => Some(text.to_string()),
        _ => None,
    }
}

/// Who authenticated on this connection.
fn who(session: &Session) -> Option<Who> {
    let note = session.auth_info.as_ref()?;
    if note.superuser {
        return Some(Who::Service);
    }
    MachineId::new(&session.id.client_id).ok().map(Who::Machine)
}

fn weight(publish: &Publish) -> u32 {
    backlog::weight(&publish.topic, &publish.payload)
}

/// The kind of which a subscription takes all.
fn kind_of(session: &Session, filter: &str) -> Option<Kind> {
    rights::subscribe(&who(session)?, filter).ok().flatten()
}

/// Whether room was taken for it when it was published: not for retained messages, wills and repetitions.
fn has_taken_room(from: &From, publish: &Publish) -> bool {
    from.is_custom() && !publish.retain && !publish.dup
}

struct Hooks(Arc<Gate>);

#[async_trait]
impl Handler for Hooks {
    #[expect(elided_lifetimes_in_paths, reason = "the library's signature, word for word")]
    async fn hook(&self, parameter: &Parameter, before: Option<HookResult>) -> ReturnType {
        let gate = &self.0;
        let decided = |result| (false, Some(result));
        #[expect(clippy::wildcard_enum_match_arm, reason = "the library's hooks, of which these concern us")]
        match parameter {
            Parameter::ClientAuthenticate(info) => {
                return decided(HookResult::AuthResult(gate.authenticate(info)));
            }
            Parameter::MessagePublishCheckAcl(session, publish) => {
                return decided(HookResult::PublishAclResult(gate.publish(session, publish).await));
            }
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                return decided(HookResult::SubscribeAclResult(gate.subscribe(session, subscribe)));
            }
            // This one is counted a moment later.
            Parameter::ClientConnected(session) => metrics::connections(session.scx.connections.count() + 1),
            Parameter::ClientDisconnected(session, end) => gate.disconnected(session, end),
            Parameter::SessionSubscribed(session, subscribe) => {
                if let Some(kind) = kind_of(session, &subscribe.topic_filter) {
                    gate.backlog.subscribed(session.id.clone(), kind);
                }
            }
            Parameter::SessionUnsubscribed(session, unsubscribe) => {
                if let Some(kind) = kind_of(session, &unsubscribe.topic_filter) {
                    gate.backlog.unsubscribed(&session.id, kind);
                }
            }
            Parameter::MessageDelivered(session, from, publish) if has_taken_room(from, publish) => {
                gate.backlog.give(&session.id, weight(publish));
            }
            Parameter::MessageDropped(Some(to), from, publish, _) => {
                metrics::dropped();
                if has_taken_room(from, publish) {
                    gate.backlog.give(to, weight(publish));
                }
            }
            _ => {}
        }
        (true, before)
    }
}
