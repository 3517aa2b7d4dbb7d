//! Columns that hold each other's values share their pseudonyms.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use super::Column;
use super::scalar::{self, DAY_US};
use super::shape::Kind;

/// The days 0001-01-01, before which years are written otherwise, and 9999-12-31, by their distance from 1970-01-01.
const FIRST_DAY: i128 = -719_162;
const LAST_DAY: i128 = 2_932_896;

/// Sets of columns, each named by one of its members.
#[derive(Default)]
pub(super) struct Domains {
    parents: HashMap<Column, Column>,
}

impl Domains {
    pub(super) fn of(pairs: &[(Column, Column)]) -> Self {
        let mut domains = Self::default();
        for (one, other) in pairs {
            let (one, other) = (domains.root(one), domains.root(other));
            if one != other {
                domains.parents.insert(one, other);
            }
        }
        domains
    }

    /// The member that stands for a column's set: itself where it is alone.
    pub(super) fn root(&self, column: &Column) -> Column {
        let mut root = column;
        while let Some(parent) = self.parents.get(root) {
            root = parent;
        }
        root.clone()
    }
}

/// The numbers of one set of columns.
pub(super) struct Numbers {
    kind: Kind,
    texts: Vec<String>,
    /// Digits behind the point that all have.
    scale: usize,
    /// Numbers and their pseudonyms, in order.
    chosen: Vec<(i128, i128)>,
}

impl Numbers {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, texts: Vec::new(), scale: 0, chosen: Vec::new() }
    }

    pub(super) fn add(&mut self, text: &str) {
        if self.kind == Kind::Decimal {
            self.scale = self.scale.max(scalar::scale(text));
        }
        self.texts.push(text.to_owned());
    }

    /// Chooses a pseudonym for each.
    pub(super) fn choose(&mut self, key: &RandomState) {
        let texts = std::mem::take(&mut self.texts);
        let mut numbers: Vec<i128> =
            texts.iter().filter_map(|text| scalar::number(self.kind, text, self.scale)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let limits = limits(self.kind, self.scale, &numbers);
        for (at, number) in numbers.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| numbers[at]);
            let after = numbers.get(at + 1).copied();
            let chosen = between(*number, before, after, limits, |room| {
                u128::from(key.hash_one((number, at))) << 64 | u128::from(key.hash_one((at, number, room)))
            });
            self.chosen.push((*number, chosen));
        }
    }

    pub(super) fn pseudonym(&self, text: &str) -> Option<String> {
        let number = scalar::number(self.kind, text, self.scale)?;
        let at = self.chosen.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(scalar::text(self.kind, self.chosen[at].1, self.scale))
    }
}

/// What a type can hold, and no other sign than the numbers have.
fn limits(kind: Kind, scale: usize, numbers: &[i128]) -> (i128, i128) {
    let (Some(&least), Some(&greatest)) = (numbers.first(), numbers.last()) else { return (0, 0) };
    // Nothing of the other sign.
    let down_to = |limit: i128| {
        if least > 0 {
            1
        } else if least == 0 {
            0
        } else {
            limit
        }
    };
    match kind {
        Kind::Uuid => (i128::MIN, i128::MAX),
        Kind::Time => (0, 86_399_999_999),
        Kind::Integer => {
            let fits = |limit: &i128| least >= -1 - limit && greatest <= *limit;
            let of_types = [i128::from(i16::MAX), i128::from(i32::MAX)];
            let limit = of_types.into_iter().find(fits).unwrap_or(i128::from(i64::MAX));
            (down_to(-1 - limit), limit)
        }
        Kind::Real => float_limits(f64::from(f32::MAX)),
        Kind::Double => float_limits(f64::MAX),
        Kind::Decimal => {
            // A column may take no more digits before the point than its values have.
            let unit = 10_i128.pow(u32::try_from(scale).unwrap_or_default());
            let widest = least.unsigned_abs().max(greatest.unsigned_abs()).cast_signed() / unit;
            let mut above = 1;
            while above <= widest {
                above *= 10;
            }
            let limit = above * unit - 1;
            (down_to(-limit), limit)
        }
        // The greatest may be the last that the type has.
        Kind::Date => (down_to(FIRST_DAY), greatest.max(LAST_DAY)),
        Kind::Timestamp | Kind::Timestamptz => (down_to(FIRST_DAY * DAY_US), greatest.max(LAST_DAY * DAY_US)),
    }
}

fn float_limits(most: f64) -> (i128, i128) {
    (i128::from((-most).to_bits().cast_signed() ^ i64::MAX), i128::from(most.to_bits()))
}

