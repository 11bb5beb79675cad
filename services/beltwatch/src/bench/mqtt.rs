//! As much of MQTT 3.1.1 as a load needs: packets to octets and back, without a connection. A load generator has to be
//! cheap, and must not share the faults of the clients that are measured.

use anyhow::{bail, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Longest silence that the broker has to bear, in seconds.
const KEEP_ALIVE_SECONDS: u16 = 120;
/// Largest packet that is read, in octets.
const PACKET_BYTES_MAX: usize = 64 * 1024;

/// A packet from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Whether the connection is taken: 0 is yes.
    ConnAck(u8),
    /// Whether the subscriptions are taken: 128 is no.
    SubAck(Vec<u8>),
    /// A message; with its number if it has to be confirmed.
    Publish { topic: Bytes, payload: Bytes, number: Option<u16> },
    /// The broker has a message.
    PubAck,
}

/// Connects with a clean session.
pub fn connect(out: &mut BytesMut, client_id: &str, user: &str, password: &str) {
    let length = 10 + [client_id, user, password].iter().map(|text| 2 + text.len()).sum::<usize>();
    head(out, 0x10, length);
    text(out, "MQTT");
    out.put_u8(4);
    // User name, password, clean session.
    out.put_u8(0b1100_0010);
    out.put_u16(KEEP_ALIVE_SECONDS);
    [client_id, user, password].iter().for_each(|part| text(out, part));
}

/// Subscribes to all of these with the same quality of service.
pub fn subscribe(out: &mut BytesMut, filters: &[String], quality: u8) {
    head(out, 0x82, 2 + filters.iter().map(|filter| 3 + filter.len()).sum::<usize>());
    out.put_u16(1);
    for filter in filters {
        text(out, filter);
        out.put_u8(quality);
    }
}

/// Publishes; with a number as QoS 1, without one as QoS 0.
pub fn publish(out: &mut BytesMut, topic: &str, payload: &[u8], retain: bool, number: Option<u16>) {
    let first = 0x30 | u8::from(retain) | (u8::from(number.is_some()) << 1);
    head(out, first, 2 + topic.len() + number.map_or(0, |_| 2) + payload.len());
    text(out, topic);
    if let Some(number) = number {
        out.put_u16(number);
    }
    out.put_slice(payload);
}

/// Confirms a message.
pub fn confirm(out: &mut BytesMut, number: u16) {
    head(out, 0x40, 2);
    out.put_u16(number);
}

/// Says good-bye.
pub fn disconnect(out: &mut BytesMut) {
    head(out, 0xe0, 0);
}

fn head(out: &mut BytesMut, first: u8, length: usize) {
    out.reserve(length + 5);
    out.put_u8(first);
    let mut rest = length;
    loop {
        let digit = u8::try_from(rest % 128).expect("it is less than 128");
        rest /= 128;
        out.put_u8(if rest > 0 { digit | 128 } else { digit });
        if rest == 0 {
            return;
        }
    }
}

fn text(out: &mut BytesMut, text: &str) {
    out.put_u16(u16::try_from(text.len()).expect("our topics and names are short"));
    out.put_slice(text.as_bytes());
}

/// Takes the first packet out of what was read; `None`: it is not all there yet.
///
/// # Errors
/// It is no packet that a broker may send to us.
pub fn take(read: &mut BytesMut) -> anyhow::Result<Option<Packet>> {
    let Some((start, length)) = frame(read)? else { return Ok(None) };
    if read.len() < start + length {
        return Ok(None);
    }
    let first = read[0];
    let mut body = read.split_to(start + length).freeze();
    body.advance(start);
    let packet = match first >> 4 {
        2 if length == 2 => Packet::ConnAck(body[1]),
        3 => published(first, body)?,
        4 => Packet::PubAck,
        9 if length > 2 => Packet::SubAck(body[2..].to_vec()),
        kind => bail!("the broker sent a packet of kind {kind} with {length} octets, which is not expected"),
    };
    Ok(Some(packet))
}

/// Where the first packet's body begins and how long it is; `None`: its head is not all there yet.
fn frame(read: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let mut length = 0;
    for (place, octet) in read.iter().skip(1).take(4).enumerate() {
        length |= usize::from(octet & 127) << (7 * place);
        if octet & 128 == 0 {
            ensure!(length <= PACKET_BYTES_MAX, "the broker sent a packet of {length} octets");
            return Ok(Some((place + 2, length)));
        }
    }
    ensure!(read.len() < 5, "the broker sent a packet without a length");
    Ok(None)
}

fn published(first: u8, mut body: Bytes) -> anyhow::Result<Packet> {
    let has_number = first & 0b0110 != 0;
    ensure!(body.len() >= 2, "the broker sent a message without a topic");
    let length = usize::from(body.get_u16());
    ensure!(body.len() >= length + 2 * usize::from(has_number), "the broker sent a message that is cut");
    let topic = body.split_to(length);
    let number = has_number.then(|| body.get_u16());
    Ok(Packet::Publish { topic, payload: body, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_as_the_standard_says() {
        let check = |write: &dyn Fn(&mut BytesMut), expected: &[u8]| {
            let mut out = BytesMut::new();
            write(&mut out);
            assert_eq!(out, expected);
        };
        check(&|out| connect(out, "a", "u", "pw"), b"\x10\x14\0\x04MQTT\x04\xc2\0\x78\0\x01a\0\x01u\0\x02pw");
        check(&|out| subscribe(out, &["t/+".to_owned()], 1), b"\x82\x08\0\x01\0\x03t/+\x01");
        check(&|out| publish(out, "t", b"xy", false, Some(7)), b"\x32\x07\0\x01t\0\x07xy");
        check(&|out| publish(out, "t", b"xy", true, None), b"\x31\x05\0\x01txy");
        check(&|out| confirm(out, 258), b"\x40\x02\x01\x02");
        check(&disconnect, b"\xe0\0");
    }

    #[test]
    fn packets_are_taken_when_they_are_all_there() {
        let message = |number, payload: &'static [u8]| Packet::Publish {
            topic: Bytes::from_static(b"t"),
            payload: Bytes::from_static(payload),
            number,
        };
        let stream =
            b"\x20\x02\0\0\x90\x04\0\x01\x01\x80\x40\x02\0\x07\x32\x07\0\x01t\0\x07xy\x30\x04\0\x01tz";
        let expected = [
            Packet::ConnAck(0),
            Packet::SubAck(vec![1, 128]),
            Packet::PubAck,
            message(Some(7), b"xy"),
            message(None, b"z"),
        ];
        for step in [1, 3, stream.len()] {
            let (mut read, mut taken) = (BytesMut::new(), Vec::new());
            for part in stream.chunks(step) {
                read.extend_from_slice(part);
                while let Some(packet) = take(&mut read).unwrap() {
                    taken.push(packet);
                }
            }
            assert_eq!(taken, expected, "in steps of {step}");
        }
    }

    #[test]
    fn a_long_packet_reads_back() {
        let mut out = BytesMut::new();
        publish(&mut out, "topic", &[5; 20_000], false, Some(1));
        let payload = Bytes::from(vec![5; 20_000]);
        let expected = Packet::Publish { topic: Bytes::from_static(b"topic"), payload, number: Some(1) };
        assert_eq!(take(&mut out).unwrap(), Some(expected));
        assert!(out.is_empty());
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for octets in [b"\xff\xff\xff\xff\xff".as_slice(), b"\x30\xff\xff\xff\x7f", b"\x30\x01\0", b"\xf0\0"]
        {
            assert!(take(&mut BytesMut::from(octets)).is_err(), "{octets:?}");
        }
    }
}
