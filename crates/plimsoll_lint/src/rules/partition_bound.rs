//! A partition's bound as a condition that a CHECK can prove.

use plimsoll_sql::command::PartitionBound;
use plimsoll_sql::name::quote_identifier;

/// The condition that every row of the partition meets: `day IS NOT NULL AND day >= '2026-01-01'`.
/// None where no check of one line proves it: several keys, expressions, hashes, defaults.
pub(crate) fn within(keys: &[String], bound: &PartitionBound) -> Option<String> {
    let [key] = keys else { return None };
    let key = column(key)?;
    let mut parts = vec![format!("{key} IS NOT NULL")];
    match bound {
        PartitionBound::Range { from, to } => {
            let (from, to) = (from.first()?, to.first()?);
            if from != "minvalue" {
                parts.push(format!("{key} >= {}", literal(from)));
            }
            if to != "maxvalue" {
                parts.push(format!("{key} < {}", literal(to)));
            }
        }
        PartitionBound::List(values) if !values.iter().any(|value| value.eq_ignore_ascii_case("null")) => {
            let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
            parts.push(format!("{key} IN ({})", values.join(", ")));
        }
        _ => return None,
    }
    Some(parts.join(" AND "))
}

/// The condition that no row of the partition meets.
pub(super) fn outside(keys: &[String], bound: &PartitionBound) -> Option<String> {
    let [key] = keys else { return None };
    let key = column(key)?;
    match bound {
        PartitionBound::Range { from, to } => {
            let (from, to) = (from.first()?, to.first()?);
            let below = (from != "minvalue").then(|| format!("{key} < {}", literal(from)));
            let above = (to != "maxvalue").then(|| format!("{key} >= {}", literal(to)));
            let parts: Vec<String> = below.into_iter().chain(above).collect();
            (!parts.is_empty()).then(|| parts.join(" OR "))
        }
        PartitionBound::List(values) if !values.iter().any(|value| value.eq_ignore_ascii_case("null")) => {
            let parts: Vec<String> =
                values.iter().map(|value| format!("{key} <> {}", literal(value))).collect();
            Some(parts.join(" AND "))
        }
        _ => None,
    }
}

/// The key as SQL writes it, if it is a column.
fn column(key: &str) -> Option<String> {
    key.chars().all(|c| c.is_alphanumeric() || "_$ ".contains(c)).then(|| quote_identifier(key))
}

/// A constant as SQL writes it: quotes within a string are doubled again.
fn literal(value: &str) -> String {
    match value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')) {
        Some(text) => format!("'{}'", text.replace('\'', "''")),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_said_in_their_own_values() {
        let keys = ["day".to_owned()];
        let range = PartitionBound::Range { from: vec!["'2026-01-01'".into()], to: vec!["maxvalue".into()] };
        assert_eq!(within(&keys, &range).unwrap(), "day IS NOT NULL AND day >= '2026-01-01'");
        assert_eq!(outside(&keys, &range).unwrap(), "day < '2026-01-01'");
        let list = PartitionBound::List(vec!["'it's'".into(), "2".into()]);
        assert_eq!(within(&keys, &list).unwrap(), "day IS NOT NULL AND day IN ('it''s', 2)");
        assert_eq!(outside(&keys, &list).unwrap(), "day <> 'it''s' AND day <> 2");
        assert_eq!(within(&keys, &PartitionBound::Hash), None);
        assert_eq!(within(&["lower(port)".into()], &list), None);
    }
}
