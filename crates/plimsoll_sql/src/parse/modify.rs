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
        .filter_map(|literal| expression::text_value(&literal))
        .take(100)
        .collect();
    let reads = names::relations_read(statement.syntax());
    let clause = match statement {
        Stmt::Update(node) => node.where_clause_or_current_of(),
        Stmt::Delete(node) => node.where_clause_or_current_of(),
        _ => None,
    };
    let sought = clause.as_ref().map(sought).unwrap_or_default();
    let written_twice = written_twice(statement);
    Some(Command::Modify(Modify { table, kind, bounded, sought, reads, strings, written_twice }))
}

/// The first column that a list of columns to write names twice. A part of a column, such as
/// `a[1]`, may be written beside other parts of it.
fn written_twice(statement: &Stmt) -> Option<String> {
    let inserted = match statement {
        Stmt::Insert(node) => node.column_target_list(),
        _ => None,
    };
    let set = match statement {
        Stmt::Update(node) => node.set_clause(),
        Stmt::Insert(node) => node.on_conflict_clause().and_then(|clause| {
            clause.syntax().descendants().find_map(ast::ConflictDoUpdateSet::cast)?.set_clause()
        }),
        _ => None,
    };
    let set_columns = set.and_then(|set| set.set_column_list()).map(|list| {
        let targets = |column: ast::SetColumn| match column {
            ast::SetColumn::SetSingleColumn(node) => node.column_target().into_iter().collect(),
            ast::SetColumn::SetMultipleColumns(node) => {
                node.column_target_list().map(|list| list.column_targets().collect()).unwrap_or_default()
            }
        };
        list.set_columns().flat_map(|column| -> Vec<ast::ColumnTarget> { targets(column) }).collect()
    });
    let inserted = inserted.map(|list| list.column_targets().collect::<Vec<_>>());
    [inserted, set_columns].into_iter().flatten().find_map(|targets: Vec<ast::ColumnTarget>| {
        let whole = targets.iter().filter(|target| target.accessors().next().is_none());
        named_twice(whole.filter_map(|target| Some(names::folded(target.name()?.syntax()))).collect())
    })
}

/// Columns by which a WHERE picks rows.
fn sought(clause: &ast::WhereClauseOrCurrentOf) -> Vec<String> {
    match clause {
        ast::WhereClauseOrCurrentOf::WhereCurrentOf(_) => Vec::new(),
        ast::WhereClauseOrCurrentOf::WhereClause(clause) => {
            clause.expr().map(|condition| expression::sought(&condition)).unwrap_or_default()
        }
    }
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

/// The first name that a list holds twice.
pub(super) fn named_twice(mut names: Vec<String>) -> Option<String> {
    names.sort();
    let twice = names.windows(2).position(|pair| pair[0] == pair[1])?;
    Some(names.swap_remove(twice))
}
