//! The rules, one file each.

pub mod abrupt_stop;
pub mod agent_offline;
pub mod direction_change_while_moving;
pub mod direction_sources_disagree;
pub mod drive_or_sensor_fault;
pub mod emergency_stop;
pub mod emergency_stop_as_normal_stop;
pub mod faster_than_commanded;
pub mod heart_rate_limit;
pub mod heart_rate_lost;
pub mod implausible_value;
pub mod incline_moved_during_emergency_stop;
pub mod motion_during_emergency_stop;
pub mod motion_while_out_of_service;
pub mod restart_by_reset;
pub mod reverse_hands_off;
pub mod reverse_on_incline;
pub mod reverse_overspeed;
pub mod reverse_without_key;
pub mod runaway_acceleration;
pub mod running_unattended;
pub mod safety_function_untested;
pub mod safety_key_pulled;
pub mod slow_emergency_stop;
pub mod speed_sources_disagree;
pub mod suspected_fall;
pub mod telemetry_lost_while_moving;
pub mod unexpected_start;
pub mod unintended_reverse;
pub mod use_outside_staffed_hours;

#[cfg(test)]
mod engine;
#[cfg(test)]
mod measured_stops;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod tests;
