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

#[tokio::test]
async fn listings_of_people_and_of_the_audit_take_their_own_tokens_only() {
    let bench = Bench::furnished().await;
    for name in ["anna", "ben", "carl"] {
        bench.user(name, store::registry::Role::Viewer, &[]).await;
        bench.token(&[]).await;
    }
    let mut admin = bench.admin().await;
    let users = |page_token: &str| v1::ListUsersRequest { page_size: 1, page_token: page_token.to_owned() };
    let tokens = |page_token: &str| v1::ListTokensRequest { page_size: 1, page_token: page_token.to_owned() };
    let entries =
        |page_token: &str| v1::ListAuditEntriesRequest { page_size: 1, page_token: page_token.to_owned() };
    let (mut names, mut numbers) = (Vec::new(), Vec::new());
    let (mut after_user, mut after_token) = (String::new(), String::new());
    for _ in 0..3 {
        let page = admin.list_users(users(&after_user)).await.unwrap().into_inner();
        names.extend(page.users.into_iter().map(|user| user.name));
        after_user = page.next_page_token;
        let page = admin.list_tokens(tokens(&after_token)).await.unwrap().into_inner();
        numbers.extend(page.tokens.into_iter().map(|token| token.id.parse::<u64>().unwrap()));
        after_token = page.next_page_token;
    }
    assert_eq!(names, ["anna", "ben", "carl"]);
    assert!(numbers.len() == 3 && numbers.is_sorted_by(|a, b| a > b), "{numbers:?}");
    assert_eq!((after_user.as_str(), after_token.as_str()), ("", ""));

    let of_tokens = admin.list_tokens(tokens("")).await.unwrap().into_inner().next_page_token;
    let cut = &of_tokens[..of_tokens.len() - 2];
    for status in [
        admin.list_users(users(&of_tokens)).await.unwrap_err(),
        admin.list_audit_entries(entries(&of_tokens)).await.unwrap_err(),
        admin.list_tokens(tokens(cut)).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("page_token"), "{}", status.message());
    }
}
