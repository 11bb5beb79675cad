use proptest::prelude::*;

use super::*;

const HEAD: &str = "#datatype,string,long,dateTime:RFC3339,string,long\r\n#group,false,false,false,true,false\r\n\
                    #default,_result,,,,\r\n,result,table,_time,_field,_value\r\n";

fn parse(text: &str, pieces: usize) -> Result<Vec<Table>, Fault> {
    let mut parser = Parser::default();
    for piece in text.as_bytes().chunks(pieces) {
        parser.take(piece)?;
    }
    parser.finish()
}

/// Tables as rows of cells, the same however the octets are cut.
fn check(text: &str, wanted: &[&[&[Option<&str>]]]) {
    for pieces in [1, 2, 3, 7, 64, usize::MAX] {
        let tables = parse(text, pieces).unwrap();
        let found: Vec<Vec<Vec<Option<&str>>>> =
            tables.iter().map(|table| table.rows().map(cells).collect()).collect();
        assert_eq!(found, wanted, "in pieces of {pieces}");
    }
}

fn cells(row: Row<'_>) -> Vec<Option<&str>> {
    (0..row.table.columns().len()).map(|column| row.text(column)).collect()
}

fn check_fault(text: &str, wanted: &dyn Fn(&Fault) -> bool) {
    for pieces in [1, 5, usize::MAX] {
        let fault = parse(text, pieces).unwrap_err();
        assert!(wanted(&fault), "{fault:?} of {text:?}");
    }
}

#[test]
fn tables_are_told_apart_by_their_number_result_and_block() {
    let row =
        |table: &str, field: &str, value: &str| format!(",,{table},1970-01-01T00:00:01Z,{field},{value}\r\n");
    let time = Some("1970-01-01T00:00:01Z");
    let result = Some("_result");
    let text = [HEAD, &row("0", "a", "1"), &row("0", "a", ""), &row("1", "b", "2"), "\r\n"].concat();
    let first: &[&[_]] =
        &[&[result, Some("0"), time, Some("a"), Some("1")], &[result, Some("0"), time, Some("a"), None]];
    let second: &[&[_]] = &[&[result, Some("1"), time, Some("b"), Some("2")]];
    check(&text, &[first, second]);
    // The next block may begin with the number of the last table.
    let again = [&text, HEAD, &row("1", "b", "2"), "\r\n"].concat();
    check(&again, &[first, second, second]);
    check("\r\n", &[]);
    check(&[HEAD, "\r\n"].concat(), &[]);
    check(&text.replace("\r\n", "\n"), &[first, second]);
}

#[test]
fn texts_come_back_with_quotes_commas_and_line_breaks() {
    let text = [HEAD, ",,0,,\"say \"\"hi\"\", \r\n\r\nbye\",5\r\n\r\n"].concat();
    check(&text, &[&[&[Some("_result"), Some("0"), None, Some("say \"hi\", \n\nbye"), Some("5")]]]);
}

#[test]
fn what_is_no_whole_answer_is_told_apart() {
    let row = ",,0,1970-01-01T00:00:01Z,a,1\r\n";
    let whole = [HEAD, row, row, "\r\n"].concat();
    for end in 1..whole.len() {
        let is_cut = |fault: &Fault| matches!(fault, Fault::Cut);
        if !whole[..end].ends_with("\r\n\r") {
            check_fault(&whole[..end], &is_cut);
        }
    }
    check_fault("", &|fault| *fault == Fault::Cut);
    check_fault(&[HEAD, ",,0,\"open\r\n\r\n"].concat(), &|fault| *fault == Fault::Cut);
    let error = Fault::Flux("runtime error: \"x\"".to_owned());
    let block = "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n";
    let said = ",\"runtime error: \"\"x\"\"\",897\r\n";
    check_fault(&[block, said].concat(), &|fault| *fault == error);
    check_fault(&[HEAD, row, "\r\n\r\n", block, said].concat(), &|fault| *fault == error);
    check_fault("error,reference\r\n\"runtime error: \"\"x\"\"\",897\r\n", &|fault| *fault == error);
    for garbled in [
        "<html>\r\n",
        "a,b\r\n1,2\r\n",
        "\"\"\r\n",
        &[HEAD, ",,0\r\n"].concat(),
        &[HEAD, ",,\"\u{0}\",,,,,\r\n"].concat(),
    ] {
        check_fault(garbled, &|fault| matches!(fault, Fault::Garbled(_)));
    }
    let octets = [HEAD.as_bytes(), b",,0,,\xff,1\r\n\r\n"].concat();
    assert!(matches!(Parser::default().take(&octets), Err(Fault::Garbled(_))));
}

