//! Rates with exact Poisson intervals: pure arithmetic.

/// Fewer incidents than this in fewer minutes than [`FEW_MINUTES`] are too few to tell anything.
const FEW_INCIDENTS: u64 = 5;
const FEW_MINUTES: f64 = 1_000.0;
/// What each end of a 95 % interval leaves out.
const TAIL: f64 = 0.025;
/// Halvings of an interval: more do not change a double.
const HALVINGS: usize = 80;

/// Incidents per time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    /// Per 1 000 minutes, with the ends of the exact 95 % interval; `None`: there were no minutes.
    pub(super) per_1000_minutes: Option<(f64, f64, f64)>,
    /// Whether it tells nothing.
    pub(super) too_few_to_tell: bool,
}

/// The rate of so many incidents in so many minutes.
pub(super) fn rate(incidents: u64, minutes: f64) -> Rate {
    let (lower, upper) = poisson_interval(incidents);
    let per = |count: f64| count * 1_000.0 / minutes;
    let per_1000_minutes = (minutes > 0.0).then(|| (per(incidents as f64), per(lower), per(upper)));
    Rate { per_1000_minutes, too_few_to_tell: incidents < FEW_INCIDENTS && minutes < FEW_MINUTES }
}

/// The exact 95 % interval of a Poisson mean after `count` (Garwood 1936): the means at which as many or more, and as
/// many or fewer, have a probability of 2.5 %.
fn poisson_interval(count: u64) -> (f64, f64) {
    let n = count as f64;
    // The ends lie some 2 standard deviations away; 4 and a few more are beyond them, for none, too.
    let beyond = n + 4.0 * (n + 1.0).sqrt() + 4.0;
    let lower = if count == 0 { 0.0 } else { halve(0.0, n, |mean| as_many_or_more(count, mean) < TAIL) };
    (lower, halve(n, beyond, |mean| as_many_or_fewer(count, mean) > TAIL))
}

/// Where a condition that holds at `low` and not at `high` ceases to hold.
fn halve(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Probability of `count` or fewer, for a mean of at least `count`.
fn as_many_or_fewer(count: u64, mean: f64) -> f64 {
    let ratios = (1..=count).rev().map(|k| k as f64 / mean);
    probability(count, mean) * sum_of_products(ratios)
}

/// Probability of `count` or more, for a mean of at most `count`.
fn as_many_or_more(count: u64, mean: f64) -> f64 {
    let ratios = (count + 1..).map(|k| mean / k as f64);
    probability(count, mean) * sum_of_products(ratios)
}

/// 1 and the products of ever more of these ratios, which are below 1 and fall.
fn sum_of_products(ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut product) = (1.0, 1.0);
    for ratio in ratios {
        product *= ratio;
        sum += product;
        if product < sum * f64::EPSILON {
            break;
        }
    }
    sum
}

/// Probability of just `count`.
fn probability(count: u64, mean: f64) -> f64 {
    if count == 0 {
        return (-mean).exp();
    }
    (count as f64 * mean.ln() - mean - ln_factorial(count)).exp()
}

fn ln_factorial(count: u64) -> f64 {
    /// From here on Stirling's series is exact to ten digits.
    const LARGE: u64 = 20;
    if count < LARGE {
        return (2..=count).map(|k| (k as f64).ln()).sum();
    }
    let n = count as f64;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends as tables of the chi-squared distribution give them: halves of its 2.5 % quantile with twice the count,
    /// and of its 97.5 % quantile with twice the count and 2 more, degrees of freedom.
    #[test]
    fn intervals_are_those_of_the_tables() {
        for (count, lower, upper) in [
            (0, 0.0, 3.688_879),
            (1, 0.025_318, 5.571_643),
            (2, 0.242_209, 7.224_688),
            (5, 1.623_486, 11.668_332),
            (10, 4.795_389, 18.390_356),
            (20, 12.216_52, 30.888_38),
            (50, 37.110_964, 65.918_767),
            (100, 81.363_991, 121.626_794),
        ] {
            let (low, high) = poisson_interval(count);
            assert!((low - lower).abs() < 1e-4 && (high - upper).abs() < 1e-4, "{count}: {low}, {high}");
        }
    }

    #[test]
    fn large_counts_come_near_the_normal_distribution() {
        for count in [10_000_u64, 1_000_000] {
            let (low, high) = poisson_interval(count);
            let (n, spread) = (count as f64, 1.959_964 * (count as f64).sqrt());
            assert!((low - (n - spread)).abs() < 3.0, "{count}: {low}");
            assert!((high - (n + spread)).abs() < 4.0, "{count}: {high}");
        }
    }

    #[test]
    fn a_rate_says_when_it_tells_nothing() {
        let two = rate(5, 1_000.0);
        let (per, low, high) = two.per_1000_minutes.expect("there were minutes");
        assert!(
            (per - 5.0).abs() < 1e-9 && (low - 1.623_486).abs() < 1e-4 && (high - 11.668_332).abs() < 1e-4
        );
        for (incidents, minutes, too_few) in
            [(0, 0.0, true), (4, 999.9, true), (5, 1.0, false), (0, 1_000.0, false)]
        {
            let rate = rate(incidents, minutes);
            assert_eq!(rate.too_few_to_tell, too_few, "{incidents} in {minutes}");
            assert_eq!(rate.per_1000_minutes.is_none(), minutes == 0.0, "{incidents} in {minutes}");
        }
    }
}
