//! Watches of incidents: nothing is missed from a cursor on, and nothing is seen that may not be.

use futures::StreamExt;
use store::fact::{FactKind, UserChange};
use store::registry::Role;
use tonic::{Code, Streaming};
use wire::api::v1;

use super::super::{Bench, NOON, grant, user_name, with_token};
use super::{changed, incident, numbers};
use crate::convert::timestamp;

type Stream = Streaming<v1::WatchIncidentsResponse>;

async fn watch(bench: &Bench, secret: Option<&str>, cursor: &str, machine: &str) -> Stream {
    let machine_ids = if machine.is_empty() { Vec::new() } else { vec![machine.to_owned()] };
    let filter = Some(v1::IncidentFilter { machine_ids, ..Default::default() });
    let request = v1::WatchIncidentsRequest { filter, cursor: cursor.to_owned() };
    let request = match secret {
        Some(secret) => with_token(secret, request),
        None => tonic::Request::new(request),
    };
    bench.incidents().await.watch_incidents(request).await.unwrap().into_inner()
}

/// The next incident's number, and the cursor with it.
async fn next(stream: &mut Stream) -> (u8, String) {
    loop {
        let response = stream.next().await.unwrap().unwrap();
        assert!(!response.cursor.is_empty() && response.server_time.is_some());
        if let Some(incident) = response.incident {
            return (numbers(&[incident])[0], response.cursor);
        }
    }
}

#[tokio::test]
async fn a_watch_goes_on_where_the_last_one_was_left() {
    let bench = Bench::furnished().await;
    bench.found(vec![incident(1, "n-1", 0)]).await;
    let mut stream = watch(&bench, None, "", "").await;
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first.incident, None, "from now on");
    assert_eq!(first.server_time, Some(timestamp(NOON)));
    bench.found(vec![incident(2, "n-1", 1)]).await;
    let (number, cursor) = next(&mut stream).await;
    assert_eq!(number, 2);
    drop(stream);
    // Between the watches two arise, and one of them changes twice.
    bench.found(vec![incident(3, "n-2", 2), incident(4, "s-1", 3)]).await;
    for revision in [2, 3] {
        let again = changed(incident(3, "n-2", 2), |one| one.revision = revision);
        bench.found(vec![again]).await;
    }
    let mut stream = watch(&bench, None, &cursor, "").await;
    assert_eq!(next(&mut stream).await.0, 4);
    let (number, cursor) = next(&mut stream).await;
    assert_eq!(number, 3, "once, as it is, and last");
    bench.found(vec![incident(5, "n-1", 9)]).await;
    assert_eq!(next(&mut watch(&bench, None, &cursor, "").await).await.0, 5);
    // The first cursor still gives all that came after it, and those of another filter do, too.
    let mut stream = watch(&bench, None, &first.cursor, "n-1").await;
    assert_eq!((next(&mut stream).await.0, next(&mut stream).await.0), (2, 5));
}

#[tokio::test]
async fn more_changes_than_are_read_at_once_come_in_their_order() {
    let bench = Bench::furnished().await;
    let mut stream = watch(&bench, None, "", "n-1").await;
    let cursor = stream.next().await.unwrap().unwrap().cursor;
    let machine = |id: u8| if id.is_multiple_of(2) { "n-1" } else { "s-1" };
    bench.found((0..=249).map(|id| incident(id, machine(id), 0)).collect()).await;
    let mut again = watch(&bench, None, &cursor, "n-1").await;
    for stream in [&mut stream, &mut again] {
        for expected in (0..=248).step_by(2) {
            assert_eq!(next(stream).await.0, expected);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_move_the_cursor_on() {
    let bench = Bench::furnished().await;
    let mut stream = watch(&bench, None, "", "n-1").await;
    let first = stream.next().await.unwrap().unwrap();
    bench.found(vec![incident(7, "s-1", 0)]).await;
    let sign = stream.next().await.unwrap().unwrap();
    assert_eq!(sign.incident, None, "another machine's");
    assert_ne!(sign.cursor, first.cursor);
    // What the cursor has passed does not come again, whatever is asked for.
    let mut stream = watch(&bench, None, &sign.cursor, "").await;
    bench.found(vec![incident(8, "n-2", 0)]).await;
    assert_eq!(next(&mut stream).await.0, 8);
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_asked_for_while_it_watches() {
    let bench = Bench::furnished().await;
    bench.user("anna", Role::Viewer, &["north"]).await;
    let secret = bench.session("anna").await;
    let grants = |grants| {
        let user = user_name("anna");
        FactKind::UserChanged(UserChange { user, display_name: None, grants, disabled: None, end: None })
    };
    let mut stream = watch(&bench, Some(&secret), "", "").await;
    stream.next().await.unwrap().unwrap();
    bench.found(vec![incident(1, "s-1", 0), incident(2, "n-1", 0)]).await;
    assert_eq!(next(&mut stream).await.0, 2, "the other site's is not seen");
    bench.fact(grants(Some(vec![grant(Role::Viewer, &["south"])]))).await;
    // With the next sign of life it has been asked.
    assert_eq!(stream.next().await.unwrap().unwrap().incident, None);
    bench.found(vec![incident(3, "n-1", 0), incident(4, "s-1", 0)]).await;
    assert_eq!(next(&mut stream).await.0, 4);
    bench.fact(grants(Some(Vec::new()))).await;
    let status = stream.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_server_that_stops_ends_its_watches() {
    let bench = Bench::furnished().await;
    let mut stream = watch(&bench, None, "", "").await;
    stream.next().await.unwrap().unwrap();
    bench.stopping.cancel();
    assert_eq!(stream.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
}
