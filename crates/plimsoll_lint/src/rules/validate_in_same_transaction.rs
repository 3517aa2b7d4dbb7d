//! `VALIDATE CONSTRAINT` while the transaction holds a strong lock on the table.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::effects::{Cause, Effect};
use plimsoll_sql::schema::ResolvedName;

use crate::context::{Context, Problem, kept_out_by};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "validate-in-same-transaction",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "constraint-missing-not-valid"),
        ("strong_migrations", "validate_foreign_key"),
        ("strong_migrations", "validate_check_constraint"),
        ("online_migrations", "validate_constraint"),
        ("postgres-language-server", "requireSeparateConstraintValidation"),
        ("pgfence", "not-valid-validate-same-tx"),
    ],
    severity: Severity::Error,
    page: include_str!("validate_in_same_transaction.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::Validate]) {
        let relation = hazard.relation();
        let Some((mode, since)) = strong_lock(context, relation) else { continue };
        let message = format!(
            "validating reads all of {}{} while {}: {since} took {} on it, and the transaction still holds that",
            context.sized(relation),
            hazard.and_others(),
            kept_out_by(mode),
            mode.sql(),
        );
        let remedy = format!(
            "Validate {}, once the lock is let go:\n{};",
            context.elsewhere(),
            context
                .action_of(&hazard)
                .and_then(|action| context.text(&action.range))
                .map_or_else(|| context.sql().to_owned(), |action| alone(context, action))
        );
        let claim = Claim::Lock { relation: relation.to_string(), mode, work: hazard.effect.work };
        problems.push(Problem::new(message, remedy, claim).of(&hazard));
    }
}

/// The strong lock on a relation under which this statement runs, and what took it.
fn strong_lock(context: &Context, relation: &ResolvedName) -> Option<(LockMode, String)> {
    let strong = |mode: LockMode| mode >= LockMode::ShareRowExclusive;
    let own = |effect: &&Effect| effect.relation == *relation && strong(effect.mode);
    if let Some(held) = context.session.held_on(relation).filter(|held| strong(held.mode)) {
        let since = match held.statement == context.index {
            true => "an earlier part of this statement".to_owned(),
            false => format!("line {}", context.line_of_statement(held.statement)),
        };
        return Some((held.mode, since));
    }
    let effect = context.effects.iter().filter(own).max_by_key(|effect| effect.mode)?;
    Some((effect.mode, "another action of this statement".to_owned()))
}

/// The validation as a statement of its own.
fn alone(context: &Context, action: &str) -> String {
    match context.command {
        plimsoll_sql::Command::AlterTable(alter) => {
            format!("ALTER TABLE {} {action}", plimsoll_sql::name::quote_name(&alter.name))
        }
        _ => context.sql().to_owned(),
    }
}
