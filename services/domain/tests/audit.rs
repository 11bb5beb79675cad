use domain::belt::*; use domain::record::*; use domain::signal::*; use domain::units::*; use domain::watcher::*;
const MS: u64 = 1000;
fn spec(p: u64) -> SourceSpec { SourceSpec { name: "s".into(), capabilities: Capabilities::SPEED, period_us: p } }
struct S { w: SignalWatcher, o: Vec<Observed> }
impl S { fn new(n: usize, p: u64) -> S { S { w: SignalWatcher::new((0..n).map(|_| spec(p)).collect(), WatcherSettings::default(), MonotonicMicros(0)), o: vec![] } }
 fn sig(&mut self, ms: u64, s: u8, v: SignalValue) { self.w.apply(&Signal { at: MonotonicMicros(ms*MS), source: SourceNumber(s), value: v }, &mut self.o); }
 fn tick(&mut self, ms: u64) { self.w.tick(MonotonicMicros(ms*MS), &mut self.o); }
 fn ev(&self) -> Vec<(u64, Event)> { self.o.iter().filter_map(|o| match &o.payload { Payload::Event(e) => Some((o.at.0/MS, e.clone())), _ => None }).collect() }
 fn rd(&self) -> Vec<(u64, Reading)> { self.o.iter().filter_map(|o| match &o.payload { Payload::Reading(e) => Some((o.at.0/MS, e.clone())), _ => None }).collect() } }
#[test] fn a1_speed_not_held_by_alive() { let mut s = S::new(1, 100*MS); s.sig(100,0,SignalValue::Speed(Speed(900)));
 for t in 2..200 { s.sig(t*100,0,SignalValue::Alive); } assert_eq!(s.w.belt(MonotonicMicros(20_000*MS)).0.speed, None); }
#[test] fn a2_extra_on_change() { let mut s = S::new(1, 100*MS); for t in 1..100 { s.sig(t*100,0,SignalValue::Speed(Speed(900))); s.sig(t*100,0,SignalValue::Steps(7)); }
 assert_eq!(s.rd().iter().filter(|(_,r)| r.extra.steps.is_some()).count(), 1); }
#[test] fn a3_fall_in_its_interval() { let mut s = S::new(1, 1000*MS); for t in 0..5 { s.sig(t*1000+500,0,SignalValue::Speed(Speed(2000))); } s.sig(5_500,0,SignalValue::Speed(Speed(1000))); s.tick(6_400);
 s.tick(7000); let r = s.rd(); println!("{:?}", r.iter().map(|(a,r)|(*a,r.span_ms,r.speed)).collect::<Vec<_>>());
 let hit = r.iter().find(|(at,r)| *at >= 5_500 && *at as i64 - (r.span_ms as i64) <= 5_500 && r.speed.unwrap().min == Speed(1000)).unwrap(); assert_eq!(hit.1.speed.unwrap().fall, Some(1000)); }
#[test] fn a4_before_two_seconds() { let mut s = S::new(1, 100*MS); for t in 1..30 { s.sig(t*100,0,SignalValue::Speed(Speed(2000))); } for t in 30..45 { s.sig(t*100,0,SignalValue::Speed(Speed(500))); } for t in 45..70 { s.sig(t*100,0,SignalValue::Speed(Speed(0))); }
 let e = s.ev().into_iter().find(|e| e.1.kind == EventKind::BeltStopped).unwrap(); println!("{e:?}"); assert_eq!(e.0, 4500); assert_eq!(e.1.before.speed, Some(Speed(2000))); assert_eq!((e.1.before.direction, e.1.before.origin), (Direction::Unknown, Origin::Unknown)); }
#[test] fn a5_late_tick() { let run = |late: bool| { let mut s = S::new(1, 100*MS); for t in 1..30 { s.sig(t*100,0,SignalValue::Speed(Speed(2000))); } if late { s.tick(100_000) } else { for t in 29..1001 { s.tick(t*100) } } s.o }; assert_eq!(run(true), run(false)); }
#[test] fn a6_bouncing_for_ever() { let mut s = S::new(1, 100*MS); s.sig(0,0,SignalValue::ContactLevel{contact:Contact::EmergencyStop,open:false}); for t in 1..6000 { s.sig(t*5,0,SignalValue::ContactLevel{contact:Contact::EmergencyStop,open:t%2==0}); }
 assert!(s.ev().iter().any(|e| e.1.contact == Some(Contact::EmergencyStop))); }
#[test] fn a7_implausible() { let mut s = S::new(1, 100*MS); s.sig(100,0,SignalValue::Speed(Speed(900_000))); s.tick(40_000); assert!(s.ev().iter().any(|e| e.1.kind == EventKind::ValueImplausible)); assert!(s.rd().iter().all(|(_,r)| r.speed.is_none())); }
#[test] fn a8_unknown_source() { let mut s = S::new(1, 100*MS); s.sig(100,9,SignalValue::Speed(Speed(900))); s.tick(60_000); assert_eq!(s.w.belt(MonotonicMicros(60_000*MS)).0.speed, None); }
#[test] fn a9_start_is_cut() { let mut s = S::new(1, 100*MS); for t in 1..15 { s.sig(t*100,0,SignalValue::Speed(Speed(0))); } 
 // last interval began at the settled standstill 1100; start 100 ms after
 let mut s2 = S::new(1, 100*MS); for t in 1..=11 { s2.sig(t*100,0,SignalValue::MeasuredDirection(Direction::Stopped)); s2.sig(t*100,0,SignalValue::Speed(Speed(0))); }
 for t in 12..40 { s2.sig(t*100,0,SignalValue::MeasuredDirection(Direction::Forward)); s2.sig(t*100,0,SignalValue::Speed(Speed(700))); }
 for (at,r) in s2.rd() { if r.direction == Direction::Forward { assert_eq!(r.speed.unwrap().min, Speed(700), "{at} {r:?}"); } } }
#[test] fn b1_take_over_keeps_motion() { let mut s = S::new(2, 100*MS); for t in 1..30 { s.sig(t*100,0,SignalValue::Speed(Speed(900))); s.sig(t*100,1,SignalValue::Speed(Speed(900))); } 
 for t in 30..80 { s.sig(t*100,1,SignalValue::Speed(Speed(0))); } assert!(s.ev().iter().any(|e| e.1.kind == EventKind::BeltStopped), "{:?}", s.ev().iter().map(|e| (e.0,e.1.kind)).collect::<Vec<_>>()); }
#[test] fn b2_old_direction_says_nothing_of_new_motion() { let mut s = S::new(1, 100*MS);
 for t in 1..20 { s.sig(t*100,0,SignalValue::MeasuredDirection(Direction::Forward)); s.sig(t*100,0,SignalValue::Speed(Speed(900))); }
 for t in 20..60 { s.sig(t*100,0,SignalValue::MeasuredDirection(Direction::Forward)); s.sig(t*100,0,SignalValue::Speed(Speed(0))); }
 for t in 60..80 { s.sig(t*100,0,SignalValue::Speed(Speed(900))); s.sig(t*100,0,SignalValue::MeasuredDirection(Direction::Reverse)); }
 assert!(!s.ev().iter().any(|e| e.1.kind == EventKind::DirectionChanged)); let st = s.ev().into_iter().filter(|e| e.1.kind == EventKind::BeltStarted).last().unwrap(); assert_ne!(st.1.belt.direction, Direction::Forward); }
