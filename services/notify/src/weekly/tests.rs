use std::sync::Mutex;

use async_trait::async_trait;
use store::fact::{FactKind, NewContact, NewOpening};

use super::*;
use crate::given::{Gym, hook, second, site, site_entry};

/// Notes what it is asked for, and fails as often as it is told to.
#[derive(Debug, Default)]
struct Notes {
    asked: Mutex<Vec<String>>,
    failures: Mutex<usize>,
}

#[async_trait]
impl Report for Notes {
    async fn weekly(&self, site: &SiteId, from: Date, until: Date) -> Result<String, String> {
        self.asked.lock().unwrap().push(format!("{site} {from} {until}"));
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("the usage cannot be read".to_owned());
        }
        Ok(format!("Report of {site}"))
    }
}

fn weekly(name: &str) -> Contact {
    Contact { weekly: true, changed: second(0), ..hook(name) }
}

fn reporter(gym: &Gym, notes: &Arc<Notes>) -> Reporter {
    let clock = gym.clone();
    let settings = Settings {
        url: String::new(),
        mail: None,
        secrets: Arc::new(|_, _| [0; 32]),
        clock: Arc::new(move || clock.now()),
    };
    Reporter::new(gym.ledger.clone(), settings, notes.clone())
}

async fn desk(contacts: &[Contact]) -> (Gym, Arc<Notes>, Reporter) {
    let gym = Gym::new(contacts, &[]).await;
    let notes = Arc::<Notes>::default();
    let reporter = reporter(&gym, &notes);
    (gym, notes, reporter)
}

/// Seconds from when the tests begin, at noon of Friday 2027-01-15 in UTC, until a moment.
fn seconds(time: &str) -> i64 {
    (time.parse::<Timestamp>().unwrap().as_microsecond() - second(0).0) / 1_000_000
}

fn asked(notes: &Notes) -> Vec<String> {
    std::mem::take(&mut *notes.asked.lock().unwrap())
}

fn week(zone: &str, first: u8, now: &str) -> (String, String, String) {
    let now = UnixMicros(now.parse::<Timestamp>().unwrap().as_microsecond());
    let week = Week::of(zone, first, now).unwrap();
    let due = Timestamp::from_microsecond(week.due.0).unwrap().to_string();
    (week.from.to_string(), week.until.to_string(), due)
}

#[test]
fn a_report_is_due_at_six_of_the_sites_time_also_where_clocks_change() {
    #[track_caller]
    fn check(zone: &str, now: &str, from: &str, until: &str, due: &str) {
        assert_eq!(week(zone, 0, now), (from.to_owned(), until.to_owned(), due.to_owned()), "{zone} {now}");
    }
    let vienna = "Europe/Vienna";
    check(vienna, "2026-11-23T04:59:59Z", "2026-11-09", "2026-11-16", "2026-11-16T05:00:00Z");
    check(vienna, "2026-11-23T05:00:00Z", "2026-11-16", "2026-11-23", "2026-11-23T05:00:00Z");
    check(vienna, "2026-11-29T22:59:59Z", "2026-11-16", "2026-11-23", "2026-11-23T05:00:00Z");
    // Clocks went forward on the Sunday before, and back in autumn.
    check(vienna, "2026-03-30T04:00:00Z", "2026-03-23", "2026-03-30", "2026-03-30T04:00:00Z");
    check(vienna, "2026-03-30T03:59:59Z", "2026-03-16", "2026-03-23", "2026-03-23T05:00:00Z");
    check(vienna, "2026-10-26T05:00:00Z", "2026-10-19", "2026-10-26", "2026-10-26T05:00:00Z");
    check("America/New_York", "2026-11-23T11:00:00Z", "2026-11-16", "2026-11-23", "2026-11-23T11:00:00Z");
    check("Nowhere/Else", "2026-11-23T06:00:00Z", "2026-11-16", "2026-11-23", "2026-11-23T06:00:00Z");
    // Weeks that begin on a Sunday.
    let sunday = week(vienna, 6, "2026-11-22T05:00:00Z");
    assert_eq!((sunday.0.as_str(), sunday.1.as_str()), ("2026-11-15", "2026-11-22"));
}

/// 2027-01-18 is a Monday.
const DUE: &str = "2027-01-18T05:00:00Z";

