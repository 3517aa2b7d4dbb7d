//! Which functions are volatile, so that PostgreSQL must call them once for each row.
//!
//! The list beside this file was read from `pg_proc.provolatile` of servers 15 and 18.

use std::sync::LazyLock;

use crate::command::DefaultExpression;
use crate::name::ObjectName;
use crate::schema::Schema;

/// Sorted: looked up by halving.
static NONVOLATILE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    include_str!("nonvolatile_functions.txt").lines().filter(|line| !line.starts_with('#')).collect()
});

/// The first volatile function that a default calls. A function that neither PostgreSQL nor the
/// schema knows counts as volatile, as it is unless its definition says otherwise.
#[must_use]
pub fn volatile_call<'a>(default: &'a DefaultExpression, schema: &Schema) -> Option<&'a ObjectName> {
    default.calls.iter().find(|name| is_volatile(name, schema))
}

fn is_volatile(name: &ObjectName, schema: &Schema) -> bool {
    if let Some(volatile) = schema.function_is_volatile(name) {
        return volatile;
    }
    let builtin = name.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
    !(builtin && NONVOLATILE.binary_search(&name.name.as_str()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volatile(name: &str) -> bool {
        is_volatile(&ObjectName::unqualified(name), &Schema::default())
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(NONVOLATILE.is_sorted());
    }

    #[test]
    fn builtins_are_known() {
        assert!(!volatile("now") && !volatile("upper") && !volatile("date_trunc"));
        assert!(volatile("random") && volatile("gen_random_uuid") && volatile("clock_timestamp"));
        assert!(volatile("nextval"));
    }

    #[test]
    fn unknown_functions_count_as_volatile() {
        assert!(volatile("next_berth_number"));
        assert!(is_volatile(&ObjectName::qualified("app", "now"), &Schema::default()));
    }
}
