use super::*;
use crate::influx::csv::Parser;

/// An answer with one table a field, of time and value.
fn answer(tables: &[(&str, &[(&str, &str)])]) -> Vec<Table> {
    let mut text =
        "#datatype,string,long,dateTime:RFC3339,string,string\r\n#group,false,false,false,false,true\r\n\
                    #default,_result,,,,\r\n,result,table,_time,_value,_field\r\n"
            .to_owned();
    for (number, (field, rows)) in tables.iter().enumerate() {
        for (time, value) in *rows {
            text.push_str(&format!(",,{number},2027-01-15T08:00:{time}Z,{value},{field}\r\n"));
        }
    }
    text.push_str("\r\n");
    let mut parser = Parser::default();
    assert!(parser.take(text.as_bytes()).is_ok());
    parser.finish().unwrap_or_else(|_| panic!("the answer is whole"))
}

const LOG: &str = "01010101010101010101010101010101";
const BEGIN_NS: i64 = 1_800_000_000_000_000_000;

#[test]
fn fields_of_one_time_are_one_point() {
    let tables = answer(&[
        ("boot", &[("00.000001002", "3"), ("01", "3"), ("02", "3")]),
        ("n", &[("00.000001002", "7"), ("02", "9")]),
        ("log", &[("00.000001002", LOG), ("01", LOG), ("02", LOG)]),
    ]);
    let points = points(&tables).unwrap();
    let found: Vec<_> = points.iter().map(|point| found(point).unwrap()).collect();
    let log = LOG.parse().unwrap();
    let place = |us, slot, n| Found { us, slot, log, position: domain::log::Position::new(3, n) };
    // At the second time is no number: it is none of ours, or its number is not in the answer.
    assert_eq!(found, [place(BEGIN_NS / 1_000 + 1, 2, 7), place(BEGIN_NS / 1_000 + 2_000_000, 0, 9)]);
    assert_eq!(times(&tables).unwrap(), Some((BEGIN_NS / 1_000 + 1, BEGIN_NS / 1_000 + 2_000_000)));
}

#[test]
fn answers_may_be_empty_or_of_somebody_else() {
    assert_eq!(points(&[]).unwrap().len(), 0);
    assert_eq!((sum(&[]).unwrap(), times(&[]).unwrap()), (0, None));
    let tables = answer(&[("n", &[("00", "7")]), ("m", &[("00", "x")])]);
    let foreign = points(&tables).unwrap();
    assert_eq!(found(&foreign[0]).unwrap_err().to_string(), "its field log is missing");
    assert_eq!(sum(&answer(&[("n", &[("00", "7"), ("01", "8")])])).unwrap(), 15);
    assert!(sum(&answer(&[("n", &[("00", "x")])])).is_err());
}

#[test]
fn times_before_1970_have_slots_too() {
    assert_eq!(place_in_time(1_002), (1, 2));
    assert_eq!(place_in_time(-1_000 + 5), (-1, 5));
    assert_eq!(place_in_time(-1), (-1, 999));
}
