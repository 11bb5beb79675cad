//! How sure a share is: the exact bound of Clopper and Pearson.

/// The share that so many of so many at least stand for, with 95 % confidence on this one side; 0 of nothing.
pub fn lower_bound(hits: u64, of: u64) -> f64 {
    if hits == 0 || of == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_least(hits, of, middle) < 0.05 { low = middle } else { high = middle }
    }
    low
}

/// Probability of `hits` or more of `of` if each comes with this probability.
fn at_least(hits: u64, of: u64, probability: f64) -> f64 {
    let (yes, no) = (probability.ln(), (1.0 - probability).ln());
    let term = |i: u64| {
        let ways = ln_factorial(of) - ln_factorial(i) - ln_factorial(of - i);
        (ways + i as f64 * yes + (of - i) as f64 * no).exp()
    };
    let sum: f64 = (hits..of).map(term).sum();
    // Apart, because ln(0) times 0 is no number.
    sum + (of as f64 * yes).exp()
}

/// Exact up to 20, then Stirling's series, whose error is below 1e-12 there.
fn ln_factorial(n: u64) -> f64 {
    if n <= 20 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let n = n as f64;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hits: u64, of: u64, expected: f64) {
        let bound = lower_bound(hits, of);
        assert!((bound - expected).abs() < 5e-5, "{hits} of {of}: {bound}");
    }

    #[test]
    fn bounds_are_those_of_tables() {
        // All of n: 0.05 to the power of 1/n.
        check(1, 1, 0.05);
        check(10, 10, 0.741_13);
        check(300, 300, 0.990_06);
        check(5, 10, 0.222_44);
        check(0, 10, 0.0);
        check(0, 0, 0.0);
    }
}
