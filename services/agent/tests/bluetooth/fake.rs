//! A bluetoothd that is none: it answers as BlueZ's documents say, over a real D-Bus connection, and writes down
//! every call. It plays the bus, too, so that no bus has to be there; on a real bus it takes bluetoothd's name.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::{Mutex, watch};
use tokio::task::AbortHandle;
use tokio_stream::StreamExt;
use zbus::message::{Header, Message, Type};
use zbus::zvariant::{DynamicType, ObjectPath, Value};
use zbus::{Connection, MessageStream, connection};

use super::world::{
    ADAPTER, CHARACTERISTIC, Call, Interfaces, PERIPHERAL, Properties, Refusal, World, properties,
};

const BUS: &str = "org.freedesktop.DBus";
const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// The unique name under which it speaks.
const ITSELF: &str = ":1.1";

/// The fake, as a test holds it.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) world: Arc<watch::Sender<World>>,
    clients: Arc<Mutex<Vec<Connection>>>,
    address: String,
    tasks: Vec<AbortHandle>,
    _folder: Option<TempDir>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Fake {
    /// A fake that is the bus as well.
    pub(crate) fn start(world: World) -> Fake {
        let folder = tempfile::tempdir().unwrap();
        let socket: PathBuf = folder.path().join("bus");
        let listener = UnixListener::bind(&socket).unwrap();
        let mut fake = Fake::new(world, format!("unix:path={}", socket.display()));
        let (world, clients) = (fake.world.clone(), fake.clients.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let builder = connection::Builder::unix_stream(stream).p2p();
                let builder = builder.server(zbus::Guid::generate()).unwrap();
                let Ok(connection) = builder.build().await else { continue };
                let messages = MessageStream::from(&connection);
                clients.lock().await.push(connection.clone());
                tokio::spawn(serve(connection, messages, world.clone(), clients.clone()));
            }
        });
        fake.tasks.push(task.abort_handle());
        fake._folder = Some(folder);
        fake
    }

    /// A fake on a bus that is there.
    pub(crate) async fn join(world: World, address: &str) -> Fake {
        let mut fake = Fake::new(world, address.to_owned());
        let builder = connection::Builder::address(address).unwrap().name("org.bluez").unwrap();
        let connection = builder.build().await.unwrap();
        let messages = MessageStream::from(&connection);
        fake.clients.lock().await.push(connection.clone());
        let task = tokio::spawn(serve(connection, messages, fake.world.clone(), fake.clients.clone()));
        fake.tasks.push(task.abort_handle());
        fake
    }

    fn new(world: World, address: String) -> Fake {
        let (world, _) = watch::channel(world);
        Fake { world: Arc::new(world), clients: Arc::default(), address, tasks: Vec::new(), _folder: None }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: impl FnMut(&World) -> bool) {
        self.world.subscribe().wait_for(what).await.unwrap();
    }

    /// Waits until the machine is listened to.
    pub(crate) async fn until_heard(&self, number: u16) {
        self.until(|world| world.machines[0].listens(number)).await;
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        self.world.send_modify(change);
    }

    /// The machine notifies; as in reality, nobody hears it who does not listen.
    pub(crate) async fn notify(&self, number: u16, octets: &[u8]) {
        let paths: Vec<String> = {
            let world = self.world.borrow();
            let machine = &world.machines[0];
            let all = machine.attributes.iter().enumerate();
            let listened = all.filter(|(_, each)| each.number == number && each.is_notifying);
            listened.map(|(index, _)| machine.attribute_path(index)).collect()
        };
        for path in paths {
            self.changed(&path, CHARACTERISTIC, properties([("Value", Value::from(octets.to_vec()))])).await;
        }
    }

    /// The machine ends the connection.
    pub(crate) async fn disconnect(&self) {
        self.change(|world| world.machine().drop_connection());
        let (path, told) = (self.machine_path(), [("Connected", false), ("ServicesResolved", false)]);
        self.changed(&path, PERIPHERAL, properties(told.map(|(name, is)| (name, Value::from(is))))).await;
    }

    /// The machine names its services at last.
    pub(crate) async fn resolve(&self) {
        self.change(|world| world.machine().is_resolved = true);
        let told = properties([("ServicesResolved", Value::from(true))]);
        self.changed(&self.machine_path(), PERIPHERAL, told).await;
    }

    pub(crate) fn machine_path(&self) -> String {
        self.world.borrow().machines[0].path()
    }

    /// Tells that properties have changed.
    pub(crate) async fn changed(&self, path: &str, interface: &str, properties: Properties) {
        let body = (interface, properties, Vec::<String>::new());
        signal(&self.clients, ITSELF, path, PROPERTIES, "PropertiesChanged", &body).await;
    }

    /// Tells that an object is gone.
    pub(crate) async fn removed(&self, path: &str, interface: &str) {
        let body = (ObjectPath::try_from(path).unwrap(), vec![interface]);
        signal(&self.clients, ITSELF, "/", OBJECT_MANAGER, "InterfacesRemoved", &body).await;
    }

    /// The bus tells that bluetoothd's name has another owner, or none.
    pub(crate) async fn owner(&self, new: &str) {
        let body = ("org.bluez", ITSELF, new);
        signal(&self.clients, BUS, "/org/freedesktop/DBus", BUS, "NameOwnerChanged", &body).await;
    }

    /// Somebody else on the bus pretends to be bluetoothd.
    pub(crate) async fn pretend(&self, number: u16, octets: &[u8]) {
        let path = {
            let world = self.world.borrow();
            let machine = &world.machines[0];
            let index = machine.attributes.iter().position(|each| each.number == number).unwrap();
            machine.attribute_path(index)
        };
        let told = properties([("Value", Value::from(octets.to_vec()))]);
        let body = (CHARACTERISTIC, told, Vec::<String>::new());
        signal(&self.clients, ":1.66", &path, PROPERTIES, "PropertiesChanged", &body).await;
    }

    /// The bus ends all connections.
    pub(crate) async fn hang_up(&self) {
        for client in self.clients.lock().await.drain(..) {
            client.close().await.unwrap();
        }
    }
}

