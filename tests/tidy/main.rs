//! Rules of the house that a compiler does not know. Each check is a function from values to complaints; each is
//! shown here to complain about a planted fault and to find nothing in the tree as it is.

mod arrows;
mod rules;
mod schema;
mod text;
mod tree;

#[test]
fn crates_depend_only_where_the_drawing_has_an_arrow() {
    let found = arrows::complaints(&arrows::of_workspace());
    assert!(found.is_empty(), "{}", found.join("\n"));

    let planted = [("beltwatch-domain", vec!["beltwatch-wire"]), ("beltwatch-api", vec!["beltwatch-ingest"])];
    let planted = planted.map(|(from, to)| (from.to_owned(), to.into_iter().map(str::to_owned).collect()));
    assert_eq!(arrows::complaints(&planted).len(), 2);
}

#[test]
fn no_file_is_over_500_lines() {
    let found = text::long_files(&tree::files(&["rs"]));
    assert!(found.is_empty(), "{}", found.join("\n"));

    let planted = tree::File { path: "services/domain/src/x.rs".to_owned(), text: "\n".repeat(501) };
    assert_eq!(text::long_files(&[planted]).len(), 1);
}

#[test]
fn every_part_of_the_schema_has_a_comment() {
    let files = tree::files(&["proto"]);
    assert!(!files.is_empty());
    let found: Vec<String> = files.iter().flat_map(schema::uncommented).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));

    let planted = "// A message.\nmessage M {\n  // A field.\n  uint32 a = 1;\n  uint32 b = 2;\n}\n";
    let planted = tree::File { path: "x.proto".to_owned(), text: planted.to_owned() };
    assert_eq!(schema::uncommented(&planted), ["x.proto:5: uint32 b = 2; has no comment"]);
}

#[test]
fn what_has_one_place_is_named_nowhere_else() {
    let found = text::misplaced(&tree::files(&["rs"]));
    assert!(found.is_empty(), "{}", found.join("\n"));

    for (path, line, complaints) in [
        ("services/ingest/src/pipeline.rs", "use rumqttc::AsyncClient;", 1),
        ("services/ingest/src/subscriber.rs", "use rumqttc::AsyncClient;", 0),
        ("services/api/src/lib.rs", "let topic = \"beltwatch/v1/00/a/ack\";", 1),
        ("services/store/src/memory.rs", "use rusqlite::Connection;", 1),
        ("services/beltwatch/src/demo.rs", "use rmqtt::context;", 1),
        ("services/store/src/ledger.rs", "use prost::Message;", 1),
    ] {
        let planted = tree::File { path: path.to_owned(), text: line.to_owned() };
        assert_eq!(text::misplaced(&[planted]).len(), complaints, "{path}: {line}");
    }
}

#[test]
fn the_top_level_is_complete() {
    let found = tree::missing(&tree::top_level());
    assert!(found.is_empty(), "missing: {found:?}");

    let without =
        |name: &str| tree::top_level().into_iter().filter(|entry| entry != name).collect::<Vec<_>>();
    for name in tree::REQUIRED {
        assert_eq!(tree::missing(&without(name)), [name]);
    }
}

#[test]
fn documents_say_what_the_program_says() {
    let page = tree::read("docs/configuration.md");
    let file = beltwatch::config::Config::default_file();
    assert!(page.contains(&file), "docs/configuration.md must hold the default file; it is\n{file}");
}

#[test]
fn documents_do_not_point_at_files_that_are_not_there() {
    let found: Vec<String> = tree::files(&["md"]).iter().flat_map(text::dead_paths).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));

    let planted = "See `services/domain/src/nowhere.rs` and [x](docs/none.md).";
    let planted = tree::File { path: "README.md".to_owned(), text: planted.to_owned() };
    assert_eq!(text::dead_paths(&planted).len(), 2);
}
