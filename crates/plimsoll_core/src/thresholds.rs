//! From where on a query counts as worse, and how long it may run.
//!
//! A figure is worse when it grew by its ratio *and* by its floor: a ratio alone makes much of little, a floor alone makes little of
//! much. `plimsoll.toml` and comments over a query name them by the same keys.

use std::time::Duration;

use crate::units::milliseconds;

/// From where on a query counts as worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Shared buffers, and temporary blocks: growth from this ratio on, 1 or more.
    pub buffers_ratio: f64,
    /// Shared buffers, and temporary blocks: growth from so many pages on.
    pub buffers_floor: u64,
    /// Rows that a node of the plan reads: growth from this ratio on, 1 or more.
    pub rows_ratio: f64,
    /// Rows that a node of the plan reads: growth from so many on.
    pub rows_floor: u64,
    /// The planner's cost: growth from this ratio on, 1 or more.
    pub cost_ratio: f64,
    /// The planner's cost: growth from so many of its units on.
    pub cost_floor: f64,
    /// Whether the result is compared.
    pub compares_result: bool,
    /// How long a run may take; where nothing says so, as long as any query may.
    pub timeout: Option<Duration>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            buffers_ratio: 1.25,
            buffers_floor: 20,
            rows_ratio: 1.25,
            rows_floor: 1000,
            cost_ratio: 1.25,
            cost_floor: 50.0,
            compares_result: true,
            timeout: None,
        }
    }
}

impl Thresholds {
    /// The keys that [`Self::set`] knows.
    pub const KEYS: [&str; 8] = [
        "buffers_ratio",
        "buffers_floor",
        "rows_ratio",
        "rows_floor",
        "cost_ratio",
        "cost_floor",
        "result",
        "timeout",
    ];

    /// Takes the value of a key of [`Self::KEYS`], as a person has written it.
    ///
    /// # Errors
    /// What is wrong with the value or the key, as a sentence.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let value = value.trim();
        match key {
            "buffers_ratio" => self.buffers_ratio = ratio(key, value)?,
            "buffers_floor" => self.buffers_floor = whole(key, value, "pages")?,
            "rows_ratio" => self.rows_ratio = ratio(key, value)?,
            "rows_floor" => self.rows_floor = whole(key, value, "rows")?,
            "cost_ratio" => self.cost_ratio = ratio(key, value)?,
            "cost_floor" => {
                let floor = value.parse().ok().filter(|floor: &f64| floor.is_finite() && *floor >= 0.0);
                self.cost_floor = floor.ok_or_else(|| {
                    format!(
                        "{key} is `{value}`: write a number of the planner's units, 0 or more, such as 50"
                    )
                })?;
            }
            "result" => {
                self.compares_result = match value {
                    "compare" => true,
                    "ignore" => false,
                    _ => return Err(format!("{key} is `{value}`: write compare or ignore")),
                }
            }
            "timeout" => {
                let ms = milliseconds(value).filter(|ms| *ms > 0);
                self.timeout = Some(ms.map(Duration::from_millis).ok_or_else(|| {
                    format!("{key} is `{value}`: write a duration as PostgreSQL does, such as 5s or 500ms")
                })?);
            }
            _ => return Err(format!("there is no key {key} (known: {})", Self::KEYS.join(", "))),
        }
        Ok(())
    }
}

fn ratio(key: &str, value: &str) -> Result<f64, String> {
    let ratio = value.parse().ok().filter(|ratio: &f64| ratio.is_finite() && *ratio >= 1.0);
    ratio.ok_or_else(|| format!("{key} is `{value}`: write a ratio of 1 or more, such as 1.5"))
}

fn whole(key: &str, value: &str, unit: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{key} is `{value}`: write a whole number of {unit}, such as 100"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_set() {
        let mut thresholds = Thresholds::default();
        let values = ["1.5", " 100", "2", "5", "1", "0.5", "ignore", "5s"];
        for (key, value) in Thresholds::KEYS.into_iter().zip(values) {
            thresholds.set(key, value).unwrap();
        }
        let expected = Thresholds {
            buffers_ratio: 1.5,
            buffers_floor: 100,
            rows_ratio: 2.0,
            rows_floor: 5,
            cost_ratio: 1.0,
            cost_floor: 0.5,
            compares_result: false,
            timeout: Some(Duration::from_secs(5)),
        };
        assert_eq!(thresholds, expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let mut thresholds = Thresholds::default();
        let wrong = [
            ("buffers_ratio", "0.9"),
            ("rows_ratio", "NaN"),
            ("cost_ratio", "inf"),
            ("buffers_floor", "-1"),
            ("rows_floor", "1.5"),
            ("cost_floor", "-0.1"),
            ("result", "maybe"),
            ("timeout", "0"),
            ("bufers_ratio", "2"),
        ];
        for (key, value) in wrong {
            let why = thresholds.set(key, value).unwrap_err();
            assert!(why.contains(key), "{why}");
        }
        assert_eq!(thresholds, Thresholds::default());
    }
}
