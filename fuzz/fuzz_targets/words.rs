//! Texts that people type and files and addresses hold: enrolment codes, credentials, keys, topics, page tokens, names.
//!
//! Input: the text.

#![no_main]

use domain::ids::{BootId, MachineId, UserName};
use libfuzzer_sys::fuzz_target;
use wire::credential::Credential;
use wire::enrolment::Code;
use wire::keys::{MachineKey, MasterKey};
use wire::page_token;
use wire::topics::Topic;

fuzz_target!(|octets: &[u8]| {
    token(octets);
    let Ok(text) = std::str::from_utf8(octets) else { return };
    match Code::parse(text) {
        Ok(code) => assert_eq!(Code::parse(&code.to_string()), Ok(code)),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
    match Credential::from_json(text) {
        Ok(credential) => {
            let again = Credential::from_json(&credential.to_json()).expect("what is written reads back");
            assert_eq!(again, credential);
            let shown = format!("{credential:?}");
            assert!(!shown.contains(&credential.key.to_hex()), "a key is shown");
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
    match Topic::parse(text) {
        Ok(topic) => assert_eq!(topic.to_string(), text),
        Err(foreign) => assert!(!foreign.reason.is_empty()),
    }
    names(text);
});

/// What is read is written as it was.
fn names(text: &str) {
    if let Ok(machine) = MachineId::new(text) {
        assert_eq!(machine.as_str(), text);
        assert!((1..=64).contains(&text.len()));
        let topic = Topic::new(machine, wire::topics::Kind::Events);
        assert_eq!(Topic::parse(&topic.to_string()), Ok(topic));
    }
    if let Ok(boot) = text.parse::<BootId>() {
        assert!(boot.to_string().eq_ignore_ascii_case(text));
    }
    if let Ok(name) = UserName::new(text) {
        assert_eq!(name.to_string(), text);
    }
    if let Ok(key) = MachineKey::from_hex(text) {
        assert!(key.to_hex().eq_ignore_ascii_case(text.trim()));
    }
    if let Ok(key) = MasterKey::from_hex(text) {
        assert!(key.to_hex().eq_ignore_ascii_case(text.trim()));
    }
}

/// A token holds its cursor for its own request and key, and nobody can make one.
fn token(octets: &[u8]) {
    let key = MasterKey::new([7; 32]).purpose_key("page tokens");
    if let Ok(text) = std::str::from_utf8(octets) {
        assert!(page_token::decode(&key, b"request", text).is_err(), "a forged token is taken");
    }
    let token = page_token::encode(&key, b"request", octets);
    assert_eq!(page_token::decode(&key, b"request", &token).as_deref(), Ok(octets));
    assert!(page_token::decode(&key, b"another", &token).is_err());
}
