//! An UPDATE of all rows.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::ModifyKind;

use crate::context::{Context, Problem};
use crate::precedence::ALL_ROWS;
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-update-without-where",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("postgres-language-server", "banUpdateWithoutWhere")],
    severity: Severity::Warning,
    page: include_str!("ban_update_without_where.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Modify(modify) = context.command else { return };
    if modify.kind != ModifyKind::Update || modify.bounded {
        return;
    }
    let Some(table) = context.existing(&modify.table) else { return };
    let problem = Problem::new(
        format!("this writes every row of {}", table.name),
        format!("Say which rows are meant, and take them in batches:\nUPDATE {} SET … WHERE …;", table.sql),
        table.brief_claim(LockMode::RowExclusive),
    );
    problems.push(Problem { subject: Some(ALL_ROWS.to_owned()), ..problem });
}
