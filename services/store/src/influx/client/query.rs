//! Questions in Flux, and their answers as they come.

use domain::limits;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use super::Client;
use super::answer::{Doing, Refusal, short};
use crate::influx::csv::{Fault, Parser, Table};
use crate::{StoreError, StoreErrorKind};

impl Client {
    pub(super) async fn ask(&self, flux: &str) -> Result<Vec<Table>, StoreError> {
        let doing = self.doing("asking", None);
        let body = serde_json::json!({
            "query": flux,
            "type": "flux",
            "dialect": { "annotations": ["datatype", "group", "default"], "header": true, "delimiter": "," },
        });
        let request = self
            .request(Method::POST, "/api/v2/query")
            .query(&[("org", &self.inner.organisation)])
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/csv")
            .body(body.to_string());
        // Answers are kept whole in memory, so only some are under way at once.
        let _turn = self.inner.questions.acquire().await;
        let mut response = self.send(request, &doing).await?;
        if response.status().as_u16() != 200 {
            return Err(doing.failed(&Refusal::read(response).await));
        }
        let mut parser = Parser::default();
        let mut octets = 0;
        while let Some(piece) = response.chunk().await.map_err(|error| doing.broke(error))? {
            octets += piece.len();
            if octets > limits::INFLUX_ANSWER_BYTES_MAX {
                let most = limits::INFLUX_ANSWER_BYTES_MAX / (1024 * 1024);
                let why = format!("the answer has more than {most} MiB: ask for less at once");
                return Err(doing.error(StoreErrorKind::Invalid, &why));
            }
            parser.take(&piece).map_err(|fault| told(&doing, fault))?;
        }
        parser.finish().map_err(|fault| told(&doing, fault))
    }
}

fn told(doing: &Doing<'_>, fault: Fault) -> StoreError {
    let why = match fault {
        Fault::Flux(message) => format!("it broke off in the midst of its answer ({})", short(&message)),
        Fault::Garbled(why) => {
            format!("the answer is no table of InfluxDB 2 ({}): check influxdb.url", short(&why))
        }
        Fault::Cut => "the answer has no end; the connection may have been cut".to_owned(),
    };
    doing.error(StoreErrorKind::Unavailable, &why)
}
