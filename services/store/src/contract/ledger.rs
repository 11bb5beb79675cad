//! The suite of the ledger.

mod courses;
mod derived;
mod handling;
mod incident_pages;
mod incidents;
mod notices;
mod recordings;
mod registry;
mod sessions;
mod usage;

#[cfg(test)]
pub(super) use self::incidents::incident;
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
    sessions::they_are_found_by_direction(&*make()().await).await;
    sessions::their_spans_come_by_start(&*make()().await).await;
    usage::the_greater_revision_stays_with_its_sum(&*make()().await).await;
    usage::rows_come_by_machine_day_and_part(&*make()().await).await;
    usage::the_newest_time_is_told(&*make()().await).await;
    usage::what_cannot_be_is_refused(&*make()().await).await;
    usage::each_change_has_the_next_number(&*make()().await).await;
    usage::changes_after_a_cursor_have_no_gap(&*make()().await).await;
    courses::the_newest_label_counts(&*make()().await).await;
    courses::sessions_of_a_course_come_newest_first(&*make()().await).await;
    courses::what_cannot_be_is_refused(&*make()().await).await;
    derived::losses_come_by_log_lane_and_end(&*make()().await).await;
    derived::unreadable_records_come_newest_first(&*make()().await).await;
    derived::what_cannot_be_is_refused(&*make()().await).await;
    incidents::the_greater_revision_wins_and_is_the_newest_change(&*make()().await).await;
    incidents::a_replay_changes_nothing(&*make()().await).await;
    incidents::changes_after_a_cursor_have_no_gap(&*make()().await).await;
    incidents::what_was_not_confirmed_is_noted(&*make()().await).await;
    incidents::incidents_are_counted(&*make()().await).await;
    incidents::what_cannot_be_is_refused(&*make()().await).await;
    incident_pages::pages_are_a_plain_sort_and_filter(&*make()().await).await;
    incident_pages::a_page_begins_at_a_place_where_nothing_lies(&*make()().await).await;
    handling::a_step_is_a_fact_and_a_change(&*make()().await).await;
    handling::facts_of_an_incident_are_chained_by_leaves(&*make()().await).await;
    handling::what_cannot_be_stepped_is_refused(&*make()().await).await;
    handling::a_note_can_be_erased(&*make()().await).await;
    handling::what_people_did_stays(&*make()().await).await;
    notices::the_greater_revision_stays_and_is_told(&*make()().await).await;
    notices::those_that_wait_come_by_when_they_are_due(&*make()().await).await;
    notices::pages_come_newest_first(&*make()().await).await;
    notices::the_cursor_goes_forward(&*make()().await).await;
    notices::what_cannot_be_is_refused(&*make()().await).await;
    recordings::pieces_come_by_number(&*make()().await).await;
    recordings::a_piece_that_is_too_long_is_refused(&*make()().await).await;
    registry::opened_again_it_has_all(make()).await;
    registry::opened_after_each_fact_it_goes_on(make()).await;
    derived::opened_again_it_has_all(make()).await;
    usage::opened_again_it_has_all(make()).await;
    courses::opened_again_it_has_all(make()).await;
    incidents::opened_again_it_goes_on(make()).await;
    recordings::opened_again_it_has_all(make()).await;
    handling::opened_again_it_has_all(make()).await;
    notices::opened_again_it_has_all(make()).await;
}
