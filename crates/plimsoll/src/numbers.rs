//! Numbers that can be typed behind an option.

/// A share between 0 and 1, neither included.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    number(text, |share| share > 0.0 && share < 1.0, "a share between 0 and 1 is wanted, such as 0.01")
}

/// A share above 0, and at most 1.
pub(crate) fn share_or_all(text: &str) -> Result<f64, String> {
    number(text, |share| share > 0.0 && share <= 1.0, "a share above 0 and up to 1 is wanted, such as 0.95")
}

/// A number above 0.
pub(crate) fn above_zero(text: &str) -> Result<f64, String> {
    number(text, |number| number > 0.0, "a number above 0 is wanted, such as 2.5")
}

/// A number that isn't negative.
pub(crate) fn at_least_zero(text: &str) -> Result<f64, String> {
    number(text, |number| number >= 0.0, "a number of at least 0 is wanted, such as 2.5")
}

/// Any number but infinities.
pub(crate) fn finite(text: &str) -> Result<f64, String> {
    number(text, |_| true, "a number is wanted, such as 0.5")
}

fn number(text: &str, is_fine: fn(f64) -> bool, wanted: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && is_fine(number) => Ok(number),
        _ => Err(wanted.to_owned()),
    }
}
