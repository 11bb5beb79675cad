//! How well the stops of incidents and proof tests are measured, against belts whose braking is known.

use proptest::prelude::*;

use super::scene::{ENCODER, Scene};
use crate::belt::Contact;

/// Above this speed a belt counts as moving, in km/h.
const STANDS_KMH: f64 = 0.1;

/// A belt at `kmh` whose button is pressed `edge_ms` after an observation, and that then brakes evenly and stands after
/// `stop_s`, with a foot on it that makes its speed swing by `swing`.
#[derive(Debug, Clone, Copy)]
struct Braking {
    kmh: f64,
    edge_ms: u32,
    stop_s: f64,
    swing: f64,
}

impl Braking {
    /// Speed so long after the edge, in km/h.
    fn kmh(self, seconds: f64) -> f64 {
        let plain = self.kmh * (1.0 - seconds / self.stop_s).clamp(0.0, 1.0);
        plain * (1.0 + self.swing * (seconds * 5.6).sin())
    }

    /// Time in s and distance in m from the edge until the belt stands.
    fn truth(self) -> (f64, f64) {
        let time = self.stop_s * (1.0 - STANDS_KMH / self.kmh);
        (time, (self.kmh + STANDS_KMH) / 2.0 / 3.6 * time)
    }

    /// Time in s and distance in m as the incident tells them.
    fn measured(self) -> (f64, f64) {
        let mut scene = Scene::new(ENCODER).with(|settings| settings.drill = Some(1));
        scene.ramp(self.kmh, 0.5).wait(3.0).wait_ms(u64::from(self.edge_ms));
        scene.contact(Contact::EmergencyStop, true).wait_ms(1);
        let mut seconds = 0.1 - f64::from(self.edge_ms) / 1e3;
        scene.wait_ms(100 - u64::from(self.edge_ms) - 1);
        while seconds < self.stop_s + 4.0 {
            seconds += 0.1;
            scene.speed(self.kmh(seconds)).wait(0.1);
        }
        let found = scene.incidents();
        let stop = found.iter().find_map(|incident| incident.stop).expect("a stop was measured");
        assert!(found.iter().all(|incident| incident.drill == Some(1)), "{found:?}");
        (f64::from(stop.time_ms) / 1e3, f64::from(stop.distance_mm) / 1e3)
    }
}

proptest! {
    /// An encoder that is asked ten times a second sees the standstill up to a tenth of a second late.
    #[test]
    fn a_stop_is_measured_to_five_per_cent_and_a_tenth_of_a_second(
        kmh in 2.0..6.0_f64,
        edge_ms in 1..99_u32,
        stop_s in 1.5..5.0_f64,
        swing in 0.0..0.03_f64,
    ) {
        let braking = Braking { kmh, edge_ms, stop_s, swing };
        let ((time, distance), (true_time, true_distance)) = (braking.measured(), braking.truth());
        prop_assert!((time - true_time).abs() <= 0.05 * true_time, "{time} s, in truth {true_time} s");
        let slack = 0.05 * true_distance + 0.1 * kmh / 3.6;
        prop_assert!((distance - true_distance).abs() <= slack, "{distance} m, in truth {true_distance} m");
    }
}
