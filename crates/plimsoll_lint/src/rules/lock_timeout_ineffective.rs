//! A `lock_timeout` that guards nothing: none, too long, or too late.

use plimsoll_core::units::{duration_ms, milliseconds};
use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::SetParameter;
use plimsoll_sql::effects::{Effect, effects};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

const PARAMETER: &str = "lock_timeout";

pub(super) const RULE: Rule = Rule {
    id: "lock-timeout-ineffective",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[
        ("pgfence", "lock-timeout-zero"),
        ("pgfence", "lock-timeout-too-long"),
        ("pgfence", "lock-timeout-after-dangerous-statement"),
    ],
    severity: Severity::Warning,
    page: include_str!("lock_timeout_ineffective.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Set(SetParameter { name, values, local }) = context.command else { return };
    let Some(value) = values.first().and_then(|value| milliseconds(value)) else { return };
    if name != PARAMETER || (*local && !context.place.in_transaction()) {
        return;
    }
    let longest = context.settings.longest_lock_timeout_ms;
    let shown = |ms: u64| duration_ms(ms as f64);
    let (message, remedy) = if value == 0 || value > longest {
        // At the end of a file it sets things back, and guards nothing that comes.
        let Some((line, lock)) = lock_ahead(context) else { return };
        let taken = format!("line {line} takes {} on {}", lock.mode.sql(), lock.relation);
        let message = match value {
            0 => format!("0 means no lock_timeout: {taken}, and may wait for it without end"),
            _ => format!(
                "a lock_timeout of {} is as good as none: {taken}, and everybody may queue behind it for so long",
                shown(value)
            ),
        };
        (
            message,
            format!("Give up within {} at most, and try again:\nSET lock_timeout = '2s';", shown(longest)),
        )
    } else {
        let Some(statement) = context.session.unguarded_statement() else { return };
        if !context.session.waits_forever() {
            return;
        }
        let line = context.line_of_statement(statement);
        let message =
            format!("this lock_timeout comes too late: line {line} has taken a strong lock without one");
        (message, format!("Set it before line {line}."))
    };
    problems.push(Problem::new(message, remedy, Claim::Nothing));
}

/// The first strong lock that is taken under this setting, with its line: the schema is replayed
/// ahead for that, which is rare.
fn lock_ahead(context: &Context) -> Option<(usize, Effect)> {
    let mut schema = context.schema.clone();
    for (at, statement) in context.migration.statements.iter().enumerate().skip(context.index + 1) {
        for command in statement.commands() {
            match command {
                Command::Set(set) if set.name == PARAMETER => return None,
                Command::Reset { name } if name.as_deref().is_none_or(|name| name == PARAMETER) => {
                    return None;
                }
                _ => {}
            }
            let strong = |effect: &Effect| effect.mode >= LockMode::ShareRowExclusive;
            if let Some(effect) = effects(command, &schema, context.environment()).into_iter().find(strong) {
                return Some((context.line_of_statement(at), effect));
            }
            schema.apply(command);
        }
    }
    None
}
