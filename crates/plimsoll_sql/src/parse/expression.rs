//! What defaults, checks and conversions need to know of an expression.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

use super::{names, range_of};
use crate::command::{DefaultExpression, SetParameter, UsingExpression};
use crate::name::ObjectName;

/// A default's text and the functions that it calls.
pub(super) fn default_expression(node: &ast::Expr) -> DefaultExpression {
    let calls = node
        .syntax()
        .descendants()
        .filter_map(ast::CallExpr::cast)
        .filter_map(|call| call.syntax().children().find_map(ast::Expr::cast))
        .filter_map(|function| function_name(&function))
        .collect();
    DefaultExpression { text: node.syntax().text().to_string(), range: range_of(node), calls }
}

/// The function's name in `f(…)` or `schema.f(…)`.
fn function_name(function: &ast::Expr) -> Option<ObjectName> {
    let text = function.syntax().text().to_string();
    match function {
        ast::Expr::NameRef(name) => Some(ObjectName::unqualified(names::folded(name.syntax()))),
        ast::Expr::FieldExpr(_) => {
            let fold = |part: &str| match part.trim().strip_prefix('"') {
                Some(quoted) => quoted.trim_end_matches('"').replace("\"\"", "\""),
                None => part.trim().to_ascii_lowercase(),
            };
            let (schema, name) = text.rsplit_once('.')?;
            Some(ObjectName::qualified(fold(schema), fold(name)))
        }
        _ => None,
    }
}

/// Columns that a CHECK proves to hold no null: `c IS NOT NULL`, alone or joined by AND.
///
/// PostgreSQL's `NotNullImpliedByRelConstraints` proves more (`c > 0` for strict operators);
/// that is the same rule to it as implication by any strict clause.
pub(super) fn proves_not_null(expression: &ast::Expr) -> Vec<String> {
    let text = expression.syntax().text().to_string();
    // The text is split at its ANDs, not walked: what may hide one within proves nothing.
    let lower = text.to_ascii_lowercase();
    if ["case", "between", "'", "$", "--", "/*"].iter().any(|hider| lower.contains(hider)) {
        return Vec::new();
    }
    let mut columns = Vec::new();
    for clause in split_at_and(&text) {
        let clause = strip_parentheses(clause.trim());
        let words: Vec<&str> = clause.split_whitespace().collect();
        if let [column, is, not, null] = words.as_slice()
            && [("is", is), ("not", not), ("null", null)]
                .iter()
                .all(|(word, found)| found.eq_ignore_ascii_case(word))
        {
            columns.push(fold_identifier(column));
        }
    }
    columns
}

/// Parts between ANDs outside parentheses; one part where OR stands there too.
fn split_at_and(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut word_start) = (0_usize, 0, None);
    let lower = text.to_ascii_lowercase();
    for (at, c) in lower.char_indices().chain(std::iter::once((lower.len(), ' '))) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c.is_ascii_alphanumeric() || c == '_' || c == '"' {
            word_start.get_or_insert(at);
        } else if let Some(from) = word_start.take()
            && depth == 0
        {
            match &lower[from..at] {
                "or" => return vec![text],
                "and" => {
                    parts.push(&text[start..from]);
                    start = at;
                }
                _ => {}
            }
        }
    }
    parts.push(&text[start.min(text.len())..]);
    parts
}

fn strip_parentheses(text: &str) -> &str {
    match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => strip_parentheses(inner.trim()),
        None => text,
    }
}

/// An identifier's text as PostgreSQL folds it.
pub(super) fn fold_identifier(text: &str) -> String {
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

/// The assignment that `SELECT set_config('name', 'value', is_local)` makes, with literals only.
pub(super) fn set_config(select: &SyntaxNode) -> Option<SetParameter> {
    let call = select.descendants().find_map(ast::CallExpr::cast)?;
    let function = function_name(&call.syntax().children().find_map(ast::Expr::cast)?)?;
    if function.name != "set_config" {
        return None;
    }
    let literals: Vec<ast::Literal> = call.syntax().descendants().filter_map(ast::Literal::cast).collect();
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
