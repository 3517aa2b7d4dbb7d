//! A dropped schema whose objects running code may still name.

use plimsoll_core::Severity;
use plimsoll_sql::command::ObjectKind;
use plimsoll_sql::name::quote_identifier;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-schema",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[
        ("squawk", "ban-drop-schema"),
        ("postgres-language-server", "banDropSchema"),
        ("pgfence", "drop-schema"),
    ],
    severity: Severity::Warning,
    page: include_str!("ban_drop_schema.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    dropped::each(context, problems, &[ObjectKind::Schema], |name| {
        let message =
            format!("code that still names anything in the schema {name} fails from this moment on");
        let remedy = format!(
            "Move what is still needed (ALTER TABLE {0}.… SET SCHEMA …), deploy code that no longer names the schema, and take \
             the right to use it away first, which can be undone:\nREVOKE USAGE ON SCHEMA {0} FROM PUBLIC;",
            quote_identifier(&name.name)
        );
        Some((message, remedy))
    });
}
