//! What defaults, checks and conversions need to know of an expression.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, BinOp};

use super::{range_of, words};
use crate::command::{Comparison, Expression, SetParameter, UsingExpression};
use crate::name::ObjectName;

/// An expression's text, calls and names.
pub(super) fn expression(node: &ast::Expr) -> Expression {
    let text = node.syntax().text().to_string();
    let null = is_null(node);
    Expression {
        null,
        range: range_of(node),
        calls: calls(node.syntax()),
        columns: names(node.syntax()),
        text,
    }
}

/// Whether it is NULL, or a cast of it.
fn is_null(node: &ast::Expr) -> bool {
    match node {
        ast::Expr::Literal(literal) => literal.syntax().text().to_string().eq_ignore_ascii_case("null"),
        ast::Expr::CastExpr(cast) => match (cast.expr(), cast.literal()) {
            (Some(inner), _) => is_null(&inner),
            (None, Some(literal)) => literal.syntax().text().to_string().eq_ignore_ascii_case("null"),
            _ => false,
        },
        ast::Expr::ParenExpr(paren) => paren.expr().is_some_and(|inner| is_null(&inner)),
        _ => false,
    }
}

/// Functions called at or below a node.
pub(super) fn calls(node: &SyntaxNode) -> Vec<ObjectName> {
    node.descendants()
        .filter_map(ast::CallExpr::cast)
        .filter_map(|call| call.syntax().children().find_map(ast::Expr::cast))
        .filter_map(|function| function_name(&function))
        .collect()
}

