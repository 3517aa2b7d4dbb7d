//! What a statement runs: its own command, and those in the bodies of DO blocks and of functions
//! that it calls.

use std::borrow::Cow;
use std::ops::Range;

use plimsoll_sql::plpgsql::InnerStatement;
use plimsoll_sql::{Command, Migration, Schema, Statement};

/// A command that a statement runs: its own, or one in the body of a DO block or function.
pub(crate) struct Step<'a> {
    pub(crate) command: Cow<'a, Command>,
    pub(crate) range: Range<usize>,
    pub(crate) exact: bool,
}

impl Step<'_> {
    /// Where the command starts in its statement's text; none if it doesn't stand there as it runs.
    pub(crate) fn start_within(&self, statement: &Statement, migration: &Migration) -> Option<usize> {
        if self.range == statement.range {
            return self.exact.then_some(0);
        }
        let stands_there = self.exact && migration.placeholders().next().is_none();
        stands_there.then(|| self.range.start - statement.range.start)
    }
}

/// The commands that a statement runs, in order.
pub(crate) fn steps<'a>(statement: &'a Statement, schema: &Schema) -> Vec<Step<'a>> {
    let Some(command) = statement.command() else { return Vec::new() };
    let range = statement.range.clone();
    let mut steps = vec![Step { command: Cow::Borrowed(command), range: range.clone(), exact: true }];
    for inner in &statement.inner {
        let InnerStatement { range, exact, command } = inner;
        steps.push(Step { command: Cow::Borrowed(command), range: range.clone(), exact: *exact });
    }
    let called: Vec<Command> =
        steps.iter().flat_map(|step| called_commands(&step.command, schema, FUNCTION_DEPTH)).collect();
    steps.extend(called.into_iter().map(|command| Step {
        command: Cow::Owned(command),
        range: range.clone(),
        exact: false,
    }));
    steps
}

/// Functions within functions up to which calls are followed.
const FUNCTION_DEPTH: usize = 4;

/// The commands in the bodies of user functions that a query calls.
fn called_commands(command: &Command, schema: &Schema, depth: usize) -> Vec<Command> {
    let Command::Query { calls, .. } = command else { return Vec::new() };
    if depth == 0 {
        return Vec::new();
    }
    let bodies = calls.iter().filter_map(|call| schema.function(call)).map(|function| {
        match function.language.as_str() {
            "plpgsql" => plimsoll_sql::plpgsql::statements(&function.body, 0)
                .into_iter()
                .map(|inner| inner.command)
                .collect::<Vec<_>>(),
            "sql" => plimsoll_sql::parse::parse_script(&function.body)
                .0
                .iter()
                .filter_map(|statement| statement.command().cloned())
                .collect(),
            _ => Vec::new(),
        }
    });
    let mut commands = Vec::new();
    for command in bodies.flatten() {
        let called = called_commands(&command, schema, depth - 1);
        commands.push(command);
        commands.extend(called);
    }
    commands
}
