//! The text of a query: which statements it has, and what is to be known of one before it runs.

use plimsoll_sql::parse::parse_script;
use plimsoll_sql::split::{Piece, split};
use plimsoll_sql::{Command, Statement};

/// The statements of a query.
pub(super) fn statements_of(text: &str) -> Vec<std::ops::Range<usize>> {
    let pieces = split(text).into_iter();
    pieces
        .map(|piece| match piece {
            Piece::Statement { range, .. } | Piece::MetaCommand { range } => range,
        })
        .collect()
}

/// The text with blanks in place of all other statements' letters, so that places in it stay.
pub(super) fn only(text: &str, range: &std::ops::Range<usize>) -> String {
    let blank = |part: &str| part.chars().map(|_| ' ').collect::<String>();
    format!("{}{}", blank(&text[..range.start]), &text[range.clone()])
}

pub(super) fn parsed(text: &str) -> Option<Statement> {
    let (mut statements, _) = parse_script(text);
    if statements.len() == 1 { statements.pop() } else { None }
}

/// Whether a statement outside a transaction gets a block. What PostgreSQL refuses outside one, ours would let pass;
/// several statements in one query are a block to PostgreSQL too, whatever they are.
pub(super) fn is_wrapped(text: &str, command: Option<&Command>, is_lone: bool) -> bool {
    let needs_block = matches!(command, Some(Command::LockTable { .. })) || first_word(text) == "declare";
    let needs_none = ["listen", "unlisten", "notify", "deallocate", "prepare", "close", ""];
    let without = is_quiet(text) || needs_none.contains(&first_word(text).as_str());
    !is_lone || !(without || needs_block)
}

/// Whether a statement is let pass without a look: it only asks for settings or makes some. A look at it would take the
/// transaction's snapshot, and `client_min_messages` must be what the program has it at.
pub(super) fn is_quiet(text: &str) -> bool {
    ["show", "set", "reset", "discard", "fetch", "move"].contains(&first_word(text).as_str())
        || (text.len() < 4096 && text.to_ascii_lowercase().contains("client_min_messages"))
}

pub(super) fn first_word(text: &str) -> String {
    let text = without_comments(text);
    text.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase()
}

/// What follows the comments at a text's beginning.
pub(super) fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let behind = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map(|(_, behind)| behind)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, behind)| behind)
        } else {
            return rest;
        };
        rest = behind.unwrap_or_default().trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_alone_stands_where_it_stood() {
        let text = "select 'é;'; drop table t; select 2";
        let ranges = statements_of(text);
        assert_eq!(ranges.len(), 3);
        let alone = only(text, &ranges[1]);
        assert_eq!(
            alone.chars().position(|letter| letter == 'd'),
            text.chars().position(|letter| letter == 'd')
        );
        assert!(alone.trim() == "drop table t");
    }

    #[test]
    fn what_only_sets_is_let_pass() {
        let check = |text, expected| assert_eq!(is_quiet(text), expected, "{text}");
        check("SET TRANSACTION SNAPSHOT '1'", true);
        check("-- a\n/* b */ show all", true);
        check("select set_config('client_min_messages', 'error', false)", true);
        check("select 1", false);
        check("-- set", false);
        assert!(is_wrapped("declare c cursor for select 1", None, false));
        assert!(!is_wrapped("declare c cursor for select 1", None, true));
    }
}
