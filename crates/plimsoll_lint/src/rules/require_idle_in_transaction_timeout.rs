//! A strong lock in a transaction that may be left idle.

use plimsoll_core::Severity;
use plimsoll_sql::transaction::Block;

use super::missing_timeout;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-idle-in-transaction-timeout",
    group: Group::Transactions,
    on_by_default: false,
    other_tools: &[
        ("postgres-language-server", "requireIdleInTransactionTimeout"),
        ("pgfence", "missing-idle-timeout"),
    ],
    severity: Severity::Warning,
    page: include_str!("require_idle_in_transaction_timeout.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    // Outside a transaction block no session is ever idle in one.
    if matches!(context.place.block, Block::None | Block::Batch) {
        return;
    }
    missing_timeout::check(
        &missing_timeout::Missing {
            rule: "require-idle-in-transaction-timeout",
            parameter: "idle_in_transaction_session_timeout",
            value: "1min",
            otherwise: "if the client hangs before the commit, the lock stays",
        },
        context,
        problems,
    );
}
