//! Query files: named queries with parameters.
//!
//! `-- name: recent_calls` begins a query; a file without names is one query by the file's name.
//! A parameter is written `:name`, `:'name'` or `$1`. Comments between the name and the query such as `-- rate: 120/s` are its
//! directives; which of them mean anything, and what, is for others to say.

use std::collections::HashMap;
use std::ops::Range;

use plimsoll_core::SourceFile;
use squawk_lexer::{LiteralKind, TokenKind, tokenize};

use crate::split::{Piece, split};

/// A query of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its name.
    pub name: String,
    /// Bytes in the file.
    pub range: Range<usize>,
    /// Its text with every parameter as `$n`.
    pub sql: String,
    /// Its parameters: the one at index i is `$i+1`.
    pub parameters: Vec<Parameter>,
    /// Its comments of the form `-- key: value`, in order.
    pub directives: Vec<Directive>,
}

impl Query {
    /// The last directive of that key.
    #[must_use]
    pub fn directive(&self, key: &str) -> Option<&Directive> {
        self.directives.iter().rfind(|directive| directive.key == key)
    }
}

/// A comment that says something about a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its key: small letters and underscores.
    pub key: String,
    /// What follows the colon, without spaces around it.
    pub value: String,
    /// The comment's bytes in the file.
    pub range: Range<usize>,
}

/// A parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name; the digits of a `$1`.
    pub name: String,
    /// Bytes of its first use in the file.
    pub range: Range<usize>,
}

/// Why a query file can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFileError {
    /// What is wrong.
    pub message: String,
    /// Bytes in the file.
    pub range: Range<usize>,
}

/// Reads the queries of a file, in order.
///
/// # Errors
/// If a name stands over no query or over several, or two queries share a name.
pub fn parse_queries(source: &SourceFile) -> Result<Vec<Query>, QueryFileError> {
    let text = source.text();
    let (names, comments): (Vec<Directive>, Vec<Directive>) =
        directives(text).partition(|directive| directive.key == "name");
    let names: Vec<(String, Range<usize>)> = names
        .into_iter()
        .filter_map(|name| Some((name.value.split_whitespace().next()?.to_owned(), name.range)))
        .collect();
    let statements = statements_between(text, &names);
    let stem = source.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut queries: Vec<Query> = Vec::new();
    let mut used = HashMap::new();
    for (at, range) in statements.iter().enumerate() {
        let previous_end = if at == 0 { 0 } else { statements[at - 1].end };
        let above = names[..names.partition_point(|(_, comment)| comment.end <= range.start)].last();
        let name = match above.filter(|(_, comment)| comment.start >= previous_end) {
            Some((name, _)) => name.clone(),
            None if names.is_empty() && statements.len() == 1 => stem.clone(),
            None => {
                let message = "query has no name: write `-- name: a_name` above it".to_owned();
                return Err(QueryFileError { message, range: range.clone() });
            }
        };
        if let Some(twin) = used.insert(name.clone(), range.start) {
            let message = twin_of(&name, source, twin);
            return Err(QueryFileError { message, range: range.clone() });
        }
        let (sql, parameters) = number_parameters(text, range);
        let from = above.map_or(previous_end, |(_, comment)| comment.end.max(previous_end));
        let first = comments.partition_point(|comment| comment.range.start < from);
        let behind = comments.partition_point(|comment| comment.range.end <= range.start).max(first);
        let directives = comments[first..behind].to_vec();
        queries.push(Query { name, range: range.clone(), sql, parameters, directives });
    }
    Ok(queries)
}

/// What to say of a query whose name another one, at this byte of this file, has too.
#[must_use]
pub fn twin_of(name: &str, source: &SourceFile, offset: usize) -> String {
    let (line, column) = source.line_column(offset);
    format!("query {name} has the name of the one at {}:{line}:{column}; rename one of them", source.name())
}

