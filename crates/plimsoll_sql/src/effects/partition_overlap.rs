//! Whether two partitions of a table take the same rows, which PostgreSQL refuses.
//!
//! Says no where the text of the bounds can't decide it. Source: `check_new_partition_bound`.

use std::cmp::Ordering;

use super::partition::order;
use crate::command::PartitionBound;

/// Whether two bounds of one partitioned table surely overlap.
#[must_use]
pub fn bounds_overlap(one: &PartitionBound, other: &PartitionBound) -> bool {
    match (one, other) {
        (PartitionBound::Default, PartitionBound::Default) => true,
        (PartitionBound::List(one), PartitionBound::List(other)) => {
            let plain = |value: &String| match value.eq_ignore_ascii_case("null") {
                true => "null".to_owned(),
                false => value.clone(),
            };
            one.iter().any(|value| other.iter().any(|known| plain(value) == plain(known)))
        }
        (PartitionBound::Range { from, to }, PartitionBound::Range { from: other_from, to: other_to }) => {
            below(from, other_to) && below(other_from, to)
        }
        _ => false,
    }
}

/// Whether a range's lower bound surely isn't below its upper bound.
#[must_use]
pub fn is_empty_range(bound: &PartitionBound) -> bool {
    match bound {
        PartitionBound::Range { from, to } => {
            matches!(compare(from, to), Some(Ordering::Equal | Ordering::Greater))
        }
        _ => false,
    }
}

fn below(lower: &[String], upper: &[String]) -> bool {
    compare(lower, upper) == Some(Ordering::Less)
}

/// How two range bounds compare, key by key; none where a key can't be decided.
fn compare(left: &[String], right: &[String]) -> Option<Ordering> {
    for (left, right) in left.iter().zip(right) {
        match value_order(left, right)? {
            Ordering::Equal if is_infinite(left) => return Some(Ordering::Equal),
            Ordering::Equal => {}
            decided => return Some(decided),
        }
    }
    (left.len() == right.len()).then_some(Ordering::Equal)
}

fn is_infinite(value: &str) -> bool {
    value == "minvalue" || value == "maxvalue"
}

fn value_order(left: &str, right: &str) -> Option<Ordering> {
    match (left, right) {
        ("minvalue", "minvalue") | ("maxvalue", "maxvalue") => Some(Ordering::Equal),
        ("minvalue", _) | (_, "maxvalue") => Some(Ordering::Less),
        ("maxvalue", _) | (_, "minvalue") => Some(Ordering::Greater),
        _ => order(left, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_as_written() {
        let read = |sql: &str| {
            let statement = crate::parse::parse_script(sql).0.remove(0);
            let Some(crate::command::Command::CreateTable(table)) = statement.command() else {
                panic!("{sql}")
            };
            table.bound.clone().unwrap()
        };
        let numbers =
            read("create table a partition of b for values from (0, -1, 'x') to (1000, 2.5, maxvalue)");
        assert_eq!(numbers, range(&["0", "-1", "'x'"], &["1000", "2.5", "maxvalue"]));
        assert!(!is_empty_range(&numbers));
        let listed =
            read("create table a partition of b for values in (1, true, null, e'x', date '2026-01-01')");
        assert_eq!(listed, list(&["1", "true", "null", "'x'", "'2026-01-01'"]));
    }

    fn range(from: &[&str], to: &[&str]) -> PartitionBound {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        PartitionBound::Range { from: owned(from), to: owned(to) }
    }

    fn list(values: &[&str]) -> PartitionBound {
        PartitionBound::List(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn ranges_overlap_where_each_begins_before_the_other_ends() {
        let january = range(&["'2026-01-01'"], &["'2026-02-01'"]);
        let february = range(&["'2026-02-01'"], &["'2026-03-01'"]);
        assert!(!bounds_overlap(&january, &february));
        assert!(bounds_overlap(&january, &range(&["'2026-01-31'"], &["maxvalue"])));
        assert!(bounds_overlap(&range(&["minvalue"], &["10"]), &range(&["9"], &["20"])));
        assert!(!bounds_overlap(&range(&["now()"], &["10"]), &range(&["9"], &["20"])));
        assert!(bounds_overlap(&range(&["1", "1"], &["1", "9"]), &range(&["1", "5"], &["2", "0"])));
        assert!(!bounds_overlap(&range(&["1", "1"], &["1", "5"]), &range(&["1", "5"], &["2", "0"])));
    }

    #[test]
    fn lists_overlap_in_a_value() {
        assert!(bounds_overlap(&list(&["'a'", "'b'"]), &list(&["'b'"])));
        assert!(bounds_overlap(&list(&["null"]), &list(&["NULL"])));
        assert!(!bounds_overlap(&list(&["'a'"]), &list(&["'b'"])));
        assert!(bounds_overlap(&PartitionBound::Default, &PartitionBound::Default));
    }

    #[test]
    fn only_what_the_texts_decide_is_compared() {
        let empty = |from: &str, to: &str| is_empty_range(&range(&[from], &[to]));
        assert!(!empty("9007199254740992", "9007199254740993"));
        assert!(empty("9007199254740993", "9007199254740993"));
        assert!(!empty("'2026-01-01 00:00+02'", "'2026-01-01 00:00+00'"));
        assert!(empty("'2026-01-02 00:00+02'", "'2026-01-01 00:00+02'"));
        assert!(!empty("'2026-01-01 00:00+02'", "'2026-01-01'"));
    }

    #[test]
    fn a_range_must_not_end_where_it_begins() {
        assert!(is_empty_range(&range(&["5"], &["5"])) && is_empty_range(&range(&["6"], &["5"])));
        assert!(!is_empty_range(&range(&["5"], &["6"])));
    }
}
