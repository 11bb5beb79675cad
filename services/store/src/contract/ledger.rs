//! The suite of the ledger.

mod derived;
mod registry;

use crate::ledger::Ledger;

/// Runs all cases, each in a new place.
pub async fn ledger<O: AsyncFn() -> Box<dyn Ledger>>(make: impl Fn() -> O) {
    registry::facts_are_numbered_and_come_back(&*make()().await).await;
    registry::a_repeated_request_adds_nothing(&*make()().await).await;
    registry::what_contradicts_is_refused(&*make()().await).await;
    registry::every_kind_of_fact_is_followed(&*make()().await).await;
    registry::what_people_may_not_do_is_refused(&*make()().await).await;
    derived::of_checkpoints_the_greater_revision_stays(&*make()().await).await;
    derived::of_sessions_the_greater_revision_stays(&*make()().await).await;
    derived::sessions_come_newest_first(&*make()().await).await;
    derived::sessions_of_many_machines_come_in_one_order(&*make()().await).await;
    derived::losses_come_by_log_lane_and_end(&*make()().await).await;
    derived::unreadable_records_come_newest_first(&*make()().await).await;
    derived::what_cannot_be_is_refused(&*make()().await).await;
    registry::opened_again_it_has_all(make()).await;
    registry::opened_after_each_fact_it_goes_on(make()).await;
    derived::opened_again_it_has_all(make()).await;
}
