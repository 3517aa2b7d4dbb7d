//! A `statement_timeout` over a statement that may take its time.

use plimsoll_core::Severity;
use plimsoll_core::units::duration_ms;
use plimsoll_sql::effects::Cause;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "timeout-kills-concurrent-build",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("timeout_kills_concurrent_build.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let timeout = context.session.timeout_ms("statement_timeout");
    if timeout == 0 {
        return;
    }
    for hazard in context.hazards(&[Cause::ConcurrentIndex, Cause::Validate]) {
        let relation = hazard.relation();
        let (verb, left) = match hazard.effect.cause {
            Cause::Validate => ("reads", "with nothing won"),
            _ => ("builds an index on", "and an INVALID index is left behind, which costs every write"),
        };
        let message = format!(
            "this {verb} all of {}{}, which blocks nobody and may take long; after {} statement_timeout cancels it, {left}",
            context.sized(relation),
            hazard.and_others(),
            duration_ms(timeout as f64)
        );
        let local = if context.place.in_transaction() { "LOCAL " } else { "" };
        let set = format!("SET {local}statement_timeout = 0;");
        let remedy = format!("Switch it off for this statement; lock_timeout stays:\n{set}");
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        problems
            .push(problem.fix("Switch statement_timeout off before it", vec![(0..0, format!("{set}\n"))]));
    }
}
