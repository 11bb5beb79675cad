use axum::http::HeaderValue;

use super::*;

#[test]
fn the_preference_rules_and_else_the_browser() {
    let check = |preferred, accepted: &'static str, expected| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
        assert_eq!(Language::choose(preferred, &headers), expected, "{accepted}");
    };
    check(v1::Language::German, "en", Language::German);
    check(v1::Language::English, "de", Language::English);
    check(v1::Language::Unspecified, "de-CH,de;q=0.9,en;q=0.8", Language::German);
    check(v1::Language::Unspecified, "en;q=0.3, de;q=0.4", Language::German);
    check(v1::Language::Unspecified, "fr, ja", Language::English);
    check(v1::Language::Unspecified, "de;q=nonsense, *", Language::English);
    check(v1::Language::Unspecified, "", Language::English);
}
