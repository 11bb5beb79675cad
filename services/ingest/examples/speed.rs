#[path = "../tests/story/agent.rs"]
#[allow(dead_code)]
mod agent;
use std::sync::Arc;
use std::time::Instant;
use agent::*;
use domain::log::*;
use domain::units::*;
use ingest::ingest::*;
use ingest::Registered;
use store::journal::Journal;
use store::ledger::Ledger;
use store::telemetry::Telemetry;
use wire::keys::MasterKey;
fn cpu() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}
#[tokio::main]
async fn main() {
    let machines: usize = std::env::args().nth(1).map_or(1000, |a| a.parse().unwrap());
    let rounds = 200_000 / machines;
    let mode = std::env::args().nth(2).unwrap_or_default();
    let master = MasterKey::new([3; 32]);
    let mut agents: Vec<Agent> = (0..machines).map(|n| Agent::new(&format!("tm-{n:05}"), &master)).collect();
    let registered: Vec<Registered> = agents.iter().map(|a| Registered { machine: a.machine.clone(), key_generation: 1 }).collect();
    let mut messages = Vec::new();
    for a in &mut agents { messages.push(a.send_status()); }
    for round in 0..rounds as u64 {
        for a in &mut agents {
            for n in 0..10 { a.reading(800 + n); }
            let (e, last) = a.envelope_after(Lane::Readings, (round > 0).then(|| Position::new(1, round * 10)), 10).unwrap();
            assert_eq!(last.n, (round + 1) * 10);
            messages.push(a.send(&e));
            if round > 2 { let k = a.spooled[1].len(); a.spooled[1].drain(..k - 1); }
            a.written[1].clear();
        }
    }
    let bytes: usize = messages.iter().map(|m| m.payload.len()).sum();
    eprintln!("{} messages, {} bytes each", messages.len(), bytes / messages.len());
    let dir = tempfile::tempdir_in("/work").or_else(|_| tempfile::tempdir()).unwrap();
    let journal = store::sqlite::SqliteJournal::open(dir.path()).unwrap();
    let ledger = Arc::new(store::sqlite::SqliteLedger::open(dir.path()).unwrap());
    let telemetry = Arc::new(store::sqlite::SqliteTelemetry::open(dir.path()).unwrap());
    let mut mind = IngestMind::new(master);
    let start = Instant::now();
    let now = || Now { monotonic: MonotonicMicros(start.elapsed().as_micros() as u64 + 1_000_000), unix: UnixMicros(1_735_689_600_000_000 + start.elapsed().as_micros() as i64) };
    mind.apply(Input::Registered(&registered), now());
    let (c0, t0) = (cpu(), Instant::now());
    let (mut acks, mut appends, mut blocks_n) = (0, 0, 0usize);
    let mut pending: Option<Arc<[store::journal::Slice]>> = None;
    let mut tasks = Vec::new();
    let mut held = Vec::new();
    let mut through = 0;
    let mut handle: Option<tokio::task::JoinHandle<u64>> = None;
    let mut seq = 0u64;
    for chunk in messages.chunks(512) {
        let t = now();
        let mut all = Vec::new();
        for m in chunk {
            all.push(mind.apply(Input::Message { topic: &m.topic, payload: m.payload.clone() }, t));
        }
        loop {
            let mut committed = None;
            for e in all.drain(..) {
                acks += e.publishes.len();
                if e.append.is_some() { pending = e.append; }
                through = through.max(e.folded);
                blocks_n += e.blocks.len();
                held.extend(e.blocks);
                if !e.derived.checkpoints.is_empty() || !e.derived.sessions.is_empty() {
                    let l = ledger.clone();
                    if mode == "all" { tasks.push(tokio::spawn(async move { l.put(e.derived).await.unwrap() })); }
                }
            }
            if held.len() >= 5_000 {
                let b = std::mem::take(&mut held);
                let tl = telemetry.clone();
                if mode == "all" { tasks.push(tokio::spawn(async move { tl.put(b).await.unwrap(); })); }
            }
            if let Some(s) = pending.take() {
                appends += 1;
                let j = journal.clone();
                if mode == "mind" { seq += s.len() as u64; let q = seq; handle = Some(tokio::spawn(async move { q })); }
                else { handle = Some(tokio::spawn(async move { j.append(s).await.unwrap() })); }
            }
            if let Some(h) = &mut handle {
                if h.is_finished() || mind.is_full(Lane::Readings) { committed = Some(h.await.unwrap()); handle = None; }
            }
            match committed { Some(sequence) => all.push(mind.apply(Input::Committed { sequence }, now())), None => break }
        }
    }
    while !mind.is_idle() {
        if let Some(h) = handle.take() { let e = mind.apply(Input::Committed { sequence: h.await.unwrap() }, now()); pending = e.append; held.extend(e.blocks);}
        else { pending = mind.apply(Input::Tick, now()).append; }
        if let Some(s) = pending.take() { appends += 1; let j = journal.clone();
            if mode == "mind" { seq += s.len() as u64; let q = seq; handle = Some(tokio::spawn(async move { q })); }
            else { handle = Some(tokio::spawn(async move { j.append(s).await.unwrap() })); } }
    }
    let (c1, el) = (cpu() - c0, t0.elapsed().as_secs_f64());
    for t in tasks { t.await.unwrap(); }
    let (c2, el2) = (cpu() - c0, t0.elapsed().as_secs_f64());
    let readings = mind.counters().readings_committed;
    println!("{readings} readings {el:.2}s = {:.0}/s, cpu {:.2} s/M readings (with write-behind {:.2}, {el2:.2}s), acks {acks}, appends {appends}, blocks {blocks_n} dup {}", readings as f64 / el, c1 / readings as f64 * 1e6, c2 / readings as f64 * 1e6, mind.counters().duplicates_applied);
    let _ = through;
}