#[tokio::test]
async fn each_contact_is_told_exactly_once_a_week_whatever_happens() {
    let (gym, notes, mut reporter) = desk(&[weekly("office"), hook("floor")]).await;
    gym.at(seconds(DUE) - 1);
    reporter.turn().await.unwrap();
    assert_eq!(gym.notices().await, [], "what was made after the last one was due begins with the next one");
    gym.at(seconds(DUE));
    for _ in 0..3 {
        reporter.turn().await.unwrap();
    }
    assert_eq!(asked(&notes), ["north 2027-01-11 2027-01-18"]);
    let notices = gym.notices().await;
    let about = About::Weekly {
        from: "2027-01-11".to_owned(),
        until: "2027-01-18".to_owned(),
        text: "Report of north".to_owned(),
        head: None,
    };
    let told: Vec<_> =
        notices.iter().map(|one| (one.contact.as_str(), one.site.clone(), &one.about)).collect();
    assert_eq!(told, [("office", Some(site()), &about)]);
    // A restart in the same week plans nothing anew, and asks for nothing.
    let mut reporter = self::reporter(&gym, &notes);
    gym.at(seconds(DUE) + 3_600);
    reporter.turn().await.unwrap();
    assert_eq!((gym.notices().await.len(), asked(&notes).len()), (1, 0));
    // A server that was off on Monday tells later in the week; weeks before that are not told.
    let mut reporter = self::reporter(&gym, &notes);
    gym.at(seconds(DUE) + 17 * 86_400);
    reporter.turn().await.unwrap();
    reporter.turn().await.unwrap();
    assert_eq!(asked(&notes), ["north 2027-01-25 2027-02-01"]);
    assert_eq!(gym.notices().await.len(), 2);
}

#[tokio::test]
async fn a_contact_of_all_is_told_of_each_site_and_one_of_a_site_of_that() {
    let south = SiteId::new("south").unwrap();
    let of_south = Contact { site: Some(south.clone()), ..weekly("south-desk") };
    let (gym, notes, mut reporter) = desk(&[weekly("office")]).await;
    let entry = Site { id: south.clone(), time_zone: "America/New_York".to_owned(), ..site_entry() };
    gym.fact(FactKind::SiteCreated(entry)).await;
    gym.fact(FactKind::ContactSet(NewContact { contact: of_south })).await;
    gym.at(seconds(DUE));
    reporter.turn().await.unwrap();
    assert_eq!(asked(&notes), ["north 2027-01-11 2027-01-18"]);
    // Six hours later it is six o'clock in New York.
    gym.at(seconds(DUE) + 6 * 3_600);
    reporter.turn().await.unwrap();
    assert_eq!(asked(&notes), ["south 2027-01-11 2027-01-18"]);
    let mut told: Vec<_> = gym.notices().await.into_iter().map(|one| (one.contact, one.site)).collect();
    told.sort();
    let told: Vec<_> = told.iter().map(|(contact, site)| (contact.as_str(), site.clone())).collect();
    assert_eq!(
        told,
        [("office", Some(site())), ("office", Some(south.clone())), ("south-desk", Some(south))]
    );
}

#[tokio::test]
async fn a_report_that_cannot_be_made_is_asked_for_again_and_anchors_get_the_head() {
    let anchor = Contact { is_anchor: true, ..weekly("lawyer") };
    let (gym, notes, mut reporter) = desk(&[anchor, weekly("office")]).await;
    *notes.failures.lock().unwrap() = 1;
    gym.at(seconds(DUE));
    reporter.turn().await.unwrap();
    reporter.turn().await.unwrap();
    assert_eq!((gym.notices().await.len(), asked(&notes).len()), (0, 1), "it is left alone for a while");
    gym.at(seconds(DUE) + 300);
    reporter.turn().await.unwrap();
    let notices = gym.notices().await;
    let expected = keeper::head(&*gym.ledger).await.unwrap();
    assert!(expected.is_some());
    for notice in &notices {
        let About::Weekly { head, .. } = &notice.about else { panic!("{notice:?}") };
        assert_eq!(*head, expected.clone().filter(|_| notice.contact == "lawyer"));
    }
    assert_eq!(notices.len(), 2);
}

#[tokio::test]
async fn the_first_day_of_the_week_is_the_sites() {
    let (gym, notes, mut reporter) = desk(&[weekly("office")]).await;
    let opening = NewOpening { site: site(), hours: None, first_weekday: Some(6) };
    gym.fact(FactKind::OpeningSet(opening)).await;
    // Sunday.
    gym.at(seconds(DUE) - 86_400);
    reporter.turn().await.unwrap();
    assert_eq!(asked(&notes), ["north 2027-01-10 2027-01-17"]);
}
