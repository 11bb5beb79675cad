//! The part of the fake API that adds usage up. It keeps nothing but what it was asked.

use std::sync::{Arc, Mutex};

use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;
use wire::api::v1::usage_service_server::UsageService;

use super::{SCRIPT, session};

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum Scene {
    /// Two machines: one told all, the other moved and told no direction.
    #[default]
    Busy,
    /// Machines that were seen and did not move.
    Still,
    /// Nothing was ever told.
    Unseen,
    /// Fields are refused.
    Refused,
    /// There is no such machine, model or site.
    NoSuch,
    /// Nothing of it can be had.
    Out,
    /// The file breaks off after its first part.
    Cut,
}

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Usages {
    scene: Scene,
    asked: Arc<Mutex<Vec<String>>>,
}

type Answered<T> = Result<Response<T>, Status>;

impl Usages {
    pub(in super::super) fn with(scene: Scene) -> Usages {
        Usages { scene, ..Usages::default() }
    }

    /// All that was asked, as debug text.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests of one method.
    pub(in super::super) fn asked_of(&self, method: &str) -> Vec<String> {
        self.asked().into_iter().filter(|one| one.starts_with(method)).collect()
    }

    fn note<T: std::fmt::Debug>(&self, request: Request<T>) -> Result<T, Status> {
        let session = session(&request)?;
        assert_ne!(session, super::SESSION_VIEWER, "whoever sees no history is not asked for");
        let message = request.into_inner();
        self.asked.lock().unwrap().push(format!("{message:?}"));
        match self.scene {
            Scene::NoSuch => Err(Status::not_found("there is no such machine")),
            Scene::Out => Err(Status::unavailable("the store is busy")),
            Scene::Refused => {
                let mut details = ErrorDetails::new();
                details.add_bad_request_violation("range.start_date", format!("begins before {SCRIPT}"));
                details.add_bad_request_violation("scope.machine_ids", "there is no such machine");
                details.add_bad_request_violation("page_size", "is too large");
                Err(Status::with_error_details(Code::InvalidArgument, "fields are not allowed", details))
            }
            Scene::Busy | Scene::Still | Scene::Unseen | Scene::Cut => Ok(message),
        }
    }

    fn total(&self) -> v1::Usage {
        let mut total = usage(&[(FORWARD, MEASURED, 36_000), (FORWARD, DECLARED, 3_600)], 12, 10);
        let reverse = [(v1::Grade::Level, 1_200), (v1::Grade::Downhill, 900), (v1::Grade::Unspecified, 300)];
        for (grade, seconds) in reverse {
            let keyed = keyed(v1::Direction::Reverse, MEASURED, seconds);
            total.keyed.push(v1::KeyedMotion { grade: grade.into(), ..keyed });
        }
        total.reverse = Some(motion(2_400, 1_900.0));
        total.unknown = Some(motion(1_800, 2_000.0));
        total.keyed.push(keyed(v1::Direction::Unknown, v1::DirectionOrigin::Unknown, 1_800));
        match self.scene {
            Scene::Busy | Scene::Cut | Scene::Refused | Scene::NoSuch | Scene::Out => total,
            Scene::Still => v1::Usage { coverage: total.coverage, ..v1::Usage::default() },
            Scene::Unseen => {
                let coverage = v1::UsageCoverage { asked: span(100_000), ..v1::UsageCoverage::default() };
                v1::Usage { coverage: Some(coverage), ..v1::Usage::default() }
            }
        }
    }

    fn is_busy(&self) -> bool {
        ![Scene::Still, Scene::Unseen].contains(&self.scene)
    }
}

const FORWARD: v1::Direction = v1::Direction::Forward;
const MEASURED: v1::DirectionOrigin = v1::DirectionOrigin::Measured;
const DECLARED: v1::DirectionOrigin = v1::DirectionOrigin::Declared;

