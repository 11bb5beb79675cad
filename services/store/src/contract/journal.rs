//! The suite of the journal.

use std::sync::Arc;

use super::given::{bare_slice, slice};
use super::refused;
use crate::StoreErrorKind;
use crate::journal::{Journal, JournalSpan, Sequence, Slice};

/// Runs all cases, each in a new place.
pub async fn journal<O: AsyncFn() -> Box<dyn Journal>>(make: impl Fn() -> O) {
    an_empty_journal_has_nothing(&*make()().await).await;
    slices_come_back_as_they_were(&*make()().await).await;
    pages_give_each_slice_once(&*make()().await).await;
    what_cannot_be_is_refused(&*make()().await).await;
    trimming_goes_from_the_front(&*make()().await).await;
    opened_again_it_goes_on(make()).await;
    fully_trimmed_and_opened_again_it_does_not_start_over(make()).await;
}

async fn append(journal: &dyn Journal, slices: &[Slice]) -> Sequence {
    journal.append(Arc::from(slices)).await.expect("appending works")
}

async fn read(journal: &dyn Journal, after: Sequence, max: usize) -> Vec<(Sequence, Slice)> {
    journal.read(after, max).await.expect("reading works")
}

async fn span(journal: &dyn Journal) -> (Sequence, Sequence) {
    let JournalSpan { trimmed, last } = journal.span().await.expect("the span is known");
    (trimmed, last)
}

async fn an_empty_journal_has_nothing(journal: &dyn Journal) {
    assert_eq!(span(journal).await, (0, 0));
    assert_eq!(read(journal, 0, 10).await, []);
    journal.trim(0).await.expect("trimming nothing is no failure");
    assert_eq!(span(journal).await, (0, 0));
}

async fn slices_come_back_as_they_were(journal: &dyn Journal) {
    let mut without_start = slice("tm-3", 1, 4);
    without_start.hole = without_start.hole.map(|hole| domain::log::Hole { from: None, ..hole });
    let slices = [slice("tm-1", 5, 9), bare_slice("tm-2", 1), without_start];
    assert_eq!(append(journal, &slices[..2]).await, 2);
    assert_eq!(append(journal, &slices[2..]).await, 3);
    assert_eq!(read(journal, 0, 10).await, (1..).zip(slices).collect::<Vec<_>>());
    assert_eq!(span(journal).await, (0, 3));
}

async fn pages_give_each_slice_once(journal: &dyn Journal) {
    for first in 1..=23 {
        assert_eq!(append(journal, &[slice("tm-1", first, first)]).await, first);
    }
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let page = read(journal, after, 5).await;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        assert!(page.len() <= 5);
        seen.extend(page.into_iter().map(|(sequence, slice)| (sequence, slice.first)));
        assert!(seen.len() <= 23, "pages repeat slices");
    }
    assert_eq!(seen, (1..=23).map(|number| (number, number)).collect::<Vec<_>>());
    assert_eq!(read(journal, 23, 5).await, []);
    assert_eq!(read(journal, u64::MAX, 5).await, []);
}

/// And nothing of it stays: not the good slices beside a bad one, and no sequence is used.
async fn what_cannot_be_is_refused(journal: &dyn Journal) {
    let good = slice("tm-1", 1, 2);
    let backwards = Slice { first: 9, last: 8, ..good.clone() };
    let too_great = Slice { last: u64::MAX, ..good.clone() };
    refused(journal.append(Arc::from([])).await, StoreErrorKind::Invalid);
    refused(journal.append(Arc::from([good.clone(), backwards])).await, StoreErrorKind::Invalid);
    refused(journal.append(Arc::from([good.clone(), too_great])).await, StoreErrorKind::Invalid);
    refused(journal.read(0, 0).await, StoreErrorKind::Invalid);
    refused(journal.read(0, 10_001).await, StoreErrorKind::Invalid);
    refused(journal.trim(1).await, StoreErrorKind::Invalid);
    assert_eq!(span(journal).await, (0, 0));
    assert_eq!(append(journal, &[good]).await, 1);
}

async fn trimming_goes_from_the_front(journal: &dyn Journal) {
    let slices: Vec<Slice> = (1..=10).map(|first| slice("tm-1", first, first)).collect();
    append(journal, &slices).await;
    let sequences = async |after| {
        let slices = read(journal, after, 10).await;
        slices.into_iter().map(|(sequence, slice)| (sequence, slice.first)).collect::<Vec<_>>()
    };
    journal.trim(4).await.expect("trimming works");
    assert_eq!(span(journal).await, (4, 10));
    assert_eq!(sequences(0).await, (5..=10).map(|number| (number, number)).collect::<Vec<_>>());
    assert_eq!(sequences(8).await, [(9, 9), (10, 10)]);
    journal.trim(4).await.expect("repeating it is no failure");
    journal.trim(2).await.expect("what is trimmed already is no failure");
    assert_eq!(span(journal).await, (4, 10));
    journal.trim(10).await.expect("all may be trimmed");
    assert_eq!(span(journal).await, (10, 10));
    assert_eq!(sequences(0).await, []);
    refused(journal.trim(11).await, StoreErrorKind::Invalid);
    assert_eq!(append(journal, &slices[..3]).await, 13);
    assert_eq!(sequences(0).await, [(11, 1), (12, 2), (13, 3)]);
}

async fn opened_again_it_goes_on(open: impl AsyncFn() -> Box<dyn Journal>) {
    let slices = [slice("tm-1", 1, 2), slice("tm-2", 1, 2), slice("tm-1", 3, 3)];
    append(&*open().await, &slices[..2]).await;
    let journal = open().await;
    assert_eq!(span(&*journal).await, (0, 2));
    assert_eq!(append(&*journal, &slices[2..]).await, 3);
    journal.trim(1).await.expect("trimming works");
    drop(journal);
    let journal = open().await;
    assert_eq!(span(&*journal).await, (1, 3));
    assert_eq!(read(&*journal, 0, 10).await, [(2, slices[1].clone()), (3, slices[2].clone())]);
}

async fn fully_trimmed_and_opened_again_it_does_not_start_over(open: impl AsyncFn() -> Box<dyn Journal>) {
    let journal = open().await;
    append(&*journal, &[slice("tm-1", 1, 2), slice("tm-1", 3, 3)]).await;
    journal.trim(2).await.expect("trimming works");
    drop(journal);
    let journal = open().await;
    assert_eq!(span(&*journal).await, (2, 2));
    assert_eq!(append(&*journal, &[slice("tm-1", 4, 4)]).await, 3);
}