/// Plain names at or below a node, without those of functions: most of them columns.
pub(super) fn names(node: &SyntaxNode) -> Vec<String> {
    let mut names: Vec<String> = node
        .descendants()
        .filter(|node| ast::NameRef::can_cast(node.kind()))
        .filter(|node| !node.parent().is_some_and(|parent| ast::CallExpr::can_cast(parent.kind())))
        .map(|node| super::names::folded(&node))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The function's name in `f(…)` or `schema.f(…)`.
fn function_name(function: &ast::Expr) -> Option<ObjectName> {
    match function {
        ast::Expr::NameRef(name) => Some(ObjectName::unqualified(super::names::folded(name.syntax()))),
        ast::Expr::FieldExpr(_) => {
            let text = function.syntax().text().to_string();
            let (schema, name) = text.rsplit_once('.')?;
            Some(ObjectName::qualified(fold_identifier(schema.trim()), fold_identifier(name.trim())))
        }
        _ => None,
    }
}

/// The parts of a condition that must all hold.
fn conjuncts(condition: &ast::Expr) -> Vec<ast::Expr> {
    let mut found = Vec::new();
    let mut open = vec![condition.clone()];
    while let Some(node) = open.pop() {
        match &node {
            ast::Expr::ParenExpr(paren) if paren.expr().is_some() => open.extend(paren.expr()),
            ast::Expr::BinExpr(both) if matches!(both.op(), Some(BinOp::And(_))) => {
                open.extend(both.lhs());
                open.extend(both.rhs());
            }
            _ => found.push(node),
        }
    }
    found
}

/// Columns that a CHECK proves to hold no null: `c IS NOT NULL`, alone or joined by AND.
///
/// PostgreSQL's `NotNullImpliedByRelConstraints` proves more (`c > 0` for strict operators);
/// that is the same rule to it as implication by any strict clause.
pub(super) fn proves_not_null(condition: &ast::Expr) -> Vec<String> {
    let mut columns: Vec<String> = conjuncts(condition)
        .iter()
        .filter_map(|part| {
            let tested = match part {
                ast::Expr::BinExpr(test) if matches!(test.op(), Some(BinOp::IsNot(_))) => {
                    test.rhs().filter(is_null).and(test.lhs())?
                }
                ast::Expr::PostfixExpr(test) => {
                    let words = words(test);
                    let tested = test.expr()?;
                    (words.ends_with(" is not null") || words.ends_with(" notnull")).then_some(tested)?
                }
                _ => return None,
            };
            column(&tested)
        })
        .collect();
    columns.reverse();
    columns
}

/// The comparisons of a column with a constant among the parts that must all hold.
pub(super) fn comparisons(condition: &ast::Expr) -> Vec<Comparison> {
    conjuncts(condition).iter().filter_map(comparison).collect()
}

/// Columns that a condition holds against values: `c = 1`, `t.c IN (1, 2)`, `c IS NULL`, alone or joined by AND. An index
/// that begins with one finds the rows. Ranges count where both ends are there: without statistics the planner takes one
/// end for a third of the table.
pub(super) fn sought(condition: &ast::Expr) -> Vec<String> {
    let mut columns: Vec<String> = conjuncts(condition)
        .iter()
        .filter_map(|part| {
            let words = words(part);
            if words.ends_with(" is null") || words.ends_with(" isnull") {
                let tested = match part {
                    ast::Expr::BinExpr(test) => test.lhs()?,
                    ast::Expr::PostfixExpr(test) => test.expr()?,
                    _ => return None,
                };
                return column_of(&tested);
            }
            let ast::Expr::BinExpr(both) = part else { return None };
            if !matches!(both.op()?, BinOp::Eq(_) | BinOp::In(_)) {
                return bounded_column(both, condition);
            }
            let (left, right) = (both.lhs()?, both.rhs()?);
            let is_value = |node: &ast::Expr| {
                names(node.syntax()).is_empty()
                    && !node.syntax().descendants().any(|node| ast::Select::can_cast(node.kind()))
            };
            column_of(&left)
                .filter(|_| is_value(&right))
                .or_else(|| column_of(&right).filter(|_| is_value(&left)))
        })
        .collect();
    columns.sort();
    columns.dedup();
    columns
}

/// The column that one comparison bounds below, if another one bounds it above.
fn bounded_column(comparison: &ast::BinExpr, condition: &ast::Expr) -> Option<String> {
    let ends = |both: &ast::BinExpr, lower: bool| -> Option<String> {
        let fits = match both.op()? {
            BinOp::RAngle(_) | BinOp::Gteq(_) => lower,
            BinOp::LAngle(_) | BinOp::Lteq(_) => !lower,
            _ => false,
        };
        column_of(&both.lhs()?).filter(|_| fits)
    };
    let column = ends(comparison, true)?;
    let above = conjuncts(condition).iter().any(|part| match part {
        ast::Expr::BinExpr(both) => ends(both, false).as_ref() == Some(&column),
        _ => false,
    });
    above.then_some(column)
}

/// The column's name, with its table's or without.
fn column_of(node: &ast::Expr) -> Option<String> {
    match node {
        ast::Expr::FieldExpr(_) => {
            let text = node.syntax().text().to_string();
            text.rsplit_once('.').map(|(_, column)| fold_identifier(column.trim()))
        }
        _ => column(node),
    }
}

fn comparison(part: &ast::Expr) -> Option<Comparison> {
    let ast::Expr::BinExpr(both) = part else { return None };
    let (operator, turned) = match both.op()? {
        BinOp::LAngle(_) => ("<", ">"),
        BinOp::Lteq(_) => ("<=", ">="),
        BinOp::Eq(_) => ("=", "="),
        BinOp::Gteq(_) => (">=", "<="),
        BinOp::RAngle(_) => (">", "<"),
        BinOp::Neq(_) | BinOp::Neqb(_) => ("<>", "<>"),
        BinOp::In(_) => ("in", ""),
        _ => return None,
    };
    let (left, right) = (both.lhs()?, both.rhs()?);
    if operator == "in" {
        let values: Option<Vec<String>> = match &right {
            ast::Expr::TupleExpr(list) => {
                list.syntax().children().filter_map(ast::Expr::cast).map(|value| constant(&value)).collect()
            }
            ast::Expr::ParenExpr(one) => Some(vec![constant(&one.expr()?)?]),
            _ => None,
        };
        return Some(Comparison { column: column(&left)?, operator: "in".into(), values: values? });
    }
    match (column(&left), column(&right)) {
        (Some(column), None) => {
            Some(Comparison { column, operator: operator.into(), values: vec![constant(&right)?] })
        }
        (None, Some(column)) => {
            Some(Comparison { column, operator: turned.into(), values: vec![constant(&left)?] })
        }
        _ => None,
    }
}

/// The column's name, if the expression is one.
fn column(node: &ast::Expr) -> Option<String> {
    match node {
        ast::Expr::NameRef(name) => Some(super::names::folded(name.syntax())),
        ast::Expr::ParenExpr(paren) => column(&paren.expr()?),
        _ => None,
    }
}

/// A constant's text, without casts and parentheses.
pub(super) fn constant(node: &ast::Expr) -> Option<String> {
    match node {
        ast::Expr::Literal(literal) => Some(
            text_value(literal)
                .map_or_else(|| literal.syntax().text().to_string(), |text| format!("'{text}'")),
        ),
        ast::Expr::ParenExpr(paren) => constant(&paren.expr()?),
        ast::Expr::PrefixExpr(prefix) => {
            let text = prefix.syntax().text().to_string();
            text.trim_start_matches(['-', '+', ' ']).parse::<f64>().ok().map(|_| text.replace([' ', '+'], ""))
        }
        ast::Expr::CastExpr(cast) => match (cast.expr(), cast.literal()) {
            (Some(inner), _) => constant(&inner),
            (None, Some(literal)) => constant(&ast::Expr::Literal(literal)),
            _ => None,
        },
        _ => None,
    }
}

/// What a literal in quotes says; none for a number, `NULL` or a boolean, whose value in the tree is an
/// empty text.
pub(super) fn text_value(literal: &ast::Literal) -> Option<String> {
    let quoted = ['\'', '$'].iter().any(|quote| literal.syntax().text().contains_char(*quote));
    literal.string_value().filter(|_| quoted)
}

/// An identifier's text as PostgreSQL folds it.
pub(crate) fn fold_identifier(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    }
}

