//! A key that runs out of 16-bit numbers.

use plimsoll_core::Severity;

use super::key_width;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "prefer-bigint-over-smallint",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[
        ("squawk", "prefer-bigint-over-smallint"),
        ("postgres-language-server", "preferBigintOverSmallint"),
        ("pgfence", "prefer-bigint-over-int"),
        ("pgsafe", "prefer-bigint-primary-key"),
    ],
    severity: Severity::Note,
    page: include_str!("prefer_bigint_over_smallint.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    key_width::check(context, problems, "smallint", "32,767");
}
