//! Changed options of a view.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::command::{ActionKind, ObjectKind};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-view-options",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-view-options")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_view_options.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some((alter, view)) = context.altered() else { return };
    if !matches!(alter.kind, ObjectKind::View | ObjectKind::MaterializedView)
        || !alter
            .actions
            .iter()
            .any(|action| matches!(action.kind, ActionKind::Other(_) | ActionKind::ViewOptions { .. }))
    {
        return;
    }
    let words = context.words();
    if ![" set (", " set(", " reset (", " reset("].iter().any(|clause| words.contains(clause)) {
        return;
    }
    let claim = match alter.kind {
        ObjectKind::View => view.brief_claim(LockMode::AccessExclusive),
        _ => Claim::Nothing,
    };
    problems.push(Problem::new(
        format!("running code that reads {} is checked by other rights, or sees other rows, from this moment on", view.name),
        format!("Make a second view with the new options, deploy code that reads that, then drop this one:\nCREATE VIEW … WITH (…) AS TABLE {};", view.sql),
        claim,
    ));
}
