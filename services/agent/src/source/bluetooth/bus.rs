//! The conversation with bluetoothd over D-Bus: questions and answers, and what it tells unasked.
//!
//! Names of interfaces and methods are those of BlueZ's own documents, `org.bluez.Adapter` and others. No method that
//! writes to a machine is named in here.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use domain::limits::{BLUETOOTH_FRAMES_WAITING_MAX, BLUETOOTH_MESSAGES_WAITING_MAX};
use domain::units::MonotonicMicros;
use tokio_stream::StreamExt;
use zbus::message::{Message, Type};
use zbus::zvariant::{DynamicType, OwnedObjectPath};
use zbus::{Connection, MessageStream, connection};

use super::tree::{self, Properties, Tree};
use super::wanted::Heard;
use crate::clock;
use crate::source::Lost;

const BLUEZ: &str = "org.bluez";
const BUS: &str = "org.freedesktop.DBus";
const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// How long the bus may take to let us in, and bluetoothd to answer a question that needs no machine.
const ANSWER: Duration = Duration::from_secs(10);

/// What the bus is asked to pass on.
const RULES: [&str; 2] = [
    "type='signal',sender='org.bluez'",
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',\
     member='NameOwnerChanged',arg0='org.bluez'",
];

/// A notification.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) at: MonotonicMicros,
    pub(super) heard: Heard,
    pub(super) octets: Vec<u8>,
}

/// Why a question was not answered.
#[derive(Debug)]
pub(super) enum Refused {
    /// bluetoothd says no.
    Error {
        /// The D-Bus name of the error.
        name: String,
        /// What it says beside.
        words: String,
    },
    /// It says nothing in time.
    Late,
    /// There is nobody to ask any more.
    Lost(Lost),
}

impl Refused {
    /// Whether bluetoothd refused with this error.
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Refused::Error { name, .. } if name.strip_prefix("org.bluez.Error.") == Some(wanted))
    }

    /// As the reason for a loss; `what` was tried.
    pub(super) fn lost(self, what: &str) -> Lost {
        match self {
            Refused::Error { name, words } => {
                let name = name.rsplit('.').next().unwrap_or(&name);
                Lost(format!("{what}: bluetoothd says {name} {words}").trim_end().to_owned())
            }
            Refused::Late => Lost(format!("{what}: no answer in time")),
            Refused::Lost(lost) => lost,
        }
    }
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Bluez {
    connection: Connection,
    messages: MessageStream,
    /// bluetoothd's unique name; nobody else is believed.
    owner: Option<String>,
    pub(super) tree: Tree,
    /// Paths that are listened to.
    listening: HashMap<String, Heard>,
    frames: VecDeque<Frame>,
}

impl Bluez {
    /// Joins the bus and asks for everything that bluetoothd knows.
    pub(super) async fn open(address: Option<&str>) -> Result<Bluez, Lost> {
        let where_to = address.unwrap_or("the system bus");
        let fails =
            |error: &dyn std::fmt::Display| Lost(format!("cannot reach D-Bus at {where_to}: {error}"));
        let builder = match address {
            Some(address) => connection::Builder::address(address),
            None => connection::Builder::system(),
        };
        let builder = builder.map_err(|error| fails(&error))?.max_queued(BLUETOOTH_MESSAGES_WAITING_MAX);
        let connection = match tokio::time::timeout(ANSWER, builder.build()).await {
            Ok(connection) => connection.map_err(|error| fails(&error))?,
            Err(_) => return Err(fails(&"no answer in time")),
        };
        let messages = MessageStream::from(&connection);
        let mut bluez = Bluez {
            connection,
            messages,
            owner: None,
            tree: Tree::default(),
            listening: HashMap::new(),
            frames: VecDeque::new(),
        };
        for rule in RULES {
            let asked = bluez.ask(BUS, "/org/freedesktop/DBus", BUS, "AddMatch", &rule, ANSWER).await;
            asked.map_err(|refused| refused.lost("the bus does not pass on signals"))?;
        }
        bluez.refresh().await?;
        Ok(bluez)
    }