/// Tells everybody who is there.
async fn signal<B>(
    clients: &Mutex<Vec<Connection>>,
    from: &str,
    path: &str,
    interface: &str,
    member: &str,
    body: &B,
) where
    B: serde::Serialize + DynamicType,
{
    for client in clients.lock().await.iter() {
        let builder = Message::signal(path, interface, member).unwrap();
        let message = builder.sender(from).unwrap().build(body).unwrap();
        // Who has gone hears nothing.
        let _ = client.send(&message).await;
    }
}

type Clients = Arc<Mutex<Vec<Connection>>>;

/// Answers one client until it goes.
async fn serve(
    connection: Connection,
    mut messages: MessageStream,
    world: Arc<watch::Sender<World>>,
    clients: Clients,
) {
    while let Some(Ok(message)) = messages.next().await {
        let header = message.header();
        if header.message_type() != Type::MethodCall {
            continue;
        }
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        let call = Call {
            path: text(header.path().map(|path| path.as_str())),
            interface: text(header.interface().map(|interface| interface.as_str())),
            method: text(header.member().map(|member| member.as_str())),
        };
        // A filter is kept before the call counts as made.
        if call.method == "SetDiscoveryFilter" {
            let filter: Properties = message.body().deserialize().unwrap();
            let mut names: Vec<String> = filter.keys().cloned().collect();
            names.sort_unstable();
            world.send_modify(|world| world.filter = names);
        }
        world.send_modify(|world| world.calls.push(call.clone()));
        answer(&connection, &header, &call, &world, &clients).await;
    }
}

async fn reply<B: serde::Serialize + DynamicType>(connection: &Connection, header: &Header<'_>, body: &B) {
    let builder = Message::method_return(header).unwrap().sender(ITSELF).unwrap();
    let _ = connection.send(&builder.build(body).unwrap()).await;
}

async fn refuse(connection: &Connection, header: &Header<'_>, name: &str, words: &str) {
    let builder = Message::error(header, name).unwrap().sender(ITSELF).unwrap();
    let _ = connection.send(&builder.build(&words).unwrap()).await;
}

async fn answer(
    connection: &Connection,
    header: &Header<'_>,
    call: &Call,
    world: &watch::Sender<World>,
    clients: &Clients,
) {
    if call.interface == BUS {
        return reply(connection, header, &":1.7").await;
    }
    let (is_absent, is_forbidden) = (world.borrow().is_absent, world.borrow().is_forbidden);
    if is_absent || is_forbidden {
        let name = if is_absent { "ServiceUnknown" } else { "AccessDenied" };
        return refuse(connection, header, &format!("org.freedesktop.DBus.Error.{name}"), "no").await;
    }
    if (call.interface.as_str(), call.method.as_str()) == (OBJECT_MANAGER, "GetManagedObjects") {
        let objects: std::collections::HashMap<zbus::zvariant::OwnedObjectPath, Interfaces> = {
            let all = world.borrow().objects();
            all.into_iter().map(|(path, told)| (ObjectPath::try_from(path).unwrap().into(), told)).collect()
        };
        return reply(connection, header, &objects).await;
    }
    let answered = match call.interface.as_str() {
        ADAPTER => adapter(connection, header, call, world, clients).await,
        PERIPHERAL => machine(connection, header, call, world, clients).await,
        CHARACTERISTIC => characteristic(connection, header, call, world).await,
        _ => Err(("Error.UnknownMethod", "there is no such method")),
    };
    if let Err((name, words)) = answered {
        refuse(connection, header, &format!("org.bluez.Error.{name}"), words).await;
    }
}

