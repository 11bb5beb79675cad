//! Messages between agent and server, and what the journal keeps: what is read is written and reads back the same.
//!
//! Input: an octet with the kind, and the message.

#![no_main]

use std::fmt::Debug;

use beltwatch_fuzz::Input;
use bytes::Bytes;
use domain::commissioning::CommissioningReport;
use domain::ids::MachineId;
use domain::limits::RECORD_BYTES_MAX;
use domain::log::Lane;
use libfuzzer_sys::fuzz_target;
use wire::ack::Ack;
use wire::checkpoint::Checkpoint;
use wire::enrolment;
use wire::envelope::{Envelope, decode_slice, encode_slice};
use wire::keys::MasterKey;
use wire::record;
use wire::seal::{Unopened, seal};
use wire::status::Status;
use wire::topics::{Kind, Topic};

fuzz_target!(|octets: &[u8]| {
    let mut input = Input::new(octets);
    let kind = input.u8().unwrap_or(0);
    let message = Bytes::copy_from_slice(input.rest());
    match kind % 9 {
        0 => sealed(message),
        1 => reads_back(message, Envelope::decode, Envelope::encode),
        2 => reads_back(message, decode_slice, |entries| encode_slice(entries)),
        3 => records(&message),
        4 => reads_back(message, Status::decode, Status::encode),
        5 => reads_back(message, Ack::decode, Ack::encode),
        6 => reads_back(message, Checkpoint::decode, Checkpoint::encode),
        7 => {
            let secret = format!("{:?}", enrolment::answer(&message));
            assert!(
                !secret.contains("Credential(") || secret == "Ok(Credential(secret))",
                "a secret is shown"
            );
            let _ = enrolment::reason(&message);
        }
        _ => reads_back(
            message,
            |octets| CommissioningReport::decode(&octets),
            |report| report.encode().into(),
        ),
    }
});

fn reads_back<T: PartialEq + Debug, E: Debug + ToString>(
    message: Bytes,
    decode: impl Fn(Bytes) -> Result<T, E>,
    encode: impl Fn(&T) -> Bytes,
) {
    let read = match decode(message) {
        Ok(read) => read,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    let written = encode(&read);
    let again = decode(written.clone()).expect("what is written reads back");
    assert_eq!(again, read);
    assert_eq!(encode(&again), written);
}

/// A record belongs to one lane.
fn records(message: &Bytes) {
    let read = Lane::ALL.map(|lane| record::decode(lane, message).is_ok());
    assert!(!read.into_iter().all(|is_read| is_read), "a record is of both lanes");
    assert!(message.len() <= RECORD_BYTES_MAX || !read.contains(&true));
    for lane in Lane::ALL {
        reads_back(message.clone(), |octets| record::decode(lane, &octets), record::encode);
    }
}

/// What was not sealed with the key is not opened; what was is, for its own topic only.
fn sealed(message: Bytes) {
    let machine = MachineId::new("tm-01").expect("it is a name");
    let key = MasterKey::new([7; 32]).machine_key(&machine, 1);
    let topic = Topic::new(machine, Kind::Events);
    if let Ok(unopened) = Unopened::read(message.clone()) {
        let body = unopened.body().clone();
        assert!(unopened.clone().open(&key, &topic).is_err(), "a forged seal is taken: {unopened:?}");
        let own = seal(&key, unopened.key_generation(), &topic, body.clone());
        let read = Unopened::read(own).expect("what is written reads back");
        assert_eq!(read.key_generation(), unopened.key_generation());
        assert_eq!(read.open(&key, &topic), Ok(body));
    }
    let own = seal(&key, 1, &topic, message.clone());
    let read = |octets| Unopened::read(octets).expect("what is written reads back");
    assert_eq!(read(own.clone()).open(&key, &topic), Ok(message));
    let other = Topic { kind: Kind::Ack, ..topic };
    assert!(read(own).open(&key, &other).is_err());
}