/// The statements of a text, bytes in it. A name ends the query before it, semicolon or not.
fn statements_between(text: &str, names: &[(String, Range<usize>)]) -> Vec<Range<usize>> {
    let starts = names.iter().map(|(_, comment)| comment.start);
    let edges: Vec<usize> = std::iter::once(0).chain(starts).chain(std::iter::once(text.len())).collect();
    let mut statements = Vec::new();
    for edge in edges.windows(2) {
        for piece in split(&text[edge[0]..edge[1]]) {
            if let Piece::Statement { range, .. } = piece {
                statements.push(range.start + edge[0]..range.end + edge[0]);
            }
        }
    }
    statements
}

/// Comments of the form `-- key: value`.
fn directives(text: &str) -> impl Iterator<Item = Directive> {
    let mut at = 0;
    tokenize(text).filter_map(move |token| {
        let range = at..at + token.len as usize;
        at = range.end;
        if token.kind != TokenKind::LineComment {
            return None;
        }
        let (key, value) = text[range.clone()].trim_start_matches('-').trim().split_once(':')?;
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_key.then(|| Directive { key: key.to_owned(), value: value.trim().to_owned(), range })
    })
}

/// The query with its parameters numbered, and the parameters in the order of their numbers.
fn number_parameters(text: &str, range: &Range<usize>) -> (String, Vec<Parameter>) {
    let mut sql = String::new();
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut numbers = HashMap::new();
    let mut push = |sql: &mut String, name, range: Range<usize>| {
        let number = *numbers.entry(name).or_insert_with(|| {
            parameters.push(Parameter { name: str::to_owned(name), range });
            parameters.len()
        });
        push_apart(sql, &format!("${number}"));
    };
    let tokens: Vec<(TokenKind, Range<usize>)> = tokenize(&text[range.clone()])
        .scan(range.start, |at, token| {
            let token_range = *at..*at + token.len as usize;
            *at = token_range.end;
            Some((token.kind, token_range))
        })
        .collect();
    let mut brackets = 0_usize;
    let mut at = 0;
    while at < tokens.len() {
        let (kind, token_range) = &tokens[at];
        at += 1;
        match kind {
            TokenKind::OpenBracket => brackets += 1,
            TokenKind::CloseBracket => brackets = brackets.saturating_sub(1),
            TokenKind::PositionalParam { .. } => {
                let digits = &text[token_range.start + 1..token_range.end];
                if digits.parse::<u64>().is_ok() {
                    push(&mut sql, digits, token_range.clone());
                    continue;
                }
            }
            // `::` is a cast, `[1:2]` a slice.
            TokenKind::Colon if tokens.get(at).is_some_and(|next| next.0 == TokenKind::Colon) => {
                sql.push_str("::");
                at += 1;
                continue;
            }
            TokenKind::Colon if brackets == 0 => {
                if let Some((name, used)) = tokens.get(at).and_then(|next| parameter_name(text, next)) {
                    push(&mut sql, name, token_range.start..used.end);
                    at += 1;
                    continue;
                }
            }
            _ => {}
        }
        push_apart(&mut sql, &text[token_range.clone()]);
    }
    (sql, parameters)
}

/// Appends a token, behind a space where it would grow together with the last: `interval:'x'` is
/// `interval $1`.
fn push_apart(sql: &mut String, token: &str) {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
    if sql.ends_with(in_word) && token.starts_with(in_word) {
        sql.push(' ');
    }
    sql.push_str(token);
}

fn parameter_name<'a>(text: &'a str, token: &(TokenKind, Range<usize>)) -> Option<(&'a str, Range<usize>)> {
    let (kind, range) = token;
    let spelled = &text[range.clone()];
    let name = match kind {
        TokenKind::Ident => spelled,
        TokenKind::Literal { kind: LiteralKind::Str { terminated: true } } => spelled.trim_matches('\''),
        _ => return None,
    };
    (!name.is_empty()).then(|| (name, range.clone()))
}