    /// Asks for all objects anew: those of a machine that has just been connected may be told late.
    pub(super) async fn refresh(&mut self) -> Result<(), Lost> {
        type Objects = HashMap<OwnedObjectPath, HashMap<String, Properties>>;
        let asked = self.ask(BLUEZ, "/", OBJECT_MANAGER, "GetManagedObjects", &(), ANSWER).await;
        let answer = asked.map_err(absent)?;
        self.owner = answer.header().sender().map(|sender| sender.as_str().to_owned());
        let objects: Objects = answer
            .body()
            .deserialize()
            .map_err(|error| Lost(format!("cannot read what bluetoothd says of its objects: {error}")))?;
        self.tree = Tree::default();
        for (path, interfaces) in objects {
            for (interface, properties) in interfaces {
                self.tree.update(path.as_str(), &interface, &properties);
            }
        }
        Ok(())
    }

    /// Asks bluetoothd something about one of its objects. What it tells meanwhile is taken in.
    pub(super) async fn call<B>(
        &mut self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
        patience: Duration,
    ) -> Result<Message, Refused>
    where
        B: serde::Serialize + DynamicType,
    {
        self.ask(BLUEZ, path, interface, method, body, patience).await
    }

    async fn ask<B>(
        &mut self,
        whom: &str,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
        patience: Duration,
    ) -> Result<Message, Refused>
    where
        B: serde::Serialize + DynamicType,
    {
        let connection = self.connection.clone();
        let call = connection.call_method(Some(whom), path, Some(interface), method, body);
        let call = tokio::time::timeout(patience, call);
        tokio::pin!(call);
        loop {
            let message = tokio::select! {
                answer = &mut call => return match answer {
                    Ok(Ok(message)) => Ok(message),
                    Ok(Err(zbus::Error::MethodError(name, words, _))) => Err(Refused::Error {
                        name: name.as_str().to_owned(),
                        words: words.unwrap_or_default(),
                    }),
                    Ok(Err(error)) => Err(Refused::Lost(Lost(format!("D-Bus does not work: {error}")))),
                    Err(_) => Err(Refused::Late),
                },
                message = self.messages.next() => message,
            };
            self.take(message).map_err(Refused::Lost)?;
        }
    }

    /// Waits for the next that bluetoothd tells, and takes it in. Dropping this loses nothing.
    pub(super) async fn hear(&mut self) -> Result<(), Lost> {
        let message = self.messages.next().await;
        self.take(message)
    }

    /// Waits until what is known answers a question; `None`: not in time.
    pub(super) async fn until<R>(
        &mut self,
        patience: Duration,
        mut question: impl FnMut(&Tree) -> Option<R>,
    ) -> Result<Option<R>, Lost> {
        let over = tokio::time::sleep(patience);
        tokio::pin!(over);
        loop {
            if let Some(answer) = question(&self.tree) {
                return Ok(Some(answer));
            }
            tokio::select! {
                heard = self.hear() => heard?,
                () = &mut over => return Ok(None),
            }
        }
    }

    /// From now on, frames of this path are kept. The first one may come before bluetoothd has said that it notifies.
    pub(super) fn listen(&mut self, path: &str, heard: Heard) {
        self.listening.insert(path.to_owned(), heard);
    }

    /// bluetoothd has said that it notifies what is listened to.
    pub(super) fn is_notified(&mut self, path: &str) {
        if let Some(attribute) = self.tree.attributes.get_mut(path) {
            attribute.is_notifying = true;
        }
    }

    /// It is not listened to after all.
    pub(super) fn leave(&mut self, path: &str) {
        self.listening.remove(path);
    }

    /// The next frame that has come.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// What is listened to and is not told any more.
    pub(super) fn fallen_silent(&self) -> Option<Heard> {
        let is_silent = |path: &str| self.tree.attributes.get(path).is_none_or(|known| !known.is_notifying);
        self.listening.iter().find(|(path, _)| is_silent(path)).map(|(_, heard)| *heard)
    }

