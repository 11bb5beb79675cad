//! The broker that the machines use: the embedded one, or another that is told of our authority, or is not.

use std::sync::Arc;

use anyhow::Context;
use ingest::BrokerAddress;

use super::access::{Access, SERVICE_USER};
use super::surroundings::unix_now;
use crate::broker::{Broker, BrokerSettings};
use crate::config::Config;
use crate::mosquitto::{self, Mosquitto};
use crate::tls::Tls;

/// The broker, with what this server has to do for it.
pub(super) struct Brokers {
    pub(super) embedded: Option<Broker>,
    /// Keeps the files of an external one.
    pub(super) mosquitto: Option<Mosquitto>,
    /// As the ingest reaches it.
    pub(super) inside: BrokerAddress,
    /// As agents reach it.
    pub(super) advertised: String,
    /// What makes machines' certificates, if the broker is one that asks for them.
    pub(super) tls: Option<Arc<Tls>>,
}

impl Brokers {
    /// Starts the embedded broker, or makes what an external one needs.
    ///
    /// # Errors
    /// It cannot listen, or a file cannot be used.
    pub(super) async fn start(
        config: &Config,
        tls: Option<&Arc<Tls>>,
        access: &Arc<Access>,
    ) -> anyhow::Result<Brokers> {
        if config.broker.embedded {
            let server = tls.map(|tls| tls.broker()).transpose()?;
            let settings = BrokerSettings::at(config.broker.listen);
            let broker = Broker::start_with(settings, server, access.clone()).await?;
            return Ok(Brokers {
                inside: embedded(&broker, access),
                advertised: config.advertised_broker(broker.local_addr()),
                embedded: Some(broker),
                mosquitto: None,
                tls: tls.cloned(),
            });
        }
        // Of a broker that is not told of our authority, TLS is its own affair.
        let tls = tls.filter(|_| config.has_broker_files()).cloned();
        let mosquitto = tls.clone().map(|tls| Mosquitto::open(config, tls, unix_now())).transpose()?;
        Ok(Brokers {
            inside: external(config, mosquitto.as_ref())?,
            advertised: config.advertised_broker(config.broker.listen),
            embedded: None,
            mosquitto,
            tls,
        })
    }
}

fn embedded(broker: &Broker, access: &Access) -> BrokerAddress {
    let address = broker.inside_addr();
    let login = Some((SERVICE_USER.to_owned(), access.service_password()));
    let (host, port) = (address.ip().to_string(), address.port());
    BrokerAddress { host, port, login, tls: None, client_id: mosquitto::CLIENT_ID.to_owned() }
}

fn external(config: &Config, mosquitto: Option<&Mosquitto>) -> anyhow::Result<BrokerAddress> {
    let address = &config.broker.address;
    let (_, port) = address.rsplit_once(':').context("broker.address: host:port is required")?;
    let port = port.parse().with_context(|| format!("broker.address: \"{port}\" is no port"))?;
    let host = mosquitto::host(address).unwrap_or_default().to_owned();
    let client_id = mosquitto::CLIENT_ID.to_owned();
    if let Some(mosquitto) = mosquitto {
        let tls = Some(mosquitto.connection()?);
        return Ok(BrokerAddress { host, port, login: None, tls, client_id });
    }
    let file = &config.broker.password_file;
    let password = std::fs::read_to_string(file)
        .with_context(|| format!("broker.password_file: cannot read {}", file.display()))?;
    let login = Some((config.broker.user.clone(), password.trim_end().to_owned()));
    Ok(BrokerAddress { host, port, login, tls: None, client_id })
}
