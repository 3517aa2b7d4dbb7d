//! `CREATE FUNCTION`, `CREATE PROCEDURE`: what callers' rewrites and rights hang on.

use squawk_syntax::SourceFile as Tree;
use squawk_syntax::ast::{self, AstNode, Stmt};

use super::{expression, names, quoted_body, words};
use crate::command::{Command, CreateFunction, Volatility};
use crate::name::ObjectName;

pub(super) fn create_function(statement: &Stmt) -> Option<Command> {
    let (name, options, body, returns, or_replace, procedure) = match statement {
        Stmt::CreateFunction(node) => (
            names::of(node.name()?.path()?),
            node.option_list(),
            node.body(),
            node.ret_type().map(|node| words(&node)),
            node.or_replace().is_some(),
            false,
        ),
        Stmt::CreateProcedure(node) => (
            names::of(node.name()?.path()?),
            node.option_list(),
            node.body(),
            None,
            node.or_replace().is_some(),
            true,
        ),
        _ => return None,
    };
    let mut function = CreateFunction {
        name,
        or_replace,
        procedure,
        returns: returns.unwrap_or_default().trim_start_matches("returns ").to_owned(),
        ..CreateFunction::default()
    };
    let mut strict = false;
    for option in options.iter().flat_map(|list| list.options()) {
        use ast::FuncOption as Node;
        match &option {
            Node::VolatilityFuncOption(node) => {
                function.volatility = match node {
                    ast::VolatilityFuncOption::Immutable(_) => Volatility::Immutable,
                    ast::VolatilityFuncOption::Stable(_) => Volatility::Stable,
                    ast::VolatilityFuncOption::Volatile(_) => Volatility::Volatile,
                }
            }
            Node::LanguageFuncOption(node) => {
                let words = words(node);
                let language = words.trim_start_matches("language ").trim_matches(['\'', '"']);
                function.language = language.to_owned();
            }
            Node::SecurityDefinerFuncOption(_) => function.security_definer = true,
            Node::SetFuncOption(node) => function.sets_search_path |= words(node).contains("search_path"),
            Node::StrictFuncOption(_) | Node::ReturnsNullOnNullInputFuncOption(_) => strict = true,
            Node::AsFuncOption(node) => {
                let literal = node.syntax().descendants().find_map(ast::Literal::cast);
                function.body = literal.and_then(|literal| quoted_body(&literal));
            }
            _ => {}
        }
    }
    if let Some(range) = &function.body {
        function.body_text = statement.syntax().text().to_string()[range.clone()].to_owned();
    }
    if function.language.is_empty() && body.is_some() {
        function.language = "sql".to_owned();
    }
    let inlines = function.language == "sql"
        && !strict
        && !function.security_definer
        && !function.sets_search_path
        && !function.returns.starts_with("setof")
        && !function.returns.starts_with("table");
    if inlines {
        function.inlines_to = match &body {
            Some(ast::RoutineBody::ReturnStmt(node)) => {
                node.expr().map(|node| expression::calls(node.syntax()))
            }
            Some(ast::RoutineBody::AtomicBody(_)) => None,
            None => one_expression(&function.body_text),
        };
    }
    Some(Command::CreateFunction(Box::new(function)))
}

/// Functions that a body calls, if it is one `SELECT expression` that PostgreSQL can put in the
/// place of a call (`inline_function` in `clauses.c`).
fn one_expression(body: &str) -> Option<Vec<ObjectName>> {
    let tree = Tree::parse(body);
    if !tree.errors().is_empty() {
        return None;
    }
    let tree = tree.tree();
    let mut statements = tree.stmts();
    let (Some(Stmt::Select(select)), None) = (statements.next(), statements.next()) else { return None };
    let plain = select.from_clause().is_none()
        && select.where_clause().is_none()
        && select.with_clause().is_none()
        && !select.syntax().descendants().skip(1).any(|node| ast::Select::can_cast(node.kind()));
    plain.then(|| expression::calls(select.syntax()))
}
