//! Schemas are prose with types: every part says unit, range, and what absence means.

use super::tree::File;

/// Parts of a schema without a comment on the line before.
pub(crate) fn uncommented(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    let mut commented = false;
    for (number, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if is_part(line) && !commented {
            found.push(format!("{}:{}: {line} has no comment", file.path, number + 1));
        }
        commented = line.starts_with("//");
    }
    found
}

fn is_part(line: &str) -> bool {
    let opens = ["message ", "enum ", "service ", "rpc ", "oneof "].iter().any(|word| line.starts_with(word));
    let is_statement = ["syntax", "package", "import", "option "].iter().any(|word| line.starts_with(word));
    let is_field = line.ends_with(';') && line.contains(" = ") && !line.starts_with("//") && !is_statement;
    opens || is_field
}
