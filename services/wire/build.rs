//! Compiles the schemas with protox; no protoc is needed.

use std::path::{Path, PathBuf};

const WIRE: [&str; 5] = ["seal", "envelope", "record", "status", "ack"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let wire: Vec<PathBuf> = WIRE
        .iter()
        .chain(["checkpoint"].iter())
        .map(|name| root.join(format!("beltwatch/wire/v1/{name}.proto")))
        .collect();
    prost_build::Config::new().bytes(["."]).compile_fds(protox::compile(&wire, [&root])?)?;
    enrolment(&root)?;
    #[cfg(feature = "grpc")]
    grpc(&root)?;
    Ok(())
}

/// The few messages of the public API that an agent reads, without the rest of it.
fn enrolment(root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("enrolment");
    std::fs::create_dir_all(&out)?;
    let set = protox::compile([root.join("beltwatch/v1/enrolment.proto")], [root])?;
    Ok(prost_build::Config::new().out_dir(out).compile_fds(set)?)
}

/// The public API: messages, client and server stubs, and the descriptor set that reflection serves.
#[cfg(feature = "grpc")]
fn grpc(root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let services = [
        "access",
        "machine",
        "account_service",
        "fleet_service",
        "usage",
        "telemetry_service",
        "usage_service",
        "course_service",
        "handling",
        "incident_service",
        "handling_service",
        "drill_service",
        "notification_service",
        "admin_service",
        "enrolment",
        "enrolment_service",
    ];
    let files = services.map(|name| root.join(format!("beltwatch/v1/{name}.proto")));
    let set = protox::compile(files, [root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("api_descriptor.bin"), prost::Message::encode_to_vec(&set))?;
    tonic_prost_build::configure().compile_fds(set)?;
    Ok(())
}
