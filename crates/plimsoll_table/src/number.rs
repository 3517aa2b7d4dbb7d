//! Text to numbers: the nearest `f64`, as Rust's own parser and Python's give it, and which numbers are scores and weights.

use crate::error::{Fault, shown};

/// The number that a cell holds, with spaces around it: decimals, exponents, `inf`, `Infinity` and `nan` in any case.
#[inline]
pub(crate) fn number(cell: &[u8]) -> Option<f64> {
    match fast_float2::parse(cell) {
        Ok(number) => Some(number),
        Err(_) => fast_float2::parse(cell.trim_ascii()).ok(),
    }
}

/// A score: finite.
#[inline]
pub(crate) fn score(cell: &[u8]) -> Result<f64, Fault> {
    match number(cell) {
        Some(score) if score.is_finite() => Ok(score),
        found => Err(refused("score", found, cell)),
    }
}

/// A weight: finite, and at least 0.
#[inline]
pub(crate) fn weight(cell: &[u8]) -> Result<f64, Fault> {
    match number(cell) {
        Some(weight) => sound_weight(weight),
        None => Err(refused("weight", None, cell)),
    }
}

/// The same number, where it can be a weight.
#[inline]
pub(crate) fn sound_weight(weight: f64) -> Result<f64, Fault> {
    match weight {
        _ if !weight.is_finite() => Err(not_finite("weight", weight)),
        _ if weight >= 0.0 => Ok(weight),
        _ => Err(Fault::Negative(weight)),
    }
}

/// Why a number that isn't finite is refused.
#[cold]
pub(crate) fn not_finite(role: &'static str, number: f64) -> Fault {
    if number.is_nan() { Fault::Nan(role) } else { Fault::Infinite(role) }
}

#[cold]
fn refused(role: &'static str, found: Option<f64>, cell: &[u8]) -> Fault {
    match found {
        Some(number) => not_finite(role, number),
        None if cell.trim_ascii().is_empty() => Fault::Empty(role),
        None => Fault::NoNumber { role, value: shown(cell) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_the_nearest_numbers_to_the_bit() {
        let bits = |cell: &str| score(cell.as_bytes()).map(f64::to_bits);
        assert_eq!(bits(" 0.1\t"), Ok(0.1_f64.to_bits()));
        assert_eq!(bits("-0.0"), Ok((-0.0_f64).to_bits()));
        assert_eq!(bits("5e-324"), Ok(1));
        assert_eq!(bits("2.2250738585072011e-308"), Ok(2.225_073_858_507_201e-308_f64.to_bits()));
        assert_eq!(bits("9007199254740993"), Ok(9_007_199_254_740_992.0_f64.to_bits()));
        assert_eq!(bits("+.5"), Ok(0.5_f64.to_bits()));
    }

    #[test]
    fn what_is_no_score_is_told() {
        assert_eq!(score(b" "), Err(Fault::Empty("score")));
        assert_eq!(score(b"NaN"), Err(Fault::Nan("score")));
        assert_eq!(score(b"-Infinity"), Err(Fault::Infinite("score")));
        assert_eq!(score(b"1e999"), Err(Fault::Infinite("score")));
        let none = |value: &str| Err(Fault::NoNumber { role: "score", value: value.to_owned() });
        assert_eq!(score(b"0,5"), none("0,5"));
        assert_eq!(score(b"0x10"), none("0x10"));
        assert_eq!(score(b"1_000"), none("1_000"));
    }

    #[test]
    fn a_weight_is_at_least_zero() {
        assert_eq!(weight(b"0"), Ok(0.0));
        assert_eq!(weight(b"-0.5"), Err(Fault::Negative(-0.5)));
        assert_eq!(weight(b"inf"), Err(Fault::Infinite("weight")));
        assert_eq!(weight(b""), Err(Fault::Empty("weight")));
    }
}