fn span(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn motion(seconds: i64, distance_m: f64) -> v1::Motion {
    v1::Motion {
        observed: span(seconds),
        distance_m,
        speed_mean_mps: Some(0.8),
        speed_max_mps: Some(1.25),
        starts: 3,
    }
}

fn keyed(direction: v1::Direction, origin: v1::DirectionOrigin, seconds: i64) -> v1::KeyedMotion {
    v1::KeyedMotion {
        direction: direction.into(),
        origin: origin.into(),
        grade: v1::Grade::Unspecified.into(),
        motion: Some(motion(seconds, 0.0)),
    }
}

/// Usage with this forward motion, of so many machines of which some told something.
fn usage(parts: &[(v1::Direction, v1::DirectionOrigin, i64)], machines: u32, heard: u32) -> v1::Usage {
    let forward: i64 = parts.iter().map(|(_, _, seconds)| seconds).sum();
    v1::Usage {
        forward: Some(motion(forward, 60_000.0)),
        keyed: parts
            .iter()
            .map(|(direction, origin, seconds)| keyed(*direction, *origin, *seconds))
            .collect(),
        at_rest: span(5_000),
        coverage: Some(v1::UsageCoverage {
            asked: span(100_000),
            observed: span(95_000),
            speed: span(93_000),
            direction: span(80_000),
            grade: span(50_000),
            machines,
            machines_heard: heard,
            machines_with_direction: heard.saturating_sub(1),
        }),
        ..v1::Usage::default()
    }
}

/// A machine that told all, one that only runs forward, and one that tells no direction.
fn groups() -> Vec<v1::UsageGroup> {
    let group = |key: &str, name: &str, usage| v1::UsageGroup {
        key: key.to_owned(),
        display_name: name.to_owned(),
        site_id: "north".to_owned(),
        usage: Some(usage),
    };
    let mut all = usage(&[(FORWARD, MEASURED, 36_000)], 1, 2);
    all.reverse = Some(motion(2_400, 1_900.0));
    let one_way = usage(&[(FORWARD, DECLARED, 3_600)], 1, 2);
    let blind = v1::Usage { unknown: Some(motion(1_800, 2_000.0)), ..usage(&[], 1, 1) };
    let blind = v1::Usage { forward: None, ..blind };
    vec![group("n-1", SCRIPT, all), group("n-3", "Walker", one_way), group("n-2", "Treadmill 2", blind)]
}

fn as_of() -> Option<v1::AsOf> {
    Some(v1::AsOf { time: at(1_800_000_000), machines_silent: 2, silent_machine_ids: vec!["n-2".to_owned()] })
}

#[tonic::async_trait]
impl UsageService for Usages {
    type ExportUsageStream = BoxStream<v1::ExportUsageResponse>;

    async fn get_usage(&self, request: Request<v1::GetUsageRequest>) -> Answered<v1::GetUsageResponse> {
        let message = self.note(request)?;
        let is_grouped = self.is_busy() && message.group_by() == v1::GroupBy::Machine;
        let groups = if is_grouped { groups() } else { Vec::new() };
        let (total, groups_total) = (Some(self.total()), if is_grouped { 120 } else { 0 });
        Ok(Response::new(v1::GetUsageResponse { total, groups, groups_total, as_of: as_of() }))
    }

    async fn list_usage(&self, request: Request<v1::ListUsageRequest>) -> Answered<v1::ListUsageResponse> {
        let message = self.note(request)?;
        let period = |date: &str, usage| v1::UsagePeriod {
            date: date.to_owned(),
            length: span(86_400),
            usage: Some(usage),
            ..v1::UsagePeriod::default()
        };
        let mut low = self.total();
        if let Some(coverage) = &mut low.coverage {
            coverage.speed = span(10_000);
        }
        let periods = vec![period("2027-01-14", self.total()), period("2027-01-15", low)];
        let series = v1::UsageSeries { periods, ..v1::UsageSeries::default() };
        let resolution = message.resolution;
        Ok(Response::new(v1::ListUsageResponse { series: vec![series], resolution, as_of: as_of() }))
    }

    async fn get_heat_map(
        &self,
        request: Request<v1::GetHeatMapRequest>,
    ) -> Answered<v1::GetHeatMapResponse> {
        self.note(request)?;
        let cell = |weekday, hour, moved: i64, covered| v1::HeatCell {
            weekday,
            hour,
            forward: span(moved / 2),
            reverse: span(moved / 4),
            unknown: span(moved / 4),
            covered: span(covered),
            asked: span(3_600),
        };
        let cells = vec![cell(0, 9, 1_800, 3_600), cell(2, 10, 200, 1_000), cell(6, 23, 0, 0)];
        Ok(Response::new(v1::GetHeatMapResponse { cells, total: Some(self.total()), as_of: as_of() }))
    }

    async fn get_utilisation(
        &self,
        request: Request<v1::GetUtilisationRequest>,
    ) -> Answered<v1::GetUtilisationResponse> {
        self.note(request)?;
        let site = |id: &str, has_opening_hours: bool| v1::SiteUtilisation {
            site_id: id.to_owned(),
            has_opening_hours,
            available: span(360_000),
            covered: span(324_000),
            in_motion: span(81_000),
            in_motion_closed: span(1_200),
            out_of_service: span(7_200),
            reverse_unstaffed: span(600).filter(|_| has_opening_hours),
            peak_machines: 7,
            peak_time: at(1_800_000_000),
            machines: 12,
        };
        let sites = vec![site("north", true), site("south", false)];
        Ok(Response::new(v1::GetUtilisationResponse { sites, as_of: as_of() }))
    }

    async fn get_reverse_use(
        &self,
        request: Request<v1::GetReverseUseRequest>,
    ) -> Answered<v1::GetReverseUseResponse> {
        let message = self.note(request)?;
        let usage = Some(self.total());
        if !self.is_busy() {
            return Ok(Response::new(v1::GetReverseUseResponse { usage, ..Default::default() }));
        }
        let class = |from, to: i64, count| v1::IntervalClass {
            from: span(from),
            to: span(to).filter(|_| to > 0),
            count,
        };
        let recovery = |kind: v1::RecoveryKind, count, mean: i64| v1::RecoveryCount {
            kind: kind.into(),
            count,
            mean: span(mean).filter(|_| mean > 0),
        };
        let intervals = v1::IntervalFigures {
            count: 8,
            thirty: 5,
            median: span(30),
            longest: span(95),
            classes: vec![class(5, 25, 2), class(25, 35, 5), class(35, 0, 1)],
            recoveries: vec![
                recovery(v1::RecoveryKind::Standing, 4, 61),
                recovery(v1::RecoveryKind::Unseen, 1, 20),
                recovery(v1::RecoveryKind::Unspecified, 3, 0),
            ],
            work_to_rest: Some(0.5),
        };
        let guidance = v1::Guidance {
            reverse: span(2_400),
            slow: span(1_200),
            level: span(1_200),
            level_known: span(2_100),
            rail_held: span(562),
            rail_known: span(720),
            key_in: span(0),
            key_known: span(0),
        };
        let energy = v1::EnergyBand {
            mass_kg: if message.mass_kg == 0 { 70 } else { message.mass_kg },
            low_kcal: 41.0,
            middle_kcal: 48.0,
            high_kcal: 53.0,
            is_extrapolated: true,
            observed: span(1_200),
        };
        Ok(Response::new(v1::GetReverseUseResponse {
            usage,
            guidance: Some(guidance),
            sessions: 4,
            intervals: Some(intervals),
            unstaffed: span(600),
            staffing_known: span(1_800),
            unlabelled: span(1_500),
            energy: Some(energy),
            incidents: 3,
            as_of: as_of(),
            machines_reversible: 2,
            machines_telling_direction: 1,
        }))
    }

    async fn list_maintenance(
        &self,
        request: Request<v1::ListMaintenanceRequest>,
    ) -> Answered<v1::ListMaintenanceResponse> {
        self.note(request)?;
        let planned = |id: &str, used: f64| v1::MachineMaintenance {
            machine_id: id.to_owned(),
            site_id: "north".to_owned(),
            has_plan: true,
            plan_hours: Some(500),
            plan_kilometres: Some(2_000),
            maintained_time: at(1_790_000_000),
            maintained_by: "user:anna".to_owned(),
            note: SCRIPT.to_owned(),
            hours: 500.0 * used,
            kilometres: 1_000.0,
            used: Some(used),
            coverage: 0.82,
        };
        let none = v1::MachineMaintenance { machine_id: "n-9".to_owned(), ..Default::default() };
        let machines =
            if self.is_busy() { vec![planned("n-1", 1.1), planned("n-2", 0.4), none] } else { vec![none] };
        let machines_total = u32::try_from(machines.len()).unwrap();
        Ok(Response::new(v1::ListMaintenanceResponse { machines, machines_total, as_of: as_of() }))
    }

    async fn export_usage(
        &self,
        request: Request<v1::ExportUsageRequest>,
    ) -> Answered<Self::ExportUsageStream> {
        self.note(request)?;
        let part = |octets: &[u8], file_name: &str| {
            Ok(v1::ExportUsageResponse {
                octets: octets.to_vec(),
                file_name: file_name.to_owned(),
                media_type: "text/html".to_owned(),
            })
        };
        let second = match self.scene {
            Scene::Cut => Err(Status::data_loss("a part of the store is damaged")),
            Scene::Busy | Scene::Still | Scene::Unseen | Scene::Refused | Scene::NoSuch | Scene::Out => {
                part(b"2,3\r\n", "")
            }
        };
        let parts = [part(b"a,b\r\n", "usage-2027-01.csv"), second];
        Ok(Response::new(Box::pin(futures::stream::iter(parts))))
    }
}
