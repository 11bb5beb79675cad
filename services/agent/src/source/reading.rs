//! Values that a machine told, as signals: what cannot be true is told as such and not used.

use domain::limits::{INCLINE_PLAUSIBLE_TENTHS_MAX, SPEED_PLAUSIBLE_MM_S_MAX};
use domain::signal::SignalValue;
use domain::units::{Incline, Speed};

/// A speed, as the signal that `value` makes of it.
pub(super) fn speed(field: &str, speed: Speed, value: fn(Speed) -> SignalValue) -> SignalValue {
    let most = Speed(SPEED_PLAUSIBLE_MM_S_MAX);
    if speed > most {
        let (speed, most) = (speed.kmh(), most.kmh());
        return SignalValue::Implausible(format!("{field} {speed:.2} km/h is above {most:.0} km/h"));
    }
    value(speed)
}

/// An incline.
pub(super) fn incline(incline: Incline) -> SignalValue {
    let most = INCLINE_PLAUSIBLE_TENTHS_MAX;
    if incline.0.saturating_abs() > most {
        let (percent, most) = (incline.percent(), Incline(most).percent());
        return SignalValue::Implausible(format!("incline {percent:.1} % is beyond ±{most:.0} %"));
    }
    SignalValue::Incline(incline)
}
