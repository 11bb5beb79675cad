use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_file_is_replaced_as_a_whole_for_the_folders_group() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("deep/broker");
    let folder = Folder::open(&path).unwrap();
    assert_eq!(mode(&path), FOLDER_MODE);
    folder.put("acl", "one").unwrap();
    let file = path.join("acl");
    let first = std::fs::metadata(&file).unwrap();
    assert_eq!((mode(&file), first.gid()), (FILE_MODE, std::fs::metadata(&path).unwrap().gid()));
    // Nothing new: it is not touched, so nobody reads it again.
    folder.put("acl", "one").unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().ino(), first.ino());
    // Whoever reads the old one reads it to its end.
    let mut reader = File::open(&file).unwrap();
    std::fs::write(path.join(".acl.new"), "left by a server that was killed").unwrap();
    folder.put("acl", "two").unwrap();
    let mut read = String::new();
    std::io::Read::read_to_string(&mut reader, &mut read).unwrap();
    assert_eq!((read.as_str(), std::fs::read_to_string(&file).unwrap().as_str()), ("one", "two"));
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
}

#[test]
fn a_folder_that_is_there_keeps_its_mode_and_the_key_is_made_once() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::set_permissions(outer.path(), Permissions::from_mode(0o2770)).unwrap();
    let folder = Folder::open(outer.path()).unwrap();
    assert_eq!(mode(outer.path()), 0o2770);
    assert_eq!(folder.key(|| Ok("first".to_owned())).unwrap(), "first");
    assert_eq!(folder.key(|| Ok("second".to_owned())).unwrap(), "first");
    assert_eq!(mode(&outer.path().join(KEY)), FILE_MODE);
    let error = format!("{:#}", Folder::open(&outer.path().join(KEY)).unwrap_err());
    assert!(error.contains("cannot make"), "{error}");
}