async fn adapter(
    connection: &Connection,
    header: &Header<'_>,
    call: &Call,
    world: &watch::Sender<World>,
    clients: &Clients,
) -> Result<(), Refusal> {
    let index = world.borrow().adapters.iter().position(|adapter| adapter.path() == call.path);
    let index = index.ok_or(("DoesNotExist", "no such adapter"))?;
    if !world.borrow().adapters[index].is_powered {
        return Err(("NotReady", "Resource Not Ready"));
    }
    let is_discovering = call.method == "StartDiscovery";
    if call.method != "SetDiscoveryFilter" {
        world.send_modify(|world| world.adapters[index].is_discovering = is_discovering);
    }
    reply(connection, header, &()).await;
    if !is_discovering {
        return Ok(());
    }
    // Those in range are heard now, in objects of their own if they were not known.
    let heard: Vec<(bool, String, Properties, Interfaces)> = {
        let mut heard = Vec::new();
        world.send_modify(|world| {
            for machine in world.machines.iter_mut().filter(|machine| machine.is_in_range) {
                let mut told = machine.properties();
                told.extend(machine.heard());
                let interfaces = [(PERIPHERAL.to_owned(), told)].into();
                heard.push((machine.is_known, machine.path(), machine.heard(), interfaces));
                machine.is_known = true;
            }
        });
        heard
    };
    for (was_known, path, told, interfaces) in heard {
        if was_known {
            let body = (PERIPHERAL, told, Vec::<String>::new());
            signal(clients, ITSELF, &path, PROPERTIES, "PropertiesChanged", &body).await;
        } else {
            let body = (ObjectPath::try_from(path).unwrap(), interfaces);
            signal(clients, ITSELF, "/", OBJECT_MANAGER, "InterfacesAdded", &body).await;
        }
    }
    Ok(())
}

async fn machine(
    connection: &Connection,
    header: &Header<'_>,
    call: &Call,
    world: &watch::Sender<World>,
    clients: &Clients,
) -> Result<(), Refusal> {
    let index =
        world.borrow().machines.iter().position(|machine| machine.is_known && machine.path() == call.path);
    let index = index.ok_or(("DoesNotExist", "no such machine"))?;
    let told = if call.method == "Connect" {
        world.borrow().machines[index].connect?;
        world.send_modify(|world| {
            let machine = &mut world.machines[index];
            machine.is_connected = true;
            machine.is_resolved |= machine.is_resolved_at_once;
        });
        let is_resolved = world.borrow().machines[index].is_resolved;
        [("Connected", true), ("ServicesResolved", is_resolved)]
    } else {
        world.send_modify(|world| world.machines[index].drop_connection());
        [("Connected", false), ("ServicesResolved", false)]
    };
    reply(connection, header, &()).await;
    let told = properties(told.map(|(name, is)| (name, Value::from(is))));
    let body = (PERIPHERAL, told, Vec::<String>::new());
    signal(clients, ITSELF, &call.path, PROPERTIES, "PropertiesChanged", &body).await;
    Ok(())
}

async fn characteristic(
    connection: &Connection,
    header: &Header<'_>,
    call: &Call,
    world: &watch::Sender<World>,
) -> Result<(), Refusal> {
    let found = {
        let world = world.borrow();
        let resolved = world.machines.iter().enumerate().filter(|(_, machine)| machine.is_resolved);
        let mut all =
            resolved.flat_map(|(at, machine)| (0..machine.attributes.len()).map(move |each| (at, each)));
        all.find(|(at, each)| world.machines[*at].attribute_path(*each) == call.path)
    };
    let (at, each) = found.ok_or(("DoesNotExist", "no such characteristic"))?;
    if call.method == "ReadValue" {
        let value = world.borrow().machines[at].attributes[each].value.clone()?;
        reply(connection, header, &value).await;
        return Ok(());
    }
    if call.method != "StartNotify" {
        return Err(("NotPermitted", "it was written down"));
    }
    world.borrow().machines[at].attributes[each].start?;
    reply(connection, header, &()).await;
    world.send_modify(|world| world.machines[at].attributes[each].is_notifying = true);
    Ok(())
}