#[test]
fn cells_are_read_as_what_their_column_holds() {
    let row = ",,0,2026-11-21T21:30:53.123456789Z,true,-5\r\n";
    let tables = parse(&[HEAD, row, ",,0,,,\r\n\r\n"].concat(), 9).unwrap();
    let [table] = &tables[..] else { panic!("{tables:?}") };
    assert_eq!((table.len(), table.is_empty()), (2, false));
    assert_eq!(table.columns(), ["result", "table", "_time", "_field", "_value"]);
    let [time, flag, value] = ["_time", "_field", "_value"].map(|name| table.column(name).unwrap());
    let [first, last] = [0, 1].map(|index| table.rows().nth(index).unwrap());
    assert_eq!(first.nanoseconds(time).unwrap(), Some(1_795_296_653_123_456_789));
    assert_eq!(first.flag(flag).unwrap(), Some(true));
    assert_eq!(first.int(value).unwrap(), Some(-5));
    assert_eq!(first.float(value).unwrap(), Some(-5.0));
    assert_eq!(table.key("_value"), Some("-5"));
    assert_eq!(table.key("nothing"), None);
    for error in [
        first.unsigned(value).unwrap_err(),
        first.int(flag).unwrap_err(),
        first.nanoseconds(value).unwrap_err(),
        table.need("machine").unwrap_err(),
    ] {
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert!(error.context.contains("InfluxDB answers"), "{error}");
    }
    assert_eq!(last.text(99), None, "beyond the last column");
    for column in [time, flag, value] {
        assert!(last.nanoseconds(column).unwrap().is_none() && last.flag(column).unwrap().is_none());
    }
}

proptest! {
    #[test]
    fn nothing_that_is_sent_makes_it_panic(octets in any::<Vec<u8>>(), pieces in 1..20_usize) {
        let mut parser = Parser::default();
        let taken = octets.chunks(pieces).try_for_each(|piece| parser.take(piece));
        if taken.is_ok() {
            let _ = parser.finish();
        }
    }

    #[test]
    fn nothing_that_looks_like_it_makes_it_panic(
        text in "(#default|,|\"|\r\n|error|reference|table|result|0|a){0,40}",
        pieces in 1..20_usize,
    ) {
        if let Ok(tables) = parse(&text, pieces) {
            for row in tables.iter().flat_map(Table::rows) {
                let _ = (row.text(0), row.int(1), row.nanoseconds(2));
            }
        }
    }

    #[test]
    fn cells_come_back_as_they_were(
        cells in proptest::collection::vec(("[^\r\u{0}]{0,12}", any::<i64>()), 1..20),
        pieces in 1..40_usize,
    ) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\"").replace('\n', "\r\n"));
        let rows: Vec<String> = cells
            .iter()
            .map(|(text, value)| format!(",,0,1970-01-01T00:00:00Z,{},{value}\r\n", quoted(text)))
            .collect();
        let tables = parse(&[HEAD, &rows.concat(), "\r\n"].concat(), pieces).unwrap();
        let found: Vec<(String, i64)> = tables[0]
            .rows()
            .map(|row| (row.text(3).unwrap_or_default().to_owned(), row.int(4).unwrap().unwrap()))
            .collect();
        prop_assert_eq!(found, cells);
    }
}
