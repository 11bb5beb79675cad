use super::*;
use crate::texts::Language;

const T: Texts = Texts { language: Language::English };

fn piece(id: &str, row: &str, column: &str) -> Piece {
    Piece {
        id: id.to_owned(),
        name: id.to_owned(),
        row: row.to_owned(),
        column: column.to_owned(),
        error: "",
    }
}

/// A machine with its row and column, from 0.
type Placed = (&'static str, Option<(u32, u32)>);

fn check(typed: &[(&str, &str)], expected: Result<Vec<Placed>, Vec<&str>>) {
    let mut pieces = vec![piece("a", "1", "1"), piece("b", "", "")];
    let typed: Vec<String> = typed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = Fields::read(typed.join("&").as_bytes());
    let places = take(&mut pieces, &fields, T);
    let places = places.as_ref().map(|places| {
        let place = |one: &v1::MachinePlace| one.place.map(|place| (place.row, place.column));
        places
            .iter()
            .zip(["a", "b"])
            .map(|(one, id)| {
                assert_eq!(one.machine_id, id);
                (id, place(one))
            })
            .collect()
    });
    let errors = pieces.iter().map(|piece| piece.error).collect();
    assert_eq!(places.map_err(|()| errors), expected, "{typed:?}");
}

#[test]
fn places_are_typed_from_one_and_told_from_zero() {
    check(&[], Ok(vec![("a", Some((0, 0))), ("b", None)]));
    check(&[("row.b", "+2"), ("column.b", "64")], Ok(vec![("a", Some((0, 0))), ("b", Some((1, 63)))]));
    check(&[("row.a", ""), ("column.a", "")], Ok(vec![("a", None), ("b", None)]));
}

#[test]
fn what_is_no_place_is_said_beside_it() {
    let wrong = T.place_wrong();
    for (row, column) in [("0", "1"), ("65", "1"), ("1", "x"), ("1", ""), ("", "3")] {
        check(&[("row.b", row), ("column.b", column)], Err(vec!["", wrong]));
    }
    check(&[("row.b", "1"), ("column.b", "1")], Err(vec!["", T.place_taken()]));
}
