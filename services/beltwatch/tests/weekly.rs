//! A weekly report from end to end: a server that was off when it was due makes it at its start, from its own API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use beltwatch::config::Config;
use beltwatch::serve::Server;
use domain::ids::SiteId;
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, NewContact};
use store::ledger::{About, Ledger, Notice, NoticeQuery};
use store::registry::{Contact, Site, Way};
use store::sqlite::SqliteLedger;

/// A test that hangs fails after this time.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::disallowed_methods, reason = "the server goes by the clock of this computer")]
fn a_month_ago() -> UnixMicros {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMicros(i64::try_from(now.as_micros()).unwrap()).plus(-30 * 86_400 * 1_000_000)
}

/// A site and a contact, both made a month ago.
async fn furnish(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let ledger = SqliteLedger::open(folder).unwrap();
    let time = a_month_ago();
    let site = Site {
        id: SiteId::new("north").unwrap(),
        display_name: "Gym North".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        created: time,
        history: Default::default(),
    };
    let contact = Contact {
        name: "manager".to_owned(),
        display_name: "Manager".to_owned(),
        site: None,
        // Nobody answers there: the report stays waiting.
        way: Way::Webhook { url: "http://127.0.0.1:1/hook".to_owned() },
        is_anchor: true,
        weekly: true,
        generation: 1,
        changed: time,
    };
    for kind in [FactKind::SiteCreated(site), FactKind::ContactSet(NewContact { contact })] {
        let fact = Fact { time, author: "test".to_owned(), request_id: None, kind };
        ledger.add_fact(fact).await.unwrap();
    }
}

async fn reports(ledger: &dyn Ledger) -> Vec<Notice> {
    let notices = ledger.notices(&NoticeQuery { max: 100, ..NoticeQuery::default() }).await.unwrap();
    notices.into_iter().filter(|notice| matches!(notice.about, About::Weekly { .. })).collect()
}

/// Waits until there is a report, and gives all.
async fn reported(server: &Server) -> Vec<Notice> {
    let ledger = &*server.stores().ledger;
    let mut changes = ledger.notice_change();
    let waiting = async {
        loop {
            let reports = reports(ledger).await;
            if !reports.is_empty() {
                return reports;
            }
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("no report is made")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_off_reports_at_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config { folder: folder.path().join("server"), ..Config::default() };
    config.api.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.broker.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    furnish(&config.folder).await;
    let server = Server::start(&config).await.unwrap();
    let reports = reported(&server).await;
    let [Notice { about: About::Weekly { text, head, .. }, site, .. }] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert_eq!(site.as_ref().map(SiteId::as_str), Some("north"));
    assert!(text.starts_with("Gym North, ") && text.contains("\nSessions: 0."), "{text}");
    assert!(head.is_some(), "the contact is an anchor");
    server.stop().await.unwrap();
}
