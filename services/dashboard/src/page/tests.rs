use super::*;

const NOW: i64 = 1_795_176_000;

fn time(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: NOW + seconds, nanos: 0 })
}

fn belt(direction: v1::Direction, speed_mps: Option<f64>) -> v1::Belt {
    v1::Belt {
        direction: direction.into(),
        origin: v1::DirectionOrigin::Measured.into(),
        speed_mps,
        ..v1::Belt::default()
    }
}

fn state(id: &str, site: &str, belt: v1::Belt) -> v1::MachineState {
    v1::MachineState {
        machine: Some(v1::Machine {
            id: id.to_owned(),
            site_id: site.to_owned(),
            display_name: id.to_owned(),
            ..v1::Machine::default()
        }),
        presence: v1::Presence::Online.into(),
        belt: Some(belt),
        belt_time: time(-3),
        ..v1::MachineState::default()
    }
}

fn site(id: &str, name: &str) -> v1::Site {
    v1::Site {
        id: id.to_owned(),
        display_name: name.to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        create_time: None,
    }
}

fn page(fleet: Fleet) -> FleetPage {
    FleetPage::new(fleet, Timestamp::from_second(NOW).unwrap())
}

fn rendered(sites: Vec<v1::Site>, machines: Vec<v1::MachineState>) -> String {
    page(Fleet { sites: Ok(sites), machines: Ok(machines), cut: false }).render().unwrap()
}

#[test]
fn direction_is_a_shape_and_a_word_and_unknown_speed_is_not_zero() {
    for (direction, speed, shape, word, words) in [
        (v1::Direction::Forward, Some(2.0), "▲", "forward", "7.2 km/h"),
        (v1::Direction::Reverse, Some(0.5), "▼", "reverse", "1.8 km/h"),
        (v1::Direction::Stopped, Some(0.0), "■", "stopped", "0.0 km/h"),
        (v1::Direction::Unknown, None, "?", "unknown", "speed unknown"),
    ] {
        let text =
            rendered(vec![site("north", "North")], vec![state("n-1", "north", belt(direction, speed))]);
        assert!(
            text.contains(&format!("aria-hidden=\"true\">{shape}</span> <strong>{word}</strong>")),
            "{text}"
        );
        assert!(text.contains(words) && text.contains("3 s ago"), "{text}");
    }
}

#[test]
fn what_no_longer_holds_and_what_is_open_is_said() {
    let mut one = state("n-1", "north", belt(v1::Direction::Unknown, None));
    one.presence = v1::Presence::Offline.into();
    one.last_known = Some(belt(v1::Direction::Reverse, Some(1.5)));
    one.last_event = Some(v1::LastEvent {
        time: time(-7_300),
        kind: "contact_opened".to_owned(),
        contact: "emergency_stop".to_owned(),
    });
    let contacts = v1::Contacts { emergency_stop: v1::ContactState::Open.into(), ..v1::Contacts::default() };
    one.belt.as_mut().unwrap().contacts = Some(contacts);
    let text = rendered(vec![site("north", "North")], vec![one]);
    for words in [
        "was ▼ reverse, 5.4 km/h",
        "<span class=\"presence away\">offline</span>",
        "emergency stop open",
        "contact opened: emergency stop, 2 h ago",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn names_are_escaped_and_there_is_no_script() {
    let mut one = state("n-1", "north", belt(v1::Direction::Forward, None));
    one.machine.as_mut().unwrap().display_name = "<script>alert(1)</script>\"'".to_owned();
    let text = rendered(vec![site("north", "<img src=x onerror=alert(1)>")], vec![one]);
    assert!(!text.contains("<script") && !text.contains("<img") && !text.contains("style="), "{text}");
    assert!(text.contains("&#60;script&#62;alert(1)"), "{text}");
}

#[test]
fn a_missing_part_is_named_and_the_others_are_shown() {
    let machines = vec![state("n-1", "north", belt(v1::Direction::Forward, Some(1.0)))];
    let text = page(Fleet { sites: Err("no <answer>".to_owned()), machines: Ok(machines), cut: true });
    let text = text.render().unwrap();
    assert!(text.contains("Sites cannot be shown:</strong> no &#60;answer&#62;."), "{text}");
    assert!(text.contains("<h2>north") && text.contains("n-1"), "{text}");
    assert!(text.contains("Only the first 1 machines"), "{text}");
    let text = page(Fleet { sites: Ok(Vec::new()), machines: Err("gone".to_owned()), cut: false });
    let text = text.render().unwrap();
    assert!(text.contains("Machines cannot be shown:</strong> gone.") && !text.contains("No site"), "{text}");
    assert!(rendered(Vec::new(), Vec::new()).contains("No site is registered yet"));
}
