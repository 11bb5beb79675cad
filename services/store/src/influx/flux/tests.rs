use super::*;

fn key() -> LaneKey {
    LaneKey { machine: MachineId::new("tm-1").unwrap(), lane: Lane::Readings }
}

#[test]
fn questions_are_these() {
    let span = Span { first: 5, last: 7 };
    for (flux, expected) in [
        (
            rows("b-readings", &key(), span, 9),
            "from(bucket: \"b-readings\") |> range(start: time(v: 5000), stop: time(v: 8000)) \
             |> filter(fn: (r) => r._measurement == \"reading\" and r.machine == \"tm-1\") |> limit(n: 9) \
             |> keep(columns: [\"_time\", \"_value\", \"_field\"])",
        ),
        (
            places("b", &key(), Axis::Undated, Span { first: 5, last: 7 }, 9),
            "from(bucket: \"b\") |> range(start: time(v: 5), stop: time(v: 8)) |> filter(fn: (r) => \
             r._measurement == \"undated\" and r.lane == \"readings\" and r.machine == \"tm-1\" and \
             (r._field == \"log\" or r._field == \"boot\" or r._field == \"n\")) |> limit(n: 9) \
             |> keep(columns: [\"_time\", \"_value\", \"_field\"])",
        ),
        (
            numbered("b", &key(), Axis::Dated, span, (3, u64::MAX), End::Last),
            "from(bucket: \"b\") |> range(start: time(v: 5000), stop: time(v: 8000)) |> filter(fn: (r) => \
             r._measurement == \"reading\" and r.machine == \"tm-1\" and r._field == \"n\" and r._value >= 3 and \
             r._value <= 9223372036854775807) |> last() |> keep(columns: [\"_time\", \"_value\"])",
        ),
        (
            count("b", Lane::Events, None, span),
            "from(bucket: \"b\") |> range(start: time(v: 5000), stop: time(v: 8000)) |> filter(fn: (r) => \
             r._measurement == \"event\" and r._field == \"n\") |> count() |> keep(columns: [\"_value\"]) |> group() \
             |> sum()",
        ),
    ] {
        assert_eq!(flux, expected);
    }
}

#[test]
fn a_text_cannot_leave_its_quotes() {
    for (text, expected) in [
        ("plain-1", "\"plain-1\""),
        ("a\") |> b", "\"a\\\") |> b\""),
        ("a\\", "\"a\\\\\""),
        ("${a}\n", "\"\\x24{a} \""),
    ] {
        assert_eq!(quoted(text), expected);
    }
}
