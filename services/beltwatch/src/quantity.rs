//! Values of thresholds as people read and write them: speeds in km/h, times in seconds, shares in per cent.

/// km/h in one mm/s.
const KMH_PER_MM_S: f64 = 0.0036;

/// How many of a threshold's own unit make one of the unit that people use; its name and decimals.
fn scale(unit: &str) -> Option<(f64, &'static str, usize)> {
    match unit {
        "mm/s" => Some((1.0 / KMH_PER_MM_S, "km/h", 1)),
        "mm/s²" => Some((1.0 / KMH_PER_MM_S, "km/h per s", 1)),
        "ms" => Some((1_000.0, "s", 3)),
        "0.1 %" => Some((10.0, "%", 1)),
        _ => None,
    }
}

/// A value for people.
pub fn shown(value: i64, unit: &str) -> String {
    if unit == "0 or 1" {
        return if value == 0 { "no" } else { "yes" }.to_owned();
    }
    let Some((per, name, decimals)) = scale(unit) else {
        return format!("{value} {unit}").trim_end().to_owned();
    };
    // Thresholds are small enough for a double to hold them exactly.
    let number = format!("{:.decimals$}", value as f64 / per);
    let number = if decimals > 1 { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{number} {name}")
}

/// A value as people give it, in the threshold's own unit.
///
/// # Errors
/// What is allowed.
pub fn read(text: &str, unit: &str) -> Result<i64, String> {
    if unit == "0 or 1" {
        return match text {
            "yes" | "on" | "1" => Ok(1),
            "no" | "off" | "0" => Ok(0),
            _ => Err("yes or no is allowed".to_owned()),
        };
    }
    let Some((per, name, _)) = scale(unit) else {
        let of = if unit.is_empty() { String::new() } else { format!(" of {unit}") };
        return text.parse().map_err(|_| format!("a whole number{of} is allowed"));
    };
    /// Far beyond every threshold, and exact in a double.
    const MOST: f64 = 1e12;
    let number = text.parse::<f64>().ok().map(|number| (number * per).round());
    let number = number.filter(|number| number.abs() <= MOST);
    #[expect(clippy::cast_possible_truncation, reason = "whole, and at most 1e12")]
    let value = number.map(|number| number as i64);
    value.ok_or_else(|| format!("a number of {name} is allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_shown() {
        for (given, unit, value, expected) in [
            ("5.9", "mm/s", 1_639, "5.9 km/h"),
            ("2", "mm/s²", 556, "2.0 km/h per s"),
            ("0.5", "ms", 500, "0.5 s"),
            ("3", "ms", 3_000, "3 s"),
            ("0.05", "ms", 50, "0.05 s"),
            ("1.2", "0.1 %", 12, "1.2 %"),
            ("yes", "0 or 1", 1, "yes"),
            ("off", "0 or 1", 0, "no"),
            ("3", "", 3, "3"),
            ("30", "days", 30, "30 days"),
        ] {
            assert_eq!(read(given, unit), Ok(value), "{given} {unit}");
            assert_eq!(shown(value, unit), expected);
        }
        for (given, unit, words) in [
            ("fast", "mm/s", "a number of km/h"),
            ("inf", "mm/s", "a number of km/h"),
            ("nan", "ms", "a number of s"),
            ("1e99", "ms", "a number of s"),
            ("1.5", "days", "a whole number of days"),
            ("2", "0 or 1", "yes or no"),
        ] {
            assert!(read(given, unit).unwrap_err().contains(words), "{given} {unit}");
        }
    }
}
