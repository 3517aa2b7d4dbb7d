//! A function with another volatility.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ObjectChange, ObjectKind, Verb, Volatility};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "function-volatility-change",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("function_volatility_change.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let (name, new) = match context.command {
        Command::CreateFunction(function) if function.or_replace && !function.procedure => {
            (&function.name, function.volatility)
        }
        Command::Object(ObjectChange {
            verb: Verb::Alter,
            kind: ObjectKind::Function,
            name: Some(name),
            words,
            ..
        }) => {
            let said = words.split(' ').find_map(|word| WORDS.iter().find(|(known, _)| *known == word));
            let Some((_, volatility)) = said else { return };
            (name, *volatility)
        }
        _ => return,
    };
    let Some(known) = context.schema.function(name).filter(|known| known.volatility != new) else { return };
    if context.schema.is_new_function(name) {
        return;
    }
    let (from, to) = (word(known.volatility), word(new));
    let what = match new < known.volatility {
        true => "results may be kept where they were computed anew, and an index on it must never be wrong",
        false => "plans may no longer use an index for it, and a generated column or index on it is refused",
    };
    problems.push(Problem::new(
        format!("{name} turns from {from} to {to}: {what}"),
        format!("Make a second function that is {to}, deploy code that calls it, then drop {name}."),
        Claim::Nothing,
    ));
}

const WORDS: [(&str, Volatility); 3] = [
    ("immutable", Volatility::Immutable),
    ("stable", Volatility::Stable),
    ("volatile", Volatility::Volatile),
];

fn word(volatility: Volatility) -> &'static str {
    WORDS.iter().find(|(_, known)| *known == volatility).map_or("", |(word, _)| word)
}
