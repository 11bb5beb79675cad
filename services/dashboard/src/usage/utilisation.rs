//! Use against opening hours, by site.

use askama::Template;
use wire::api::v1;

use super::figures::{length, percent, seconds, share};
use crate::frame::MissingPart;
use crate::incidents::{Places, date_and_time};
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

/// Days that the API allows.
pub(super) const DAYS_MAX: i64 = 92;
/// Sites that are shown. More: the page says so.
const SHOWN_MAX: usize = 100;

/// The sites, or why they cannot be shown.
#[derive(Debug, Template)]
#[template(path = "usage_utilisation.html")]
pub(super) struct UtilisationPart {
    t: Texts,
    missing: Option<MissingPart>,
    is_too_long: bool,
    sites: Vec<Site>,
    /// Says that there are more; empty: there are none.
    cut: String,
}

/// One site.
#[derive(Debug)]
struct Site {
    name: String,
    /// What was used of what was seen, in one sentence.
    used: String,
    /// How much of the opening hours that speaks for.
    seen: String,
    /// Length of the bar.
    bar: String,
    peak: String,
    lines: Vec<String>,
    has_opening_hours: bool,
    /// Where opening hours are set; empty: the visitor may not.
    set: String,
}

impl UtilisationPart {
    fn empty(t: Texts) -> UtilisationPart {
        UtilisationPart { t, missing: None, is_too_long: false, sites: Vec::new(), cut: String::new() }
    }

    pub(super) fn missing(part: MissingPart, t: Texts) -> UtilisationPart {
        UtilisationPart { missing: Some(part), ..UtilisationPart::empty(t) }
    }

    pub(super) fn too_long(t: Texts) -> UtilisationPart {
        UtilisationPart { is_too_long: true, ..UtilisationPart::empty(t) }
    }

    pub(super) fn new(
        told: &v1::GetUtilisationResponse,
        places: &Places,
        visitor: &Visitor,
    ) -> UtilisationPart {
        let t = visitor.t();
        let cut = if told.sites.len() > SHOWN_MAX { t.sites_cut(SHOWN_MAX) } else { String::new() };
        let sites = told.sites.iter().take(SHOWN_MAX).map(|one| site(one, places, visitor)).collect();
        UtilisationPart { sites, cut, ..UtilisationPart::empty(t) }
    }
}

fn site(told: &v1::SiteUtilisation, places: &Places, visitor: &Visitor) -> Site {
    let (reader, t) = (visitor.reader, visitor.t());
    let of = |time: &Option<prost_types::Duration>| seconds(time.as_ref());
    let (available, covered, moved) = (of(&told.available), of(&told.covered), of(&told.in_motion));
    let words = |time: &Option<prost_types::Duration>| length(of(time), reader);
    let used = match percent(moved, covered, reader) {
        Some(share) => t.utilisation_used(share, length(moved, reader), length(covered, reader)),
        None => t.utilisation_unseen().to_owned(),
    };
    let seen = percent(covered, available, reader);
    let zone = places.zone(&told.site_id);
    let peak = words::moment(told.peak_time)
        .map(|at| t.utilisation_peak(told.peak_machines, told.machines, date_and_time(at, &zone)));
    let mut lines = Vec::new();
    if told.has_opening_hours {
        lines.push(t.utilisation_closed(words(&told.in_motion_closed)));
    }
    if of(&told.out_of_service) > 0.0 {
        lines.push(t.utilisation_out(words(&told.out_of_service)));
    }
    lines.push(match &told.reverse_unstaffed {
        Some(_) => t.utilisation_unstaffed(words(&told.reverse_unstaffed)),
        None => t.staffed_not_said().to_owned(),
    });
    let may_set = visitor.may("configure", &told.site_id);
    Site {
        name: places.name(&told.site_id).to_owned(),
        used,
        seen: seen.map(|seen| t.utilisation_seen(seen, length(available, reader))).unwrap_or_default(),
        bar: share(moved, covered),
        peak: peak.unwrap_or_else(|| t.utilisation_no_session().to_owned()),
        lines,
        has_opening_hours: told.has_opening_hours,
        set: if may_set { format!("/administration/sites/{}", told.site_id) } else { String::new() },
    }
}
