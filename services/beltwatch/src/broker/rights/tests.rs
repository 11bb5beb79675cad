use super::*;

fn machine(id: &str) -> Who {
    Who::Machine(MachineId::new(id).unwrap())
}

fn topic(id: &str, kind: Kind) -> String {
    Topic::new(MachineId::new(id).unwrap(), kind).to_string()
}

/// The topic with another partition than the machine's.
fn astray(id: &str, kind: Kind) -> String {
    let right = topic(id, kind);
    let parts: Vec<&str> = right.split('/').collect();
    let other = if parts[2] == "63" { "62" } else { "63" };
    [parts[0], parts[1], other, parts[3], parts[4]].join("/")
}

#[test]
fn a_client_publishes_its_own_kinds_only() {
    let check = |who: &Who, topic: &str, expected: Result<Kind, Reason>| {
        assert_eq!(publish(who, topic, false), expected, "{who:?} {topic}");
    };
    let own = machine("tm-01");
    for kind in UPSTREAM {
        check(&own, &topic("tm-01", kind), Ok(kind));
        check(&own, &topic("tm-02", kind), Err(Reason::Publish));
        check(&own, &astray("tm-01", kind), Err(Reason::Publish));
        check(&Who::Service, &topic("tm-01", kind), Err(Reason::Publish));
    }
    check(&own, &topic("tm-01", Kind::Ack), Err(Reason::Publish));
    check(&Who::Service, &topic("tm-01", Kind::Ack), Ok(Kind::Ack));
    for foreign in
        ["$SYS/brokers", "tm-01/events", "", "/", &format!("{}/more", topic("tm-01", Kind::Events))]
    {
        check(&own, foreign, Err(Reason::Publish));
        check(&Who::Service, foreign, Err(Reason::Publish));
    }
}

#[test]
fn only_a_status_may_be_retained() {
    let own = machine("tm-01");
    assert_eq!(publish(&own, &topic("tm-01", Kind::Status), true), Ok(Kind::Status));
    for kind in [Kind::Events, Kind::Readings] {
        assert_eq!(publish(&own, &topic("tm-01", kind), true), Err(Reason::Retained));
    }
    assert_eq!(publish(&Who::Service, &topic("tm-01", Kind::Ack), true), Err(Reason::Retained));
}

#[test]
fn a_client_hears_what_is_for_it_only() {
    let check = |who: &Who, filter: &str, expected: Result<Option<Kind>, Reason>| {
        assert_eq!(subscribe(who, filter), expected, "{who:?} {filter}");
    };
    let own = machine("tm-01");
    let acks = topic("tm-01", Kind::Ack);
    check(&own, &acks, Ok(None));
    check(&own, &topic("tm-02", Kind::Ack), Err(Reason::Subscribe));
    check(&own, &astray("tm-01", Kind::Ack), Err(Reason::Subscribe));
    for kind in UPSTREAM {
        check(&own, &topic("tm-01", kind), Err(Reason::Subscribe));
        check(&own, &filter_all(kind), Err(Reason::Subscribe));
        check(&Who::Service, &filter_all(kind), Ok(Some(kind)));
    }
    check(&Who::Service, &filter_all(Kind::Ack), Err(Reason::Subscribe));
    let shared = format!("$share/group/{acks}");
    for foreign in
        ["#", "+/#", "$SYS/#", "$share/group/#", &shared, "beltwatch/#", &acks.replace("tm-01", "+")]
    {
        check(&own, foreign, Err(Reason::Subscribe));
        check(&Who::Service, foreign, Err(Reason::Subscribe));
    }
}

#[test]
fn a_will_is_the_machines_own_status() {
    let own = machine("tm-01");
    assert_eq!(will(&own, &topic("tm-01", Kind::Status)), Ok(()));
    for wrong in
        [topic("tm-02", Kind::Status), topic("tm-01", Kind::Events), topic("tm-01", Kind::Ack), "x".into()]
    {
        assert_eq!(will(&own, &wrong), Err(Reason::Will), "{wrong}");
    }
    assert_eq!(will(&Who::Service, &topic("tm-01", Kind::Status)), Err(Reason::Will));
}

#[test]
fn a_machine_has_its_own_client_id() {
    assert_eq!(client_id(&machine("tm-01"), "tm-01"), Ok(()));
    for wrong in ["tm-02", "tm-01-2", "", "TM-01"] {
        assert_eq!(client_id(&machine("tm-01"), wrong), Err(Reason::ClientId), "{wrong}");
    }
    assert_eq!(client_id(&Who::Service, "ingest-events"), Ok(()));
}