/// Whether `USING`'s expression is the column itself or a plain cast of it.
pub(super) fn using_expression(expression: &ast::Expr, column: &str, type_text: &str) -> UsingExpression {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>().to_ascii_lowercase();
    let text = squeezed(&expression.syntax().text().to_string());
    let text = strip_parentheses(&text);
    let (operand, cast_to) = text.split_once("::").map_or((text, None), |(operand, to)| (operand, Some(to)));
    let same_type = cast_to.is_none_or(|to| to == squeezed(type_text));
    if same_type && fold_identifier(strip_parentheses(operand)) == column.to_ascii_lowercase() {
        UsingExpression::SameColumn
    } else {
        UsingExpression::Other
    }
}

fn strip_parentheses(text: &str) -> &str {
    match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => strip_parentheses(inner.trim()),
        None => text,
    }
}

/// The assignment that `SELECT set_config('name', 'value', is_local)` makes, with literals only.
pub(super) fn set_config(select: &SyntaxNode) -> Option<SetParameter> {
    let call = select.descendants().find_map(ast::CallExpr::cast)?;
    let function = function_name(&call.syntax().children().find_map(ast::Expr::cast)?)?;
    if function.name != "set_config" {
        return None;
    }
    let arguments = call.syntax().children().find_map(ast::ArgList::cast)?.args();
    // A value that is computed, as by `current_setting('…')`, isn't known.
    let literals: Vec<ast::Literal> = arguments
        .map(|argument| match argument.func_arg_expr() {
            Some(ast::FuncArgExpr::Expr(ast::Expr::Literal(literal))) => Some(literal),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let [name, value, local] = literals.as_slice() else { return None };
    Some(SetParameter {
        name: name.string_value()?.to_ascii_lowercase(),
        values: value
            .string_value()?
            .split(',')
            .map(|value| value.trim().trim_matches('"').to_owned())
            .collect(),
        local: local.syntax().text().to_string().eq_ignore_ascii_case("true"),
    })
}