/// A number that is nearer to this one than to its neighbours, and another one if there is room. Neighbours' rooms don't overlap.
fn between(
    number: i128,
    before: Option<i128>,
    after: Option<i128>,
    limits: (i128, i128),
    random: impl Fn(u128) -> u128,
) -> i128 {
    let distance = |low: i128, high: i128| high.wrapping_sub(low).cast_unsigned();
    let below = before.map(|before| (distance(before, number) - 1) / 2);
    let above = after.map(|after| distance(number, after) / 2);
    let alone = number.unsigned_abs() / 2;
    let below = below.or(above).unwrap_or(alone).min(distance(limits.0.min(number), number));
    let above = above.or(before.map(|before| distance(before, number) / 2)).unwrap_or(alone);
    let above = above.min(distance(number, limits.1.max(number)));
    let room = below.saturating_add(above);
    if room == 0 {
        return number;
    }
    // One of the others: the room without the number itself.
    let step = random(room) % room;
    let lowest = number.wrapping_sub(below.cast_signed());
    let chosen = lowest.wrapping_add(step.cast_signed());
    if chosen >= number { chosen.wrapping_add(1) } else { chosen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_keep_the_order_and_are_others_where_there_is_room() {
        let values: Vec<i128> = vec![1, 2, 3, 10, 500, 501, 90_000, 2_000_000_000];
        for _ in 0..50 {
            let mut numbers = Numbers::new(Kind::Integer);
            values.iter().for_each(|value| numbers.add(&value.to_string()));
            numbers.choose(&RandomState::new());
            let chosen: Vec<i128> = values
                .iter()
                .map(|value| numbers.pseudonym(&value.to_string()).unwrap().parse().unwrap())
                .collect();
            assert!(chosen.is_sorted_by(|one, other| one < other), "{chosen:?}");
            assert_eq!(chosen[..2], [1, 2], "without room they stay");
            for at in [3, 6, 7] {
                assert_ne!(chosen[at], values[at], "{chosen:?}");
            }
            assert!(*chosen.last().unwrap() <= i128::from(i32::MAX), "{chosen:?}");
        }
    }

    #[test]
    fn pseudonyms_keep_within_what_the_column_takes() {
        for (kind, values) in [
            (Kind::Integer, ["-32768", "0", "32767"]),
            (Kind::Integer, ["-2147483648", "5", "2147483647"]),
            (Kind::Integer, ["-9223372036854775808", "5", "9223372036854775807"]),
            (Kind::Decimal, ["-999.99", "0.01", "900.00"]),
            (Kind::Date, ["0001-01-01", "2020-01-01", "5874897-12-31"]),
            (Kind::Timestamp, ["0001-01-01 00:00:00", "2020-01-01 00:00:00", "294276-12-31 23:59:59.999999"]),
            (Kind::Real, ["-3.4028235e38", "1", "3.4028235e38"]),
        ] {
            for _ in 0..50 {
                let mut numbers = Numbers::new(kind);
                values.iter().for_each(|value| numbers.add(value));
                numbers.choose(&RandomState::new());
                let chosen = values.map(|value| numbers.pseudonym(value).unwrap());
                let fits = match kind {
                    Kind::Integer => {
                        let bits = |text: &str| {
                            let value = text.parse::<i64>().unwrap();
                            (i16::try_from(value).is_ok(), i32::try_from(value).is_ok())
                        };
                        [0, 2].iter().all(|at| bits(&chosen[*at]) >= bits(values[*at]))
                    }
                    Kind::Real => chosen.iter().all(|text| text.parse::<f32>().unwrap().is_finite()),
                    Kind::Decimal => chosen.iter().all(|text| text.trim_start_matches('-').len() <= 6),
                    _ => {
                        !chosen[0].starts_with('-')
                            && chosen[2].len() <= values[2].len() + 7
                            && chosen[2].as_str() <= values[2]
                    }
                };
                assert!(fits, "{chosen:?}");
            }
        }
    }

    #[test]
    fn neighbours_never_meet() {
        for (low, high) in [(0, 1), (0, 2), (0, 3), (-5, 4), (i128::MIN, i128::MAX)] {
            let limits = (i128::MIN, i128::MAX);
            let upmost = between(low, None, Some(high), limits, |room| room - 1);
            let lowest = between(high, Some(low), None, limits, |_| 0);
            assert!(upmost < lowest, "{low} {high}: {upmost} {lowest}");
        }
    }

    #[test]
    fn linked_columns_are_one_set() {
        let column = |name: &str| ("public".to_owned(), "t".to_owned(), name.to_owned());
        let domains = Domains::of(&[
            (column("a"), column("b")),
            (column("c"), column("b")),
            (column("a"), column("c")),
        ]);
        assert_eq!(domains.root(&column("a")), domains.root(&column("c")));
        assert_eq!(domains.root(&column("d")), column("d"));
    }
}
