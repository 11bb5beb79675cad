//! Which crate may depend on which. Each wall forbids an arrow.

use cargo_metadata::{DependencyKind, MetadataCommand};

/// A crate and the crates of ours that it depends on.
pub(crate) type Arrow = (String, Vec<String>);

const ALLOWED: [(&str, &[&str]); 11] = [
    ("beltwatch-domain", &[]),
    ("beltwatch-wire", &["beltwatch-domain"]),
    ("beltwatch-store", &["beltwatch-domain"]),
    ("beltwatch-agent", &["beltwatch-domain", "beltwatch-wire"]),
    ("beltwatch-ingest", &["beltwatch-domain", "beltwatch-wire", "beltwatch-store"]),
    ("beltwatch-dossier", &["beltwatch-domain"]),
    ("beltwatch-api", &["beltwatch-domain", "beltwatch-wire", "beltwatch-store", "beltwatch-dossier"]),
    ("beltwatch-notify", &["beltwatch-domain", "beltwatch-store", "beltwatch-dossier"]),
    ("beltwatch-dashboard", &["beltwatch-wire"]),
    ("beltwatch-detection", &["beltwatch-domain", "beltwatch-agent"]),
    (
        "beltwatch",
        &[
            "beltwatch-domain",
            "beltwatch-wire",
            "beltwatch-store",
            "beltwatch-agent",
            "beltwatch-ingest",
            "beltwatch-api",
            "beltwatch-dossier",
            "beltwatch-notify",
            "beltwatch-dashboard",
        ],
    ),
];

/// The workspace's arrows; what only tests need is free.
pub(crate) fn of_workspace() -> Vec<Arrow> {
    let manifest = super::tree::root().join("Cargo.toml");
    let command = MetadataCommand::new().manifest_path(manifest).no_deps().exec();
    let metadata = command.expect("cargo describes the workspace");
    let ours: Vec<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let arrow = |package: &cargo_metadata::Package| {
        let to = package.dependencies.iter();
        let to = to.filter(|d| d.kind != DependencyKind::Development && ours.contains(&d.name));
        (package.name.to_string(), to.map(|d| d.name.clone()).collect())
    };
    metadata.packages.iter().map(arrow).filter(|(name, _)| name != "beltwatch-tests").collect()
}

/// Arrows that the drawing does not have, and crates that it does not know.
pub(crate) fn complaints(arrows: &[Arrow]) -> Vec<String> {
    let mut found = Vec::new();
    for (from, to) in arrows {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == from) else {
            found.push(format!("{from} is not in the drawing"));
            continue;
        };
        let wrong = to.iter().filter(|to| !allowed.contains(&to.as_str()));
        found.extend(wrong.map(|to| format!("{from} must not depend on {to}")));
    }
    found
}
