use super::*;

#[test]
fn an_address_is_read_and_written_again() {
    let check = |query: &str, address: &str| {
        assert_eq!(Filter::read(query).map(|filter| filter.address()), Ok(address.to_owned()), "{query}");
    };
    check("", "/incidents");
    check("site=&machine=&severity=&rule=&state=&order=&page=", "/incidents");
    check("order=worst&severity=high&site=north", "/incidents?site=north&severity=high&order=worst");
    check("page=a%2Bb%2F%3D&state=over", "/incidents?state=over&page=a%2Bb%2F%3D");
    check("machine=n-1&rule=emergency-stop", "/incidents?machine=n-1&rule=emergency-stop");
}

#[test]
fn what_is_none_of_this_list_is_named() {
    let check = |query: &str, name: &str, value: &str| match Filter::read(query) {
        Err(Wrong::Value { name: field, value: given, .. }) => {
            assert_eq!((field, given.as_str()), (name, value));
        }
        Err(Wrong::Unknown(field)) => assert_eq!((field.as_str(), "unknown"), (name, value)),
        Err(Wrong::Twice(field)) => assert_eq!((field.as_str(), "twice"), (name, value)),
        Ok(filter) => panic!("{query} is read as {filter:?}"),
    };
    check("severity=worst", "severity", "worst");
    check("severity=Critical", "severity", "Critical");
    check("state=cleared", "state", "cleared");
    check("order=1", "order", "1");
    check("sevrity=high", "sevrity", "unknown");
    check("severity=high&severity=low", "severity", "twice");
    check(&format!("order={}", "x".repeat(1_000)), "order", &"x".repeat(SHOWN));
}

#[test]
fn a_rule_has_to_be_one_of_those_that_there_are() {
    let rule = |name: &str| v1::Rule { name: name.to_owned(), ..v1::Rule::default() };
    let rules = [rule("emergency-stop"), rule("abrupt-stop")];
    let check = |name: &str, rules: &[v1::Rule]| {
        Filter { rule: name.to_owned(), ..Filter::default() }.check_rule(rules).is_ok()
    };
    assert!(check("", &rules) && check("abrupt-stop", &rules));
    assert!(!check("abrupt", &rules));
    // Without a list the API decides.
    assert!(check("abrupt", &[]));
}
