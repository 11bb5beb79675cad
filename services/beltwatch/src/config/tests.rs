use super::*;

fn keys(table: &toml::Table, prefix: &str) -> Vec<String> {
    let key = |(name, value): (&String, &toml::Value)| match value.as_table() {
        Some(inner) => keys(inner, &format!("{prefix}{name}.")),
        None => vec![format!("{prefix}{name}")],
    };
    table.iter().flat_map(key).collect()
}

#[test]
fn the_default_file_explains_every_key_and_reads_back_as_the_default() {
    let mut commented: Vec<String> = COMMENTS.iter().map(|(key, _)| (*key).to_owned()).collect();
    let mut there = keys(&Config::default().table(), "");
    commented.sort();
    there.sort();
    assert_eq!(commented, there);
    let file = Config::default_file();
    assert_eq!(Config::load(Some(("default", &file)), []).unwrap(), Config::default());
}

#[test]
fn a_bad_file_is_refused_with_the_line_and_the_allowed_keys() {
    let check = |text: &str, expected: &[&str]| {
        let error = Config::load(Some(("beltwatch.toml", text)), []).expect_err(text).to_string();
        for part in expected {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    };
    check(
        "memory = true\nfoldre = \"x\"",
        &["beltwatch.toml", "line 2", "foldre", "folder", "drain_seconds"],
    );
    check("[api]\nlisten = 7", &["line 2", "listen"]);
    check("[api]\nlisten = \"0.0.0.0:80\"", &["api.listen", "0.0.0.0:80", "loopback"]);
    check("[broker]\nlisten = \"0.0.0.0:80\"", &["broker.listen", "tls.mode", "loopback"]);
    check("[tls]\nmode = \"on\"", &["line 2", "`off`, `own`, `files`"]);
    check("[tls]\nmode = \"files\"", &["tls.certificate", "a file is required"]);
    check("[tls]\nmode = \"files\"\ncertificate = \"a.pem\"", &["tls.key"]);
    check("[tls]\nnames = [\"gym.example\", \"two words\"]", &["tls.names is two words"]);
    check("[broker]\nfiles = \"f\"", &["broker.files is f", "broker.embedded must be false"]);
    check("[broker]\nembedded = false\nfiles = \"f\"\nadvertise = \"two words:1\"", &["broker.advertise"]);
    check("[api]\nurl = \"gym\"", &["api.url is gym", "https://gym.example"]);
    check("[mail]\nserver = \"mail\"", &["mail.server is mail", "host:port"]);
    check("[mail]\nserver = \"mail:25\"", &["mail.from", "an address is required"]);
    check("[mail]\nserver = \"mail:25\"\nfrom = \"b@gym.example\"\nuser = \"b\"", &["mail.password_file"]);
    check("[mail]\ntls = \"on\"", &["line 2", "`starttls`, `implicit`, `off`"]);
    check("[retention]\nreadings_days = 6", &["retention.readings_days is 6", "7 to 36500"]);
    check("[retention]\nevents_days = 36501", &["retention.events_days", "7 to 36500"]);
    check("[retention]\nfree_mib_min = 2000000", &["retention.free_mib_min", "1048576"]);
    check("drain_seconds = 0", &["drain_seconds is 0", "1 to 600"]);
    check("memory = ", &["line 1"]);
}

#[test]
fn other_addresses_are_open_with_tls_or_by_express_wish() {
    let check = |text: &str, beyond: bool, broker: &str| {
        let config = Config::load(Some(("beltwatch.toml", text)), []).expect(text);
        assert_eq!(config.listens_beyond_loopback(), beyond, "{text}");
        assert_eq!(config.advertised_broker(config.broker.listen), broker, "{text}");
    };
    let broker = "[broker]\nlisten = \"0.0.0.0:8883\"\n";
    check("", false, "127.0.0.1:1883");
    check("[tls]\nmode = \"own\"", false, "127.0.0.1:1883");
    check(&format!("{broker}[tls]\nmode = \"own\"\nnames = [\"gym.example\"]"), true, "gym.example:8883");
    check(&format!("{broker}advertise = \"b:1\"\n[tls]\nmode = \"own\""), true, "b:1");
    check(&format!("plaintext_beyond_loopback = true\n{broker}"), true, "0.0.0.0:8883");
    check("[api]\nlisten = \"[::]:80\"\n[tls]\nmode = \"own\"", true, "127.0.0.1:1883");
    check(&format!("{broker}embedded = false\naddress = \"far:1\""), false, "far:1");
    let far = format!("{broker}embedded = false\naddress = \"far:1\"\nfiles = \"f\"\n[tls]\nmode = \"own\"");
    check(&far, false, "far:1");
}

#[test]
fn the_environment_overrides_the_file_and_unknown_variables_are_named() {
    let environment = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
    let file = Some(("f", "memory = false"));
    let config = Config::load(file, environment("BELTWATCH_MEMORY", "true")).unwrap();
    assert!(config.memory);
    let config = Config::load(None, environment("BELTWATCH_API_LISTEN", "[::1]:9000")).unwrap();
    assert_eq!(config.api.listen.port(), 9_000);
    let config = Config::load(None, environment("BELTWATCH_TLS_NAMES", "gym.example, 10.0.0.7")).unwrap();
    assert_eq!(config.tls.names, ["gym.example", "10.0.0.7"]);
    let config = Config::load(None, environment("BELTWATCH_TLS_MODE", "own")).unwrap();
    assert_eq!(config.tls.mode, TlsMode::Own);
    let error = Config::load(None, environment("BELTWATCH_API_LISTNE", "x")).unwrap_err().to_string();
    assert!(error.contains("BELTWATCH_API_LISTEN,"), "{error}");
    let error = Config::load(None, environment("BELTWATCH_DRAIN_SECONDS", "soon")).unwrap_err().to_string();
    assert!(error.contains("\"soon\" is no integer"), "{error}");
    assert!(Config::load(None, environment("BELTWATCH_TOKEN", "x")).is_ok());
}
