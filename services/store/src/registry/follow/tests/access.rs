//! People, their sessions and links, tokens.

use super::*;

#[test]
fn somebody_who_administers_all_is_always_left() {
    let mut followed = Followed::new();
    let change = |change: UserChange| FactKind::UserChanged(UserChange { user: user_name("anna"), ..change });
    let stripped = || change(UserChange { grants: Some(Vec::new()), ..no_change("anna") });
    let limited = || {
        let grants = Some(vec![grant(Role::Administrator, &["gym-1"])]);
        change(UserChange { grants, ..no_change("anna") })
    };
    let expired =
        || change(UserChange { end: Some(End { expires: Some(UnixMicros(DAY)) }), ..no_change("anna") });
    let ends = [disabled("anna", true), stripped(), limited(), expired()];
    // None of these can take over.
    let cannot = [
        user("no-password", &[grant(Role::Administrator, &[])]),
        User {
            disabled: true,
            password: Some("$".to_owned()),
            ..user("off", &[grant(Role::Administrator, &[])])
        },
        User { password: Some("$".to_owned()), ..user("local", &[grant(Role::Administrator, &["gym-1"])]) },
        User { password: Some("$".to_owned()), ..user("manager", &[grant(Role::Manager, &[])]) },
    ];
    for other in cannot {
        followed.all([created(other)]);
        for end in &ends {
            followed.refuses(StoreErrorKind::Conflict, end.clone());
        }
    }
    assert!(followed.0.has_administrator());
    followed
        .all([FactKind::UserChanged(UserChange { display_name: Some("A".to_owned()), ..no_change("anna") })]);
    // With a password, the other one can.
    followed.all([password("no-password", None, None)]);
    for end in ends {
        let mut other = Followed(followed.0.clone());
        other.all([end]);
        assert!(other.0.has_administrator());
        other.refuses(StoreErrorKind::Conflict, disabled("no-password", true));
    }
}

#[test]
fn a_link_is_used_once_and_replaced_by_the_next() {
    let mut followed = Followed::new();
    let of_ben = || LinkKind::Password { user: user_name("ben") };
    followed.all([
        link(1, LinkKind::FirstAdministrator, 100),
        link(2, of_ben(), 100),
        link(3, LinkKind::Password { user: user_name("anna") }, 100),
        link(4, LinkKind::SignIn { user: user_name("ben") }, 5),
    ]);
    assert_eq!(followed.links(), [1, 2, 3, 4]);
    followed.at(1, link(5, of_ben(), 100));
    assert_eq!(followed.links(), [1, 3, 4, 5], "the earlier one for the same is no longer good");
    followed.refuses(StoreErrorKind::Conflict, password("ben", None, Some(2)));
    followed.at(2, password("ben", None, Some(5)));
    assert_eq!(followed.user("ben").password.as_deref(), Some("$new$"));
    followed.refuses(StoreErrorKind::Conflict, password("ben", None, Some(5)));
    let first = || NewUser { user: user("carl", &[grant(Role::Administrator, &[])]), link: Some([1; 32]) };
    followed.at(3, FactKind::UserCreated(first()));
    let again = NewUser { user: user("dora", &[]), ..first() };
    followed.refuses(StoreErrorKind::Conflict, FactKind::UserCreated(again));
    assert_eq!(followed.links(), [3, 4]);
    // What has ended makes room.
    followed.at(5, link(6, LinkKind::FirstAdministrator, 100));
    assert_eq!(followed.links(), [3, 6]);
    assert_eq!(followed.0.link(&[6; 32]).map(|link| link.kind.clone()), Some(LinkKind::FirstAdministrator));
}

