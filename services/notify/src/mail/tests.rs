use std::sync::Arc;

use domain::ids::NoticeId;
use domain::incident::Severity;
use store::registry::Way;

use super::*;
use crate::carrier::{Carrier, Carriers};
use crate::loopback::mails;
use crate::webhook::Webhooks;
use crate::webhook::tests::{message, told};

fn server(port: u16) -> MailServer {
    MailServer {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        login: None,
        from: "Beltwatch <beltwatch@gym.example.org>".to_owned(),
    }
}

fn one() -> Message {
    message(Way::Email { address: "anna@example.org".to_owned() }, vec![told(1, Severity::Critical)])
}

async fn carry(port: Option<u16>, message: &Message) -> Result<(), Refusal> {
    let mail = port.map(|port| Mail::new(&server(port)).unwrap());
    Carriers { webhooks: Webhooks::new(Arc::new(|_, _| [0; 32])), mail }.carry(message).await
}

/// The text of a mail whose long lines were broken.
fn whole(text: &str) -> String {
    text.replace("=\r\n", "").replace("=3D", "=")
}

#[tokio::test]
async fn a_mail_says_what_happened_and_what_to_do() {
    let mut server = mails(vec![]).await;
    assert_eq!(carry(Some(server.port), &one()).await, Ok(()));
    let (commands, text) = server.arrived.recv().await.unwrap();
    assert!(commands[0].starts_with("EHLO gym.example.org"), "{commands:?}");
    assert!(commands[1].starts_with("MAIL FROM:<beltwatch@gym.example.org>"), "{commands:?}");
    assert!(commands[2].starts_with("RCPT TO:<anna@example.org>"), "{commands:?}");
    let text = whole(&text);
    let card = domain::incident::Rule::EmergencyStop.definition().card;
    for expected in [
        "Subject: [Gym North] TM 4 critical: emergency-stop",
        "Message-ID: <01010101010101010101010101010101@gym.example.org>",
        "Date: Fri, 15 Jan 2027 12:00:05 +0000",
        "2027-01-15 13:00:00 CET",
        "Pressed at speed.",
        &format!("What to do: {card}"),
        "https://gym.example.org/incident/01010101010101010101010101010101",
        "Id: 01010101010101010101010101010101",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[tokio::test]
async fn many_things_are_one_mail_and_names_break_no_header() {
    let mut server = mails(vec![]).await;
    let mut message = one();
    message.told = vec![told(1, Severity::High), told(2, Severity::Low)];
    message.more = 3;
    if let Subject::Incident(story) = &mut message.told[0].subject {
        story.machine = "TM\r\nBcc: eve@example.org".to_owned();
    }
    assert_eq!(carry(Some(server.port), &message).await, Ok(()));
    let (commands, text) = server.arrived.recv().await.unwrap();
    assert_eq!(commands.iter().filter(|command| command.starts_with("RCPT")).count(), 1);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(head.contains("Subject: [Beltwatch] 5 messages, the worst high"), "{head}");
    let body = whole(body);
    assert!(body.contains("5 messages that came together.") && body.contains("And 3 more"), "{body}");
    assert_eq!(message.id, NoticeId([1; 16]));
}

#[track_caller]
fn check(outcome: Result<(), Refusal>, is_final: bool, reason: &str) {
    let refusal = outcome.unwrap_err();
    assert!(refusal.reason.contains(reason), "{refusal:?}");
    assert_eq!(refusal.is_final, is_final, "{refusal:?}");
}

#[tokio::test]
async fn what_is_not_taken_says_why() {
    for (answer, is_final) in [("550 no such user", true), ("451 try again later", false)] {
        let server = mails(vec![Some(answer.to_owned())]).await;
        check(carry(Some(server.port), &one()).await, is_final, &answer[..3]);
    }
    let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    check(carry(Some(free), &one()).await, false, "the mail server: ");
    check(carry(None, &one()).await, true, "no mail server is configured ([mail] in the configuration)");
}

/// The library's own bound is about connecting only.
#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_left() {
    let server = mails(vec![None]).await;
    check(carry(Some(server.port), &one()).await, false, "no answer within 10 s");
}

#[test]
fn settings_that_cannot_be_are_told_and_passwords_are_not() {
    let bad = MailServer { from: "nobody".to_owned(), ..server(25) };
    assert!(Mail::new(&bad).unwrap_err().starts_with("mail.from is \"nobody\""));
    let secret = MailServer { login: Some(("anna".to_owned(), "geheim".to_owned())), ..server(25) };
    let shown = format!("{secret:?}");
    assert!(shown.contains("anna") && !shown.contains("geheim"), "{shown}");
    for tls in [MailTls::StartTls, MailTls::Implicit] {
        assert!(Mail::new(&MailServer { tls, host: "mail.example.org".to_owned(), ..server(465) }).is_ok());
    }
}

#[test]
fn every_address_that_a_contact_may_have_can_be_written_to() {
    let addresses = [
        "ops@example.org",
        "o.p-s+floor@mail.example.org",
        "root@localhost",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
    ];
    for address in addresses {
        assert_eq!(store::registry::check_address(address), Ok(()));
        assert!(address.parse::<lettre::Address>().is_ok(), "{address}");
    }
}
