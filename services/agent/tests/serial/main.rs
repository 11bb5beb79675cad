//! The sources of serial ports over real pseudo-terminals, against machines that glue, cut, garble, delay, fall silent and
//! are unplugged. Every octet that a source wrote is kept and looked at: nothing but questions may have come.

#[cfg(test)]
mod biodex;
#[cfg(test)]
mod csafe;
#[cfg(test)]
mod drive;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod tap;

/// Every configuration in the document can be used as it stands.
#[test]
fn the_document_shows_settings_that_work() {
    let document = include_str!("../../../../docs/sources/serial.md");
    let blocks: Vec<&str> =
        document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        let config = agent::config::Config::read(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert_eq!(config.sources.len(), 1);
    }
}