    /// A handle that can still speak when this conversation has been dropped.
    pub(super) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    fn take(&mut self, message: Option<zbus::Result<Message>>) -> Result<(), Lost> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(Lost(format!("the connection to D-Bus broke: {error}"))),
            None => return Err(Lost("the connection to D-Bus has ended".to_owned())),
        };
        let header = message.header();
        if header.message_type() != Type::Signal {
            return Ok(());
        }
        let sender = header.sender().map(|sender| sender.as_str());
        let interface = header.interface().map_or("", |interface| interface.as_str());
        let member = header.member().map_or("", |member| member.as_str());
        let path = header.path().map_or("", |path| path.as_str());
        if (sender, interface, member) == (Some(BUS), BUS, "NameOwnerChanged") {
            return self.owner_changed(&message);
        }
        if sender.is_none() || sender != self.owner.as_deref() {
            return Ok(());
        }
        let taken = match (interface, member) {
            (OBJECT_MANAGER, "InterfacesAdded") => self.added(&message),
            (OBJECT_MANAGER, "InterfacesRemoved") => self.removed(&message),
            (PROPERTIES, "PropertiesChanged") => self.changed(path, &message),
            _ => Ok(()),
        };
        if let Err(error) = taken {
            tracing::warn!(path, member, %error, "bluetoothd tells something that cannot be read");
        }
        Ok(())
    }

    fn owner_changed(&mut self, message: &Message) -> Result<(), Lost> {
        let told: zbus::Result<(String, String, String)> = message.body().deserialize();
        let Some((_, _, new)) = told.ok().filter(|(name, _, _)| name == BLUEZ) else { return Ok(()) };
        match &self.owner {
            Some(owner) if *owner != new && new.is_empty() => Err(Lost("bluetoothd has ended".to_owned())),
            Some(owner) if *owner != new => Err(Lost("bluetoothd was started again".to_owned())),
            Some(_) | None => Ok(()),
        }
    }

    fn added(&mut self, message: &Message) -> zbus::Result<()> {
        let (path, interfaces): (OwnedObjectPath, HashMap<String, Properties>) =
            message.body().deserialize()?;
        for (interface, properties) in interfaces {
            self.tree.update(path.as_str(), &interface, &properties);
        }
        Ok(())
    }

    fn removed(&mut self, message: &Message) -> zbus::Result<()> {
        let (path, interfaces): (OwnedObjectPath, Vec<String>) = message.body().deserialize()?;
        self.tree.remove(path.as_str(), &interfaces);
        Ok(())
    }

    fn changed(&mut self, path: &str, message: &Message) -> zbus::Result<()> {
        let (interface, properties, gone): (String, Properties, Vec<String>) =
            message.body().deserialize()?;
        self.tree.update(path, &interface, &properties);
        self.tree.invalidate(path, &interface, &gone);
        let listened = self.listening.get(path).filter(|_| interface == tree::CHARACTERISTIC);
        let octets = properties.get("Value").and_then(tree::octets);
        if let Some((heard, octets)) = listened.zip(octets) {
            if self.frames.len() == BLUETOOTH_FRAMES_WAITING_MAX {
                self.frames.pop_front();
                tracing::warn!(path, "too many frames wait: the oldest was dropped");
            }
            self.frames.push_back(Frame { at: clock::monotonic(), heard: *heard, octets });
        }
        Ok(())
    }
}

/// Why nobody says what objects there are.
fn absent(refused: Refused) -> Lost {
    let Refused::Error { name, words } = &refused else {
        return refused.lost("bluetoothd is asked for its objects");
    };
    let reason = match name.as_str() {
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            "bluetoothd is not running"
        }
        "org.freedesktop.DBus.Error.AccessDenied" => {
            "bluetoothd may not be spoken to: this user needs the group bluetooth or a D-Bus policy"
        }
        _ => "bluetoothd cannot be asked",
    };
    Lost(format!("{reason} ({name}: {words})"))
}
