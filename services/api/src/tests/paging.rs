//! Pages: each item once, whatever the size; tokens that were not given are refused.

use tonic::Code;
use wire::api::v1;

use super::Bench;

#[tokio::test]
async fn every_machine_comes_once_whatever_the_page_size() {
    let bench = Bench::furnished().await;
    for number in 0..23 {
        bench.machine(&format!("x-{number:02}"), "north", domain::registry::BeltKind::OneWay).await;
    }
    let mut fleet = bench.fleet().await;
    let mut expected: Vec<String> = (0..23).map(|number| format!("x-{number:02}")).collect();
    expected.splice(0..0, ["n-1".to_owned(), "n-2".to_owned()]);
    for page_size in [1, 7, 25, 26, 100_000] {
        let mut ids = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListMachinesRequest { site_id: "north".to_owned(), page_size, page_token };
            let page = fleet.list_machines(request).await.unwrap().into_inner();
            assert!(page.machines.len() <= page_size as usize);
            ids.extend(page.machines.into_iter().map(|state| state.machine.unwrap().id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(ids, expected, "page_size {page_size}");
    }
}

#[tokio::test]
async fn a_token_goes_on_only_with_its_own_request() {
    let bench = Bench::furnished().await;
    let mut fleet = bench.fleet().await;
    let request = v1::ListMachinesRequest { page_size: 1, ..Default::default() };
    let token = fleet.list_machines(request.clone()).await.unwrap().into_inner().next_page_token;
    let good = v1::ListMachinesRequest { page_token: token.clone(), page_size: 2, ..Default::default() };
    assert!(fleet.list_machines(good.clone()).await.is_ok(), "another page size is allowed");
    let mut flipped = token.clone().into_bytes();
    flipped[5] = if flipped[5] == b'0' { b'1' } else { b'0' };
    for (site, token, words) in [
        ("north", token.as_str(), "repeat them as they were"),
        ("", "00", "not one that this server gave"),
        ("", "no token", "not one that this server gave"),
        ("", std::str::from_utf8(&flipped).unwrap(), "not one that this server gave"),
    ] {
        let request = v1::ListMachinesRequest {
            site_id: site.to_owned(),
            page_token: token.to_owned(),
            ..good.clone()
        };
        let status = fleet.list_machines(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(words), "{}", status.message());
    }
    // A token of one method is none for another.
    let request = v1::ListSitesRequest { page_token: token, ..Default::default() };
    assert_eq!(fleet.list_sites(request).await.unwrap_err().code(), Code::InvalidArgument);
}
