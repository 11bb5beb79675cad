//! The agent's configuration.
//!
//! Input: the file.

#![no_main]

use agent::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let config = match Config::read(text) {
        Ok(config) => config,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    for source in &config.sources {
        assert_eq!(source.check(), Ok(()));
        // It opens no port before it runs.
        assert_eq!(source.source().spec().name, source.name());
    }
    let written = toml::to_string(&config).expect("settings have text keys");
    let again = Config::read(&written).expect("what is written reads back");
    assert_eq!(again, config, "{written}");
    assert_eq!(again.configuration(), config.configuration());
});