/// Whether a query's words say that it changes rows or sequences; `FOR UPDATE` counts too.
#[must_use]
pub fn changes_rows(sql: &str) -> bool {
    const WORDS: [&str; 6] = ["insert", "update", "delete", "merge", "nextval", "setval"];
    let mut at = 0;
    tokenize(sql).any(|token| {
        let word = &sql[at..at + token.len as usize];
        at += token.len as usize;
        token.kind == TokenKind::Ident && WORDS.iter().any(|one| word.eq_ignore_ascii_case(one))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let shown: Vec<(String, String, String)> = parse_queries(&SourceFile::new("queries/ships.sql", text))
            .unwrap()
            .into_iter()
            .map(|query| {
                let names: Vec<String> =
                    query.parameters.into_iter().map(|parameter| parameter.name).collect();
                (query.name, query.sql, names.join(","))
            })
            .collect();
        let expected: Vec<(String, String, String)> =
            expected.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn parameters_are_numbered_by_first_use() {
        check(
            "-- name: a\nselect :x::int, :'y', ':z', a[1:2] from t where y = :y and x = :x;\n-- name: b\nselect $2 + $1",
            &[
                ("a", "select $1::int, $2, ':z', a[1:2] from t where y = $2 and x = $1", "x,y"),
                ("b", "select $1 + $2", "2,1"),
            ],
        );
    }

    #[test]
    fn parameters_grow_together_with_nothing() {
        check("select interval:'i', :'i'and 🚢:i", &[("ships", "select interval $1, $1 and 🚢 $1", "i")]);
    }

    #[test]
    fn what_names_nothing_is_no_parameter() {
        check("select $, $a, :'', : x", &[("ships", "select $, $a, :'', : x", "")]);
    }

    #[test]
    fn a_name_ends_the_query_before_it() {
        check("-- name: a\nselect 1\n-- name: b\nselect 2", &[("a", "select 1", ""), ("b", "select 2", "")]);
    }

    #[test]
    fn directives_stand_between_the_name_and_the_query() {
        let text = "-- rate: 1/s\n-- name: a\n-- rate:  90/min \n-- Not one: x\n-- tags: b, c\n-- rate: 9/s\nselect 1; -- rate: 3/s\n\
                    -- name: b\nselect -- tags: d\n2";
        let queries = parse_queries(&SourceFile::new("queries/ships.sql", text)).unwrap();
        let pairs = |query: &Query| -> Vec<String> {
            query.directives.iter().map(|one| format!("{}={}", one.key, one.value)).collect()
        };
        assert_eq!(pairs(&queries[0]), ["rate=90/min", "tags=b, c", "rate=9/s"]);
        assert_eq!(queries[0].directive("rate").unwrap().value, "9/s");
        assert_eq!(&text[queries[0].directives[0].range.clone()], "-- rate:  90/min ");
        assert!(queries[1].directives.is_empty());
    }

    #[test]
    fn a_lone_query_has_its_files_name() {
        check("select 1;", &[("ships", "select 1", "")]);
        check("", &[]);
    }

    #[test]
    fn unnamed_and_doubly_named_queries_are_refused() {
        let error = |text: &str| parse_queries(&SourceFile::new("q.sql", text)).unwrap_err().message;
        assert_eq!(error("select 1; select 2"), "query has no name: write `-- name: a_name` above it");
        assert_eq!(
            error("-- name: a\nselect 1;\n-- name: a\nselect 2"),
            "query a has the name of the one at q.sql:2:1; rename one of them"
        );
    }

    proptest! {
        #[test]
        fn numbered_parameters_stay_as_they_are(text in "select ([a-z:$1'\\[\\] ,]|:[ab]|:'[ab]'|\\$[123]|::int){0,40}") {
            let read = |sql: &str| parse_queries(&SourceFile::new("q.sql", sql)).unwrap().remove(0);
            let query = read(&text);
            let again = read(&query.sql);
            prop_assert_eq!(query.parameters.len(), again.parameters.len(), "{}", again.sql);
            prop_assert_eq!(query.sql, again.sql);
        }
    }
}
