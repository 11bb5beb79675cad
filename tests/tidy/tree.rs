//! The tree as it is on the disk.

use std::path::PathBuf;

/// What must be at the top.
pub(crate) const REQUIRED: [&str; 12] = [
    "Cargo.toml",
    "services",
    "proto",
    "deploy",
    "tests",
    "docker-compose.yml",
    "README.md",
    "ARCHITECTURE.md",
    "STYLE.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
];

/// A file by its path from the top, with its text.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The top of the project. Cargo runs tests in their package's folder; its path when they were built may be another's.
pub(crate) fn root() -> PathBuf {
    PathBuf::from("..")
}

/// A file's text.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files with one of these endings, but for build artefacts, hidden folders and what others wrote.
pub(crate) fn files(endings: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the project can be read") {
            let path = entry.expect("the project can be read").path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let skipped =
                name.starts_with('.') || ["target", "vendor", "beltwatch-data"].contains(&name.as_str());
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(&format!(".{ending}"))) {
                let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
                let path = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Names at the top.
pub(crate) fn top_level() -> Vec<String> {
    let entries = std::fs::read_dir(root()).expect("the project can be read");
    entries.map(|e| e.expect("the project can be read").file_name().to_string_lossy().into_owned()).collect()
}

/// What must be at the top and is not.
pub(crate) fn missing(there: &[String]) -> Vec<&'static str> {
    REQUIRED.into_iter().filter(|name| !there.iter().any(|entry| entry == name)).collect()
}
