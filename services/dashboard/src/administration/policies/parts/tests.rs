use super::*;
use crate::form::Fields;

const ENGLISH: Texts = Texts { language: Language::English };

fn parse(part: Part, sent: &str) -> Result<v1::Policy, Vec<usize>> {
    let mut editors = editors(&v1::Policy::default(), Vec::new(), "", true, ENGLISH);
    let editor = editors.iter_mut().find(|editor| editor.id == part.id()).unwrap();
    editor.read(&Fields::read(sent.as_bytes()));
    let parsed = part.parse(editor, ENGLISH);
    let wrong = editor.rows.iter().enumerate().filter(|(_, row)| !row.error.is_empty());
    parsed.map_err(|()| wrong.map(|(row, _)| row).collect())
}

#[test]
fn steps_are_read_row_by_row() {
    let step = |after: &str| format!("contact.0=duty&severity.0=high&after.0={after}&staffing.0=unstaffed");
    for (after, seconds) in [("0", 0), ("15", 900), ("0.5", 30), ("0,5", 30), ("1440", 86_400)] {
        let chain = parse(Part::Chain, &step(after)).unwrap().chain;
        assert_eq!((chain.len(), chain[0].after_seconds), (1, seconds), "{after}");
        assert_eq!(chain[0].staffing(), v1::Staffing::Unstaffed);
    }
    for after in ["", "-1", "1441", "soon", "NaN", "inf", "1e9"] {
        assert_eq!(parse(Part::Chain, &step(after)), Err(vec![0]), "{after}");
    }
    let second = "contact.0=&severity.0=high&after.0=x&staffing.0=always\
                  &contact.1=duty&severity.1=dreadful&after.1=1&staffing.1=always";
    assert_eq!(parse(Part::Chain, second), Err(vec![1]), "the first is left empty");
    assert_eq!(parse(Part::Chain, "").unwrap().chain, []);
}

#[test]
fn deadlines_and_the_rule_keep_within_their_limits() {
    let deadline = |name: &str, hours: &str| {
        parse(Part::Deadlines, &format!("name.0={name}&severity.0=low&hours.0={hours}&until.0=closed"))
    };
    assert_eq!(deadline("insurer", "72").unwrap().deadlines[0].hours, 72);
    assert_eq!(deadline("", "").unwrap().deadlines, []);
    for (name, hours) in [("", "72"), ("insurer", ""), ("insurer", "0"), ("insurer", "2161")] {
        assert_eq!(deadline(name, hours), Err(vec![0]), "{name} {hours}");
    }
    assert_eq!(deadline(&"x".repeat(61), "1"), Err(vec![0]));
    let rule = |count: &str, days: &str| {
        let policy = parse(Part::Service, &format!("count.0={count}&days.0={days}"));
        policy.map(|policy| (policy.out_of_service_count, policy.out_of_service_days))
    };
    assert_eq!(rule("2", "7"), Ok((2, 7)));
    assert_eq!(rule("0", "1"), Ok((0, 1)));
    for (count, days) in [("101", "7"), ("2", "0"), ("2", "91"), ("-1", "7"), ("", "7")] {
        assert_eq!(rule(count, days), Err(vec![0]), "{count} {days}");
    }
}

#[test]
fn what_is_shown_can_be_sent_back() {
    let policy = v1::Policy {
        chain: vec![v1::ChainStep {
            contact: "elsewhere".to_owned(),
            least_severity: v1::Severity::Medium.into(),
            after_seconds: 90,
            staffing: v1::Staffing::Unspecified.into(),
        }],
        deadlines: vec![v1::Deadline {
            name: "insurer".to_owned(),
            least_severity: v1::Severity::High.into(),
            hours: 72,
            until: v1::HandlingState::Closed.into(),
        }],
        out_of_service_count: 2,
        out_of_service_days: 7,
        ..v1::Policy::default()
    };
    for t in [ENGLISH, Texts { language: Language::German }] {
        let mut again = v1::Policy::default();
        for (part, mut editor) in Part::ALL.into_iter().zip(editors(&policy, Vec::new(), "", true, t)) {
            for (row, column) in editor.rows[0].values.iter().zip(&editor.columns) {
                let offered = column.choices().iter().any(|(code, _)| code == row);
                assert!(column.choices().is_empty() || offered, "{row} is offered");
            }
            let parsed = part.parse(&mut editor, t).unwrap();
            again.chain.extend(parsed.chain);
            again.deadlines.extend(parsed.deadlines);
            again.out_of_service_count += parsed.out_of_service_count;
            again.out_of_service_days += parsed.out_of_service_days;
        }
        again.chain[0].staffing = v1::Staffing::Unspecified.into();
        assert_eq!(again, policy);
    }
}
