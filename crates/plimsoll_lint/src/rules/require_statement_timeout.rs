//! A strong lock without a `statement_timeout`.

use plimsoll_core::Severity;

use super::missing_timeout;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-statement-timeout",
    group: Group::Transactions,
    on_by_default: false,
    other_tools: &[
        ("squawk", "require-statement-timeout"),
        ("squawk", "require-timeout-settings"),
        ("postgres-language-server", "requireStatementTimeout"),
        ("pgfence", "missing-statement-timeout"),
    ],
    severity: Severity::Warning,
    page: include_str!("require_statement_timeout.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    missing_timeout::check(
        &missing_timeout::Missing {
            rule: "require-statement-timeout",
            parameter: "statement_timeout",
            value: "1min",
            otherwise: "whatever it does under the lock may take any time",
        },
        context,
        problems,
    );
}
