//! A view or function that is replaced under running code.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-replace-view-function",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-replace-view-function")],
    severity: Severity::Warning,
    page: include_str!("ban_replace_view_function.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let (name, claim) = match context.command {
        Command::CreateView(view) if view.or_replace => {
            let Some(existing) = context.existing(&view.name).filter(|existing| existing.relation.is_some())
            else {
                return;
            };
            (existing.name.clone(), existing.brief_claim(LockMode::AccessExclusive))
        }
        Command::CreateFunction(function) if function.or_replace => {
            let known = context.schema.function(&function.name).is_some()
                && !context.schema.is_new_function(&function.name);
            if !known {
                return;
            }
            (function.name.to_string(), Claim::Nothing)
        }
        _ => return,
    };
    problems.push(Problem::new(
        format!("running code gets what the new {name} does from this moment on"),
        format!("Where old code can't bear it, make a second one under another name, deploy code that uses that, then drop {name}."),
        claim,
    ));
}
