//! Triggers that are switched off.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::name::{quote_identifier, quote_name};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "trigger-disabled-left",
    other_tools: &[],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("trigger_disabled_left.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        for trigger in table.triggers.iter().filter(|trigger| trigger.disabled) {
            problems.push(SchemaProblem::new(
                Subject::Trigger(name.clone(), trigger.name.clone()),
                format!(
                    "the trigger {} of {name} is switched off, and what it keeps true isn't kept",
                    trigger.name
                ),
                format!(
                    "ALTER TABLE {0} ENABLE TRIGGER {1};\nor DROP TRIGGER {1} ON {0}; if nobody needs it.",
                    quote_name(name),
                    quote_identifier(&trigger.name)
                ),
            ));
        }
    }
}
