//! A key that runs out of 32-bit numbers.

use plimsoll_core::Severity;

use super::key_width;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "prefer-bigint-over-int",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[
        ("squawk", "prefer-bigint-over-int"),
        ("postgres-language-server", "preferBigintOverInt"),
        ("pgfence", "prefer-bigint-over-int"),
        ("pgsafe", "prefer-bigint-primary-key"),
        ("online_migrations", "short_primary_key_type"),
    ],
    severity: Severity::Note,
    page: include_str!("prefer_bigint_over_int.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    key_width::check(context, problems, "integer", "2,147,483,647");
}
