//! `INSERT`, `UPDATE`, `DELETE`, `MERGE`: what is written, and whether the rows are named.

use squawk_syntax::ast::{self, AstNode, Stmt};

use super::{expression, names};
use crate::command::{Command, Modify, ModifyKind};

pub(super) fn modify(statement: &Stmt) -> Option<Command> {
    let (table, kind, bounded) = match statement {
        Stmt::Insert(node) => {
            let table = names::of_ref(node.relation_name_ref()?.path_ref()?);
            let selects = matches!(
                node.insert_source(),
                Some(ast::InsertSource::SelectVariant(
                    ast::SelectVariant::Select(_)
                        | ast::SelectVariant::CompoundSelect(_)
                        | ast::SelectVariant::ParenSelect(_)
                        | ast::SelectVariant::Table(_)
                ))
            );
            // A SELECT without FROM makes one row.
            let reads = !names::relations_read(node.syntax()).is_empty();
            match selects && reads {
                true => (table, ModifyKind::InsertSelect, false),
                false => (table, ModifyKind::InsertValues, true),
            }
        }
        Stmt::Update(node) => (
            names::all_below(&node.relation_name()?).pop()?,
            ModifyKind::Update,
            node.where_clause_or_current_of().is_some_and(|clause| names_rows(&clause)),
        ),
        Stmt::Delete(node) => (
            names::all_below(&node.relation_name()?).pop()?,
            ModifyKind::Delete,
            node.where_clause_or_current_of().is_some_and(|clause| names_rows(&clause)),
        ),
        Stmt::Merge(node) => {
            (names::all_below(&node.table_relation_name()?).pop()?, ModifyKind::Merge, false)
        }
        _ => return None,
    };
    let strings = statement
        .syntax()
        .descendants()
        .filter_map(ast::Literal::cast)
        // The string value of a number, TRUE or FALSE is empty.
        .filter(|literal| ['\'', '$'].iter().any(|quote| literal.syntax().text().contains_char(*quote)))
        .filter_map(|literal| literal.string_value())
        .take(100)
        .collect();
    let reads = names::relations_read(statement.syntax());
    Some(Command::Modify(Modify { table, kind, bounded, reads, strings }))
}

/// Whether a WHERE can leave a row out: not where it compares constants only (`true`, `1 = 1`).
fn names_rows(clause: &ast::WhereClauseOrCurrentOf) -> bool {
    match clause {
        ast::WhereClauseOrCurrentOf::WhereCurrentOf(_) => true,
        ast::WhereClauseOrCurrentOf::WhereClause(clause) => clause.expr().is_some_and(|condition| {
            let syntax = condition.syntax();
            let subquery = syntax.descendants().any(|node| ast::Select::can_cast(node.kind()));
            subquery || !expression::names(syntax).is_empty() || !expression::calls(syntax).is_empty()
        }),
    }
}
