//! A query file to queries: ranges lie in the file, and `$1` to `$n` are the n parameters.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use plimsoll_core::SourceFile;
use plimsoll_fuzz::slice;
use plimsoll_sql::query_file::{Query, parse_queries};
use squawk_lexer::{TokenKind, tokenize};

fuzz_target!(|text: &str| {
    match parse_queries(&SourceFile::new("queries/calls.sql", text)) {
        Ok(queries) => {
            let names: BTreeSet<&str> = queries.iter().map(|query| query.name.as_str()).collect();
            assert_eq!(names.len(), queries.len(), "two queries share a name");
            queries.iter().for_each(|query| assert_query_is_sound(text, query));
        }
        Err(error) => {
            slice(text, &error.range);
        }
    }
});

fn assert_query_is_sound(text: &str, query: &Query) {
    assert!(!slice(text, &query.range).is_empty());
    for parameter in &query.parameters {
        assert!(!parameter.name.is_empty(), "a parameter has no name");
        assert!(slice(text, &parameter.range).starts_with([':', '$']));
        assert!(query.range.start <= parameter.range.start && parameter.range.end <= query.range.end);
    }
    let used: BTreeSet<usize> = numbers(&query.sql).collect();
    assert!(used.into_iter().eq(1..=query.parameters.len()), "{} with {:?}", query.sql, query.parameters);
}

/// The numbers of the `$n` in a text; what isn't all digits is none.
fn numbers(sql: &str) -> impl Iterator<Item = usize> {
    let mut at = 0;
    tokenize(sql).filter_map(move |token| {
        let spelled = &sql[at..at + token.len as usize];
        at += spelled.len();
        let is_parameter = matches!(token.kind, TokenKind::PositionalParam { .. });
        is_parameter.then(|| spelled[1..].parse().ok()).flatten()
    })
}
