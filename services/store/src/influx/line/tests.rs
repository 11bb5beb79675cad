use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A value as InfluxDB reads it.
#[derive(Debug, Clone, PartialEq)]
enum Read {
    Int(i64),
    Text(String),
    Flag(bool),
    Float(f64),
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Point {
    measurement: String,
    tags: BTreeMap<String, String>,
    fields: BTreeMap<String, Read>,
    time: i64,
}

/// Reads lines in the way of InfluxDB: a separator counts if no backslash is right before it, and a line ends at a line break
/// outside of a text.
fn parse(text: &str) -> Vec<Point> {
    let mut rest = text;
    let mut points = Vec::new();
    while !rest.is_empty() {
        let (point, behind) = parse_line(rest);
        points.push(point);
        rest = behind;
    }
    points
}

fn parse_line(line: &str) -> (Point, &str) {
    assert!(!line.starts_with(['#', '\n', ' ']), "a comment or an empty line: {line:?}");
    let mut point = Point::default();
    let (measurement, mut rest) = until(line, &[',', ' ']);
    point.measurement = plain(measurement);
    while let Some(tag) = rest.strip_prefix(',') {
        let (key, behind) = until(tag, &['=', ',', ' ']);
        let (value, behind) = until(behind.strip_prefix('=').expect("a tag has a value"), &[',', ' ', '=']);
        assert!(!key.is_empty() && !value.is_empty(), "{line:?}");
        assert_eq!(point.tags.insert(plain(key), plain(value)), None);
        rest = behind;
    }
    let mut separator = ' ';
    while let Some(field) = rest.strip_prefix(separator).filter(|_| separator == ' ' || rest.starts_with(','))
    {
        let (key, behind) = until(field, &['=', ',', ' ']);
        let (value, behind) = value(behind.strip_prefix('=').expect("a field has a value"));
        assert_eq!(point.fields.insert(plain(key), value), None);
        rest = behind;
        separator = ',';
    }
    let (time, behind) = rest.split_once('\n').expect("a line ends");
    point.time = time.strip_prefix(' ').expect("a time comes last").parse().expect("it is a number");
    (point, behind)
}

/// Up to one of these without a backslash before it.
fn until<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    let mut before = ' ';
    for (index, c) in text.char_indices() {
        assert!(!c.is_control(), "a name goes on over the end of its line: {text:?}");
        if ends.contains(&c) && before != '\\' {
            return text.split_at(index);
        }
        before = c;
    }
    panic!("no end: {text:?}");
}

fn plain(text: &str) -> String {
    text.replace("\\,", ",").replace("\\ ", " ").replace("\\=", "=")
}

fn value(text: &str) -> (Read, &str) {
    if let Some(text) = text.strip_prefix('"') {
        let mut read = String::new();
        let mut chars = text.char_indices();
        while let Some((index, c)) = chars.next() {
            match c {
                '"' => return (Read::Text(read), &text[index + 1..]),
                '\\' => read.push(chars.next().expect("something is escaped").1),
                c => read.push(c),
            }
        }
        panic!("a text has no end: {text:?}");
    }
    let (word, behind) = text.split_at(text.find([',', ' ']).expect("something comes behind"));
    let read = match (word, word.strip_suffix('i')) {
        ("t", _) => Read::Flag(true),
        ("f", _) => Read::Flag(false),
        (_, Some(digits)) => Read::Int(digits.parse().unwrap()),
        (number, None) => Read::Float(number.parse().unwrap()),
    };
    (read, behind)
}

fn check(line: DatedLine, wanted: &str) {
    let lines: Lines = [line].into_iter().collect();
    assert_eq!(lines.text(0..lines.len()), wanted);
}

