//! `CLUSTER`: a rewrite.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use super::repack;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-cluster",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "prefer-repack"), ("pgfence", "cluster"), ("pgsafe", "vacuum-full-cluster")],
    severity: Severity::Error,
    page: include_str!("ban_cluster.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::Cluster]) {
        let relation = hazard.relation();
        let message = format!(
            "CLUSTER rewrites all of {}{} and the indexes while {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        problems.push(Problem::new(message, repack::remedy(context, relation), hazard.claim()));
    }
}
