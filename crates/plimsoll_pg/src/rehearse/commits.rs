//! Statements that commit on their way, known before they run: a CALL or a DO whose body says COMMIT or ROLLBACK, or calls
//! a procedure whose body does.
//!
//! A body that puts its CALL together at run time isn't known.

use std::collections::BTreeSet;

use plimsoll_sql::outline::{Outline, PartKind};
use plimsoll_sql::{Command, Statement};
use tokio_postgres::Client;

use super::catalog::{TextRow as _, rows};

/// A procedure by its name without a schema, and its body.
type Procedure = (String, String);

/// Whether a statement commits on its way.
pub(super) async fn commits(
    observer: &Client,
    text: &str,
    statement: &Statement,
) -> Result<bool, tokio_postgres::Error> {
    let calls = called(text);
    let body = match statement.command() {
        Some(Command::Do { body: Some(range) }) => text.get(range.clone()).unwrap_or_default(),
        Some(Command::Do { body: None }) => within_quotes(text),
        _ if Outline::of(text).parts().first().is_some_and(|part| part.kind == word("call")) => "",
        _ => return Ok(false),
    };
    if ends_transactions(body) {
        return Ok(true);
    }
    let calls = [calls, called(body)].concat();
    if calls.is_empty() {
        return Ok(false);
    }
    let query = "SELECT proname, prosrc FROM pg_catalog.pg_proc WHERE prokind = 'p' AND oid >= 16384";
    let procedures: Vec<Procedure> = rows(observer.simple_query(query).await?)
        .filter_map(|row| Some((row.text("proname")?.to_owned(), row.text("prosrc")?.to_owned())))
        .collect();
    Ok(one_ends_transactions(calls, &procedures))
}

/// What stands between a text's first and last quote, in which quotes are doubled: enough to find words in it.
fn within_quotes(text: &str) -> &str {
    let body = text.split_once('\'').and_then(|(_, behind)| behind.rsplit_once('\''));
    body.map_or("", |(body, _)| body)
}

/// Whether one of the procedures of these names ends transactions, or one that it calls.
fn one_ends_transactions(mut names: Vec<String>, procedures: &[Procedure]) -> bool {
    let mut seen = BTreeSet::new();
    while let Some(name) = names.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for (_, body) in procedures.iter().filter(|(other, _)| *other == name) {
            if ends_transactions(body) {
                return true;
            }
            names.extend(called(body));
        }
    }
    false
}

fn ends_transactions(body: &str) -> bool {
    let outline = Outline::of(body);
    outline.has("commit") || outline.has("rollback")
}

/// The procedures that a text calls, by their names without a schema.
fn called(text: &str) -> Vec<String> {
    let outline = Outline::of(text);
    let calls = outline.parts().iter().filter(|part| part.kind == word("call"));
    calls
        .filter_map(|call| {
            let name = &text[outline.name_behind(text, call.range.end)?];
            let last = name.rsplit('.').next().unwrap_or_default();
            Some(match last.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
                Some(quoted) => quoted.replace("\"\"", "\""),
                None => last.to_lowercase(),
            })
        })
        .collect()
}

fn word(word: &str) -> PartKind {
    PartKind::Word(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_procedure_calls_counts() {
        let procedure = |name: &str, body: &str| (name.to_owned(), body.to_owned());
        let procedures = [
            procedure("plain", "begin -- commit\n raise notice 'rollback'; call plain(); end"),
            procedure("Deep", "begin perform 1; commit; end"),
            procedure("outer", "begin call app.\"Deep\"(1); end"),
        ];
        let check = |text: &str, expected: bool| {
            assert_eq!(one_ends_transactions(called(text), &procedures), expected, "{text}");
        };
        check("call plain()", false);
        check("CALL app.Outer(1, 2)", true);
        check("call deep()", false);
        check("call missing()", false);
        assert!(ends_transactions(within_quotes(
            "do 'begin perform f(''a''); commit; end' language plpgsql"
        )));
    }
}
