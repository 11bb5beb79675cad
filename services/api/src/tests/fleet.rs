//! Sites, machines and live state, each caller within its scope.

use domain::belt::Direction;
use tonic::Code;
use wire::api::v1;

use super::{Bench, moving, with_token};

#[tokio::test]
async fn a_caller_sees_only_its_sites_and_nothing_else_exists_for_it() {
    let bench = Bench::furnished().await;
    let token = bench.token(&["south"]).await;
    let mut fleet = bench.fleet().await;
    let sites =
        fleet.list_sites(with_token(&token, v1::ListSitesRequest::default())).await.unwrap().into_inner();
    assert_eq!(sites.sites.iter().map(|site| site.id.as_str()).collect::<Vec<_>>(), ["south"]);
    let request = with_token(&token, v1::ListMachinesRequest::default());
    let machines = fleet.list_machines(request).await.unwrap().into_inner().machines;
    let ids: Vec<&str> = machines.iter().map(|state| state.machine.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(ids, ["s-1"]);

    // What is out of scope answers exactly as what does not exist.
    let ask = async |id: &str| {
        let request = with_token(&token, v1::GetMachineRequest { machine_id: id.to_owned() });
        bench.fleet().await.get_machine(request).await
    };
    assert!(ask("s-1").await.is_ok());
    for id in ["n-1", "none"] {
        let status = ask(id).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.message(), format!("there is no machine \"{id}\" that you may see"));
    }
    let request = v1::ListMachinesRequest { site_id: "north".to_owned(), ..Default::default() };
    assert_eq!(fleet.list_machines(with_token(&token, request)).await.unwrap_err().code(), Code::NotFound);
    let request = v1::WatchFleetRequest { machine_ids: vec!["n-1".to_owned()], ..Default::default() };
    assert_eq!(fleet.watch_fleet(with_token(&token, request)).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_machine_registered_a_moment_ago_is_there() {
    let bench = Bench::furnished().await;
    let mut fleet = bench.fleet().await;
    let request = v1::GetMachineRequest { machine_id: "n-9".to_owned() };
    assert_eq!(fleet.get_machine(request.clone()).await.unwrap_err().code(), Code::NotFound);
    bench.machine("n-9", "north", domain::registry::BeltKind::Unknown).await;
    assert!(fleet.get_machine(request).await.is_ok());
}

async fn state(bench: &Bench, id: &str) -> v1::MachineState {
    let request = v1::GetMachineRequest { machine_id: id.to_owned() };
    bench.fleet().await.get_machine(request).await.unwrap().into_inner().machine.unwrap()
}

#[tokio::test]
async fn silence_makes_a_picture_unknown_and_never_a_standstill() {
    let bench = Bench::furnished().await;
    let nothing = state(&bench, "n-1").await;
    assert_eq!(nothing.presence(), v1::Presence::NeverSeen);
    assert_eq!(nothing.belt.unwrap().direction(), v1::Direction::Unknown);
    assert_eq!((nothing.belt.unwrap().speed_mps, nothing.belt_time, nothing.last_known), (None, None, None));

    bench.feed.put(moving("n-1", Direction::Reverse, 1_500));
    let live = state(&bench, "n-1").await;
    assert_eq!(live.presence(), v1::Presence::Online);
    let belt = live.belt.unwrap();
    assert_eq!((belt.direction(), belt.origin()), (v1::Direction::Reverse, v1::DirectionOrigin::Measured));
    assert_eq!((belt.speed_mps, live.last_known, live.revision), (Some(1.5), None, 1));
    assert_eq!(live.last_event.unwrap().kind, "belt_started");

    bench.at(11);
    let silent = state(&bench, "n-1").await;
    let belt = silent.belt.unwrap();
    assert_eq!((belt.direction(), belt.speed_mps), (v1::Direction::Unknown, None));
    assert_eq!(silent.last_known.unwrap().speed_mps, Some(1.5));
    bench.at(200);
    assert_eq!(state(&bench, "n-1").await.presence(), v1::Presence::Offline);
}

#[tokio::test]
async fn a_one_way_belt_that_moves_is_forward_as_declared_and_no_other_is() {
    let bench = Bench::furnished().await;
    for (id, speed, direction, origin) in [
        ("n-2", 1_500, v1::Direction::Forward, v1::DirectionOrigin::Declared),
        ("n-1", 1_500, v1::Direction::Unknown, v1::DirectionOrigin::Unknown),
        ("s-1", 1_500, v1::Direction::Unknown, v1::DirectionOrigin::Unknown),
    ] {
        bench.feed.put(moving(id, Direction::Unknown, speed));
        let belt = state(&bench, id).await.belt.unwrap();
        assert_eq!((belt.direction(), belt.origin()), (direction, origin), "{id}");
    }
}
