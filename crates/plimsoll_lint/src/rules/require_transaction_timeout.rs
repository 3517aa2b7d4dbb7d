//! A strong lock without a `transaction_timeout`.

use plimsoll_core::Severity;

use super::missing_timeout;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-transaction-timeout",
    group: Group::Transactions,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("require_transaction_timeout.md"),
    check,
};

/// The first version that has the parameter.
const FIRST: u32 = 17;

fn check(context: &Context, problems: &mut Vec<Problem>) {
    if !context.environment().is_at_least(FIRST) {
        return;
    }
    missing_timeout::check(
        &missing_timeout::Missing {
            rule: "require-transaction-timeout",
            parameter: "transaction_timeout",
            value: "5min",
            otherwise: "the transaction may hold it for any time, whatever its statements and pauses take",
        },
        context,
        problems,
    );
}
