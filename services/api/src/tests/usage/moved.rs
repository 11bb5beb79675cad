//! Machines that moved, and what callers of one site see.

use store::fact::MachineChange;
use tonic::Code;

use super::*;

const FORWARD: Did = Did::Ran(Direction::Forward, 1_000);

/// `n-1` moves from Vienna to New York at noon of the 10th, UTC, and runs before and after.
async fn bench() -> Bench {
    let bench = Bench::gym().await;
    let (machine, site) = (machine_id("n-1"), Some(site_id("south")));
    let (display_name, model, belt, drive) = (None, None, None, None);
    let change = MachineChange { machine, display_name, model, belt, drive, site };
    bench.from("2026-11-10T12:00:00Z", FactKind::MachineChanged(change)).await;
    bench.did("n-1", "2026-11-10T11:45:00Z", 45, FORWARD).await;
    bench
}

fn the_tenth(scope: Option<v1::UsageScope>, by: v1::GroupBy) -> v1::GetUsageRequest {
    let range = dates("2026-11-10", "2026-11-11");
    v1::GetUsageRequest { scope, range, group_by: by.into(), ..Default::default() }
}

fn groups(answer: &v1::GetUsageResponse) -> Vec<String> {
    let text = |group: &v1::UsageGroup| {
        let usage = group.usage.as_ref().unwrap();
        let (asked, machines) = (covered(usage).0[0], covered(usage).1[0]);
        format!("{}{}: {} of {asked} by {machines}", group.key, at_site(group), moved(usage).0)
    };
    answer.groups.iter().map(text).collect()
}

fn at_site(group: &v1::UsageGroup) -> String {
    if group.site_id.is_empty() { String::new() } else { format!(" at {}", group.site_id) }
}

#[tokio::test]
async fn a_machine_counts_at_each_site_while_it_stood_there() {
    let bench = bench().await;
    let mut client = bench.usage().await;
    let request = the_tenth(of_machines(&["n-1"]), v1::GroupBy::Site);
    let answer = client.get_usage(request).await.unwrap().into_inner();
    // Vienna's day began at 23:00 and the machine left at 12:00; New York's ends at 05:00.
    assert_eq!(groups(&answer), ["north: 15 of 780 by 1", "south: 30 of 1020 by 1"]);
    let all = answer.total.unwrap();
    assert_eq!(
        (moved(&all).0, covered(&all).0[0], covered(&all).1),
        (45, 1_800, [1, 1, 1]),
        "it is one machine"
    );
    let request = the_tenth(of_sites(&["north"]), v1::GroupBy::Machine);
    let answer = client.get_usage(request).await.unwrap().into_inner();
    assert_eq!(groups(&answer)[0], "n-1 at south: 15 of 780 by 1");
    let request = the_tenth(None, v1::GroupBy::Machine);
    let answer = client.get_usage(request).await.unwrap().into_inner();
    assert_eq!(groups(&answer)[0], "n-1 at south: 45 of 1800 by 1");
}

#[tokio::test]
async fn periods_follow_the_clock_of_where_it_stood() {
    let bench = bench().await;
    let request = v1::ListUsageRequest {
        scope: of_machines(&["n-1"]),
        range: dates("2026-11-10", "2026-11-11"),
        resolution: v1::Resolution::Hour.into(),
        group_by: v1::GroupBy::Unspecified.into(),
    };
    let answer = bench.usage().await.list_usage(request).await.unwrap().into_inner();
    let with_motion: Vec<(u32, i64)> = answer.series[0]
        .periods
        .iter()
        .map(|period| (period.hour.unwrap(), moved(period.usage.as_ref().unwrap()).0))
        .filter(|(_, minutes)| *minutes > 0)
        .collect();
    assert_eq!(with_motion, [(7, 30), (12, 15)], "12:45 in Vienna, and 7:00 in New York");
}

#[tokio::test]
async fn callers_of_one_site_see_what_was_done_there() {
    let bench = bench().await;
    let mut client = UsageServiceClient::new(bench.channel().await);
    for (site, expected) in [
        (
            "north",
            vec![
                "n-1 at north: 15 of 780 by 1",
                "n-2 at north: 0 of 1440 by 1",
                "n-3 at north: 0 of 1440 by 1",
            ],
        ),
        ("south", vec!["n-1 at south: 30 of 1020 by 1", "s-1 at south: 0 of 1440 by 1"]),
    ] {
        let token = bench.token(&[site]).await;
        let request = with_token(&token, the_tenth(None, v1::GroupBy::Machine));
        let answer = client.get_usage(request).await.unwrap().into_inner();
        assert_eq!(groups(&answer), expected);
    }
    let token = bench.token(&["north"]).await;
    // A machine that left can still be named, and it is no longer waited for.
    let request = with_token(&token, the_tenth(of_machines(&["n-1"]), v1::GroupBy::Unspecified));
    let answer = client.get_usage(request).await.unwrap().into_inner();
    assert_eq!(moved(&answer.total.unwrap()).0, 15);
    assert_eq!(answer.as_of.unwrap(), v1::AsOf::default());
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_there() {
    let bench = Bench::gym().await;
    let token = bench.token(&["north"]).await;
    let mut client = UsageServiceClient::new(bench.channel().await);
    let models = |model: &str| v1::UsageScope { models: vec![model.to_owned()], ..Default::default() };
    for (scope, what) in [
        (of_sites(&["north", "south"]), "site \"south\""),
        (of_sites(&["west"]), "site \"west\""),
        (of_machines(&["n-1", "s-1"]), "machine \"s-1\""),
        (of_machines(&["n-9"]), "machine \"n-9\""),
        (Some(models("Three")), "model \"Three\""),
    ] {
        let request = with_token(&token, the_tenth(scope.clone(), v1::GroupBy::Unspecified));
        let status = client.get_usage(request).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        assert!(status.message().contains(what), "{what}: {status:?}");
        let request = with_token(&token, v1::ListMaintenanceRequest { scope, page_size: 0 });
        let status = client.list_maintenance(request).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
    }
    // Where both are named, both count.
    let scope = v1::UsageScope { site_ids: vec!["north".to_owned()], ..models("One") };
    let request = with_token(&token, the_tenth(Some(scope), v1::GroupBy::Machine));
    assert_eq!(
        groups(&client.get_usage(request).await.unwrap().into_inner()),
        ["n-2 at north: 0 of 1440 by 1"]
    );
}
