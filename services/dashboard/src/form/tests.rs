use super::*;

#[test]
fn fields_are_read_as_browsers_write_them() {
    let fields = Fields::read(b"name=Anna+M%C3%BCller&row.n-1=2&row.n-2=&name=second&%zz");
    assert_eq!(fields.get("name"), "Anna Müller");
    assert_eq!(fields.get("none"), "");
    assert_eq!(fields.beginning("row.").collect::<Vec<_>>(), [("n-1", "2"), ("n-2", "")]);
}

#[test]
fn the_token_follows_from_the_session_and_does_not_tell_it() {
    let one = token("bws1_one").to_string();
    assert_eq!(one.len(), 64);
    assert_eq!(one, token("bws1_one").to_string());
    assert_ne!(one, token("bws1_two").to_string());
}
