//! Copies of one card: told apart, and each in logs of its own.

use super::*;

#[test]
fn a_copied_spool_can_go_on_in_logs_of_its_own_with_all_its_records() {
    let mut spool = open(Shelf::default(), 1);
    spool.append(NOW, reading());
    spool.write(NOW);
    let (first, log) = (spool.into_disk(), |spool: &Spool<Shelf>| spool.log(Lane::Readings));
    let mut spool = open(first.clone(), 2);
    let before = log(&spool);
    assert_eq!(log(&open(first, 3)), before, "another computer with a copy of the card");
    spool.append(NOW, reading());
    let mut logs = vec![before];
    for _ in 0..2 {
        spool.renew().unwrap();
        logs.push(log(&spool));
    }
    assert!(logs.iter().enumerate().all(|(index, log)| !logs[..index].contains(log)), "{logs:?}");
    spool.append(NOW, reading());
    spool.write(NOW);
    let expected = [at(1, 1), at(2, 1), at(2, 2)];
    assert_eq!(positions(&mut spool, Lane::Readings), expected);
    let mut disk = spool.into_disk();
    disk.cut_power();
    let mut spool = open(disk, 4);
    assert_eq!((log(&spool), spool.boot().boot_count), (logs[2], 3));
    assert_eq!(positions(&mut spool, Lane::Readings)[..1], expected[..1]);
}

#[test]
fn an_ack_for_records_that_another_process_made_is_told_apart() {
    let mut spool = open(Shelf::default(), 1);
    spool.append(NOW, event());
    spool.write(NOW);
    let spool = open(spool.into_disk(), 2);
    let check = |committed: Position, maker: Option<u8>, expected: bool| {
        let (lane, maker) = (Lane::Events, maker.map(|maker| BootId([maker; 16])));
        let ack = LaneAck { lane, log: spool.log(lane), committed: Some(committed), maker, window: 64 };
        assert_eq!(spool.is_of_another(&ack), expected, "{committed} of {maker:?}");
        assert!(!spool.is_of_another(&LaneAck { log: spool.log(Lane::Readings), ..ack }), "of another log");
    };
    check(at(1, 1), Some(1), false);
    check(at(1, 1), None, false);
    check(at(1, 1), Some(9), true);
    check(at(2, 1), Some(2), false);
    check(at(2, 1), Some(9), true);
    check(at(3, 1), Some(9), true);
    // All of that boot, and of those before it, left this spool long ago.
    let mut spool = spool;
    spool.trim(Lane::Events, at(1, 1));
    spool.write(NOW);
    let spool = open(open(spool.into_disk(), 3).into_disk(), 4);
    let ack = |maker| LaneAck {
        lane: Lane::Events,
        log: spool.log(Lane::Events),
        committed: Some(at(1, 1)),
        maker: Some(BootId([maker; 16])),
        window: 64,
    };
    assert!(!spool.is_of_another(&ack(1)) && !spool.is_of_another(&ack(9)));
}
