//! Which functions are volatile, so that PostgreSQL must call them once for each row.
//!
//! The list beside this file was read from `pg_proc.provolatile` of servers 15 and 18, and compared
//! with 14, 16 and 17: the versions agree on each function that they share, but for one overload.

use std::sync::LazyLock;

use crate::command::{Expression, Volatility};
use crate::name::ObjectName;
use crate::schema::Schema;

/// Sorted: looked up by halving.
static NONVOLATILE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    include_str!("nonvolatile_functions.txt").lines().filter(|line| !line.starts_with('#')).collect()
});

/// The first volatile function that an expression calls. A function that neither PostgreSQL nor
/// the schema knows counts as volatile, as it is unless its definition says otherwise.
#[must_use]
pub fn volatile_call<'a>(expression: &'a Expression, schema: &Schema) -> Option<&'a ObjectName> {
    expression.calls.iter().find(|name| is_volatile(name, schema, INLINING_DEPTH))
}

/// Functions within functions up to which inlining is followed.
const INLINING_DEPTH: usize = 8;

fn is_volatile(name: &ObjectName, schema: &Schema, depth: usize) -> bool {
    if let Some(function) = schema.function(name) {
        return match &function.inlines_to {
            // PostgreSQL puts the body in the place of the call before it looks at volatility.
            Some(calls) if function.volatility == Volatility::Volatile && depth > 0 => {
                calls.iter().any(|called| is_volatile(called, schema, depth - 1))
            }
            _ => function.volatility == Volatility::Volatile,
        };
    }
    let builtin = name.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
    !(builtin && NONVOLATILE.binary_search(&name.name.as_str()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volatile(name: &str) -> bool {
        is_volatile(&ObjectName::unqualified(name), &Schema::default(), 8)
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(NONVOLATILE.is_sorted());
    }

    #[test]
    fn builtins_are_known() {
        assert!(!volatile("now") && !volatile("upper") && !volatile("date_trunc"));
        assert!(!volatile("count") && !volatile("string_agg") && !volatile("row_number"));
        assert!(volatile("random") && volatile("gen_random_uuid") && volatile("clock_timestamp"));
        assert!(volatile("nextval"));
    }

    #[test]
    fn unknown_functions_count_as_volatile() {
        assert!(volatile("next_berth_number"));
        assert!(is_volatile(&ObjectName::qualified("app", "now"), &Schema::default(), 8));
    }
}