#[test]
fn lines_are_as_influxdb_reads_them() {
    let new = || Line::new("reading").tag("machine", "tm-01");
    check(new().int("n", -5).at(7), "reading,machine=tm-01 n=-5i 7\n");
    check(new().flag("yes", true).flag("no", false).at(-7), "reading,machine=tm-01 yes=t,no=f -7\n");
    check(new().float("speed", 1.5).float("none", f64::NAN).at(1), "reading,machine=tm-01 speed=1.5 1\n");
    check(new().text("t", "say \"hi\" \\").at(1), "reading,machine=tm-01 t=\"say \\\"hi\\\" \\\\\" 1\n");
    check(new().text("t", "a\nb").at(1), "reading,machine=tm-01 t=\"a\nb\" 1\n");
    check(new().tag("site", "").int("n", 1).at(1), "reading,machine=tm-01 n=1i 1\n");
    check(
        Line::new("a, b=c").tag("k ,=", "v ,=").int("f ,=", 1).at(1),
        "a\\,\\ b=c,k\\ \\,\\==v\\ \\,\\= f\\ \\,\\==1i 1\n",
    );
    check(Line::new("#a").tag("k", "back\\").int("f", 1).at(1), "_a,k=back/ f=1i 1\n");
    check(Line::new("a").tag("k", "two\nlines").int("f", 1).at(1), "a,k=two\\ lines f=1i 1\n");
    check(new().at(1), "");
    check(new().float("none", f64::INFINITY).at(1), "");
}

#[test]
fn lines_are_counted_cut_and_given_back_one_by_one() {
    let line = |n: i64| Line::new("a").text("t", "x\ny").int("n", n).at(n);
    let lines: Lines = (0..4).map(line).collect();
    let each = "a t=\"x\ny\",n=0i 0";
    assert_eq!((lines.len(), lines.bytes(), lines.is_empty()), (4, 4 * (each.len() + 1), false));
    assert_eq!(lines.iter().next(), Some(each));
    assert_eq!(lines.iter().last(), Some("a t=\"x\ny\",n=3i 3"));
    assert_eq!(lines.text(1..2), "a t=\"x\ny\",n=1i 1\n");
    for (from, lines_max, bytes_max, until) in [
        (0, 10, 1_000, 4),
        (0, 3, 1_000, 3),
        (3, 3, 1_000, 4),
        (1, 3, 40, 3),
        (1, 3, 39, 3),
        (0, 3, 1, 1),
        (2, 0, 0, 3),
    ] {
        assert_eq!(lines.batch(from, lines_max, bytes_max), until, "{from} {lines_max} {bytes_max}");
    }
    assert!(Lines::new().is_empty());
}

fn name() -> impl Strategy<Value = String> {
    // What the protocol cannot carry there is left out, and so is what it would take for a comment.
    "[^\\\\\\p{C}#]{1,8}".prop_filter("a space at either end of a name is one, too", |name| !name.is_empty())
}

proptest! {
    #[test]
    fn points_come_back_as_they_were(
        points in proptest::collection::vec(
            (
                name(),
                proptest::collection::btree_map(name(), name(), 0..4),
                proptest::collection::btree_map(
                    name(),
                    prop_oneof![
                        any::<i64>().prop_map(Read::Int),
                        any::<String>().prop_map(Read::Text),
                        any::<bool>().prop_map(Read::Flag),
                        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(Read::Float),
                    ],
                    1..4,
                ),
                any::<i64>(),
            ),
            0..5,
        )
    ) {
        let mut wanted = Vec::new();
        let mut lines = Lines::new();
        for (measurement, tags, fields, time) in points {
            let mut line = Line::new(&measurement);
            for (key, value) in &tags {
                line = line.tag(key, value);
            }
            for (key, value) in &fields {
                line = match value {
                    Read::Int(value) => line.int(key, *value),
                    Read::Text(value) => line.text(key, value),
                    Read::Flag(value) => line.flag(key, *value),
                    Read::Float(value) => line.float(key, *value),
                };
            }
            lines.push(line.at(time));
            wanted.push(Point { measurement, tags, fields, time });
        }
        prop_assert_eq!(parse(lines.text(0..lines.len())), wanted);
    }

    #[test]
    fn whatever_names_hold_a_line_stays_one_line(
        measurement in "\\PC|[#\\\\\n\r\t ,=\"]{1,6}",
        key in "[a\\\\\n\r\t ,=\"]{1,6}",
        value in "[a\\\\\n\r\t ,=\"]{1,6}",
        text in any::<String>(),
    ) {
        let line = Line::new(&measurement).tag(&key, &value).text(&key, &text).at(1);
        let lines: Lines = [line.clone(), line].into_iter().collect();
        let points = parse(lines.text(0..2));
        prop_assert_eq!(points.len(), 2);
        prop_assert_eq!(points[0].fields.values().next(), Some(&Read::Text(text)));
    }
}
