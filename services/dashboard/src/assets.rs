//! Style, scripts and icon: part of the program, at addresses that change with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::packing;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
    packed: Vec<u8>,
    address: String,
}

macro_rules! assets {
    ($($name:literal as $content_type:expr;)*) => {
        vec![$(asset($name, $content_type, include_bytes!(concat!("../assets/", $name)))),*]
    };
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    assets! {
        "style.css" as STYLE;
        "plan.css" as STYLE;
        "drill.css" as STYLE;
        "usage.css" as STYLE;
        "course.css" as STYLE;
        "course_print.css" as STYLE;
        "icon.svg" as "image/svg+xml";
        "page.js" as SCRIPT;
        "live.js" as SCRIPT;
        "floor.js" as SCRIPT;
        "arrange.js" as SCRIPT;
        "chart.js" as SCRIPT;
        "machine.js" as SCRIPT;
        "incidents.js" as SCRIPT;
        "incident.js" as SCRIPT;
        "incident.css" as STYLE;
        "incident_print.js" as SCRIPT;
        "incident_print.css" as STYLE;
        "incident_count.js" as SCRIPT;
        "drill.js" as SCRIPT;
        "usage.js" as SCRIPT;
        "vendor/htmx.min.js" as SCRIPT;
        "vendor/uPlot.iife.min.js" as SCRIPT;
        "vendor/uPlot.min.css" as STYLE;
    }
});

fn asset(name: &'static str, content_type: &'static str, content: &'static [u8]) -> Asset {
    let hash = hex::encode(Sha256::digest(content));
    let address = format!("/assets/{}/{name}", &hash[..16]);
    Asset { name, content_type, content, packed: packing::pack(content), address }
}

/// Where an asset is. Empty if there is none of this name.
pub(crate) fn address(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| asset.address.as_str())
}

/// Serves an asset under its address; it never changes there.
pub(crate) async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let wanted = format!("/assets/{hash}/{name}");
    let Some(asset) = ASSETS.iter().find(|asset| asset.address == wanted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let fixed = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    if packing::is_accepted(&headers) {
        return (fixed, [(header::CONTENT_ENCODING, "zstd")], asset.packed.as_slice()).into_response();
    }
    (fixed, asset.content).into_response()
}