#[test]
fn sessions_of_a_user_are_bounded() {
    let mut followed = Followed::new();
    let most = u8::try_from(USER_SIGN_INS_MAX).unwrap();
    followed.at(0, signed_in(200, "anna", 0, 10_000));
    for octet in 0..most {
        // Signed in one after another, with hashes in the other order.
        followed.at(10 + i64::from(octet), signed_in(100 - octet, "ben", 10 + i64::from(octet), 10_000));
    }
    assert_eq!(followed.sign_ins().len(), USER_SIGN_INS_MAX + 1);
    followed.at(50, signed_in(101, "ben", 50, 60));
    assert_eq!(followed.0.sign_in(&[100; 32]), None, "the oldest ends");
    assert!(followed.0.sign_in(&[99; 32]).is_some());
    assert_eq!(followed.sign_ins().len(), USER_SIGN_INS_MAX + 1, "and nobody else's");
    assert_eq!(followed.user("ben").last_sign_in, Some(UnixMicros(50)));
    assert_eq!(followed.user("anna").last_sign_in, Some(UnixMicros(0)));
    // One that has ended by itself is removed, whoever signs in.
    followed.at(60, signed_in(201, "anna", 60, 10_000));
    assert_eq!(followed.0.sign_in(&[101; 32]), None);
    // So there is room for one without ending another.
    followed.at(61, signed_in(102, "ben", 61, 10_000));
    assert!(followed.0.sign_in(&[99; 32]).is_some());
}

/// Which of anna's sessions 1, 2 and ben's 3, 4 are left.
#[track_caller]
fn check_ends(kind: FactKind, left: &[u8]) {
    let mut followed = Followed::new();
    followed.all([administrator("carl")]);
    for (octet, name) in [(1, "anna"), (2, "anna"), (3, "ben"), (4, "ben")] {
        followed.at(0, signed_in(octet, name, i64::from(octet), 100));
    }
    followed.at(5, kind.clone());
    assert_eq!(followed.sign_ins(), left, "{kind:?}");
}

#[test]
fn what_ends_sessions() {
    let out = |name: &str, session: Option<u8>| {
        FactKind::SignedOut(SignOut { user: user_name(name), session: session.map(|octet| [octet; 32]) })
    };
    check_ends(disabled("anna", true), &[3, 4]);
    check_ends(disabled("anna", false), &[1, 2, 3, 4]);
    check_ends(FactKind::UserChanged(no_change("anna")), &[1, 2, 3, 4]);
    check_ends(password("ben", None, None), &[1, 2]);
    check_ends(password("ben", Some(4), None), &[1, 2, 4]);
    // A session of somebody else is not theirs to keep or to end.
    check_ends(password("ben", Some(1), None), &[1, 2]);
    check_ends(out("ben", Some(1)), &[1, 2, 3, 4]);
    check_ends(out("ben", Some(3)), &[1, 2, 4]);
    check_ends(out("ben", Some(9)), &[1, 2, 3, 4]);
    check_ends(out("anna", None), &[3, 4]);
    check_ends(out("nobody", None), &[1, 2, 3, 4]);
}

#[test]
fn tokens_have_numbers_and_are_forgotten_after_90_days() {
    let mut followed = Followed::new();
    let one = followed.at(0, token(1, &["gym-1"], DAY));
    let two = followed.at(0, token(2, &[], 900 * DAY));
    assert_eq!(followed.0.tokens()[&[1; 32]].number, one);
    followed.at(2 * DAY, FactKind::TokenRevoked(TokenNumber { number: two }));
    // Revoked again, it stays revoked since the first time.
    followed.at(3 * DAY, FactKind::TokenRevoked(TokenNumber { number: two }));
    assert_eq!(followed.0.tokens()[&[2; 32]].revoked, Some(UnixMicros(2 * DAY)));
    followed.at(91 * DAY - 1, token(3, &[], 900 * DAY));
    assert_eq!(followed.tokens(), [1, 2, 3]);
    followed.at(91 * DAY, token(4, &[], 900 * DAY));
    assert_eq!(followed.tokens(), [2, 3, 4]);
    followed.at(92 * DAY, token(5, &[], 900 * DAY));
    assert_eq!(followed.tokens(), [3, 4, 5]);
    followed.refuses(StoreErrorKind::Invalid, FactKind::TokenRevoked(TokenNumber { number: one }));
}
