//! The SQL statements inside PL/pgSQL: bodies of DO blocks and functions.
//!
//! Splits over tokens at PL/pgSQL's own keywords and semicolons; what runs on which branch isn't
//! followed. Source: PostgreSQL documentation, chapter "PL/pgSQL".

use std::ops::Range;
use std::sync::Arc;

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

use crate::command::Command;
use crate::parse::{StatementKind, parse_script};

/// A statement inside a body.
#[derive(Clone, Debug, PartialEq)]
pub struct InnerStatement {
    /// Bytes in the text that holds the body.
    pub range: Range<usize>,
    /// Whether the text at `range` is the statement as it runs, so that ranges within it hold.
    pub exact: bool,
    /// What it is; [`Command::DynamicSql`] where it is put together at run time.
    pub command: Command,
}

struct Word<'a> {
    text: &'a str,
    kind: TokenKind,
    start: usize,
}

impl Word<'_> {
    fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Ident && self.text.eq_ignore_ascii_case(word)
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The SQL statements in a body that starts at byte `offset` of its text, in order.
#[must_use]
pub fn statements(body: &str, offset: usize) -> Vec<InnerStatement> {
    let mut words = Vec::new();
    let mut at = 0;
    for token in tokenize(body) {
        let end = (at + token.len as usize).min(body.len());
        match token.kind {
            TokenKind::Eof => break,
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => {}
            kind => words.push(Word { text: &body[at..end], kind, start: at }),
        }
        at = end;
    }
    let mut found = Vec::new();
    let mut rest = words.as_slice();
    while let Some(first) = rest.first() {
        let taken = if first.is_any(&["begin", "else", "loop", "exception", "declare"]) {
            1
        } else if first.is_any(&["if", "elsif", "elseif", "when"]) {
            past(rest, &["then"])
        } else if first.is_any(&["for", "foreach", "while"]) {
            past(rest, &["loop"])
        } else if first.is("case") {
            // Its branches begin with WHEN.
            past(rest, &["when"]).saturating_sub(1).max(1)
        } else {
            let end = end_of_statement(rest);
            found.extend(statement(body, offset, &rest[..end]));
            (end + 1).min(rest.len())
        };
        rest = &rest[taken.min(rest.len())..];
    }
    found
}

/// Words up to and with the first of `ends` outside parentheses.
fn past(words: &[Word], ends: &[&str]) -> usize {
    let mut depth = 0_usize;
    let mut cases = 0_usize;
    for (at, word) in words.iter().enumerate().skip(1) {
        match word.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if word.is("case") => cases += 1,
            _ if word.is("end") => cases = cases.saturating_sub(1),
            _ if cases == 0 && word.is_any(ends) => return at + 1,
            _ => {}
        }
    }
    words.len()
}

/// Index of the semicolon that ends the first statement, or the number of words.
fn end_of_statement(words: &[Word]) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        match word.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            TokenKind::Semi if depth == 0 => return at,
            _ => {}
        }
    }
    words.len()
}

fn statement(body: &str, offset: usize, words: &[Word]) -> Vec<InnerStatement> {
    const SQL: [&str; 27] = [
        "alter", "analyze", "call", "cluster", "comment", "copy", "create", "delete", "drop", "grant",
        "insert", "lock", "merge", "refresh", "reindex", "revoke", "select", "set", "reset", "truncate",
        "update", "vacuum", "with", "do", "import", "reassign", "security",
    ];
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return Vec::new() };
    let range = first.start..last.end();
    if first.is("execute") {
        return execute(body, offset, words, range);
    }
    if first.is("perform") {
        let text = format!("select {}", &body[words.get(1).map_or(range.end, |word| word.start)..range.end]);
        return one(&text, offset + range.start..offset + range.end, false);
    }
    if first.is("select")
        && let Some(into) = into_clause(words)
    {
        let text = format!("{} {}", &body[range.start..into.start], &body[into.end..range.end]);
        return one(&text, offset + range.start..offset + range.end, false);
    }
    let is_assignment = words.get(1).is_some_and(|word| matches!(word.text, ":" | ":=" | "=" | "["));
    if !first.is_any(&SQL) || is_assignment {
        return Vec::new();
    }
    one(&body[range.clone()], offset + range.start..offset + range.end, true)
}

/// Bytes of `INTO [STRICT] variable, …`, which fills variables.
fn into_clause(words: &[Word]) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let into = words.iter().position(|word| {
        match word.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && word.is("into")
    })?;
    let mut end = into + 1;
    if words.get(end)?.is("strict") {
        end += 1;
    }
    // A variable is a name, a field of a record, or an element of an array; only a sign goes on with it.
    end += 1;
    while let Some(sign) = words.get(end).filter(|word| matches!(word.text, "," | "." | "[")) {
        end += match sign.text {
            "[" => words[end..].iter().position(|word| word.text == "]")? + 1,
            _ => 2,
        };
    }
    Some(words[into].start..words.get(end - 1)?.end())
}

/// A statement by its text. `SELECT … INTO` fills a variable here.
fn one(text: &str, range: Range<usize>, exact: bool) -> Vec<InnerStatement> {
    let (statements, _) = parse_script(text);
    statements
        .into_iter()
        .filter_map(|statement| match statement.kind {
            StatementKind::Command(command) => Some(Arc::unwrap_or_clone(command)),
            StatementKind::Invalid(_) => None,
        })
        .map(|command| match command {
            Command::CreateTableAs { .. }
                if !text.trim_start().to_ascii_lowercase().starts_with("create") =>
            {
                Command::Query { calls: Vec::new(), reads: Vec::new(), sought: Vec::new() }
            }
            command => command,
        })
        .map(|command| InnerStatement { range: range.clone(), exact, command })
        .collect()
}

/// `EXECUTE 'text'` runs a text that stands there; anything else is put together at run time.
fn execute(body: &str, offset: usize, words: &[Word], range: Range<usize>) -> Vec<InnerStatement> {
    let literal = words.get(1).filter(|_| words.get(2).is_none_or(|next| next.is_any(&["using", "into"])));
    let text = literal.and_then(|literal| match literal.kind {
        TokenKind::Literal { kind: LiteralKind::Str { .. } } => {
            let inner = literal.text.strip_prefix('\'')?.strip_suffix('\'')?;
            Some((inner.replace("''", "'"), (!inner.contains("''")).then_some(literal.start + 1)))
        }
        TokenKind::Literal { kind: LiteralKind::DollarQuotedString { .. } } => {
            let tag = literal.text[1..].find('$')? + 2;
            let inner = literal.text.get(tag..literal.text.len().checked_sub(tag)?)?;
            Some((inner.to_owned(), Some(literal.start + tag)))
        }
        _ => None,
    });
    let whole = offset + range.start..offset + range.end;
    let text = text.or_else(|| formatted(words).map(|text| (text, None)));
    let Some((text, start)) = text else {
        return vec![InnerStatement {
            range: whole,
            exact: true,
            command: Command::DynamicSql { text: body[range].to_owned() },
        }];
    };
    let (statements, _) = parse_script(&text);
    statements
        .into_iter()
        .filter_map(|statement| {
            let range = match start {
                Some(start) => offset + start + statement.range.start..offset + start + statement.range.end,
                None => whole.clone(),
            };
            match statement.kind {
                StatementKind::Command(command) => Some(InnerStatement {
                    range,
                    exact: start.is_some(),
                    command: Arc::unwrap_or_clone(command),
                }),
                StatementKind::Invalid(_) => None,
            }
        })
        .collect()
}

/// The text of `format('…', 'a', 'b')` whose arguments all stand there (documentation, `format`).
fn formatted(words: &[Word]) -> Option<String> {
    let call = words.get(1..)?;
    let [function, open, template, rest @ ..] = call else { return None };
    if !function.is("format") || open.kind != TokenKind::OpenParen {
        return None;
    }
    let plain = |word: &Word| {
        let inner = word.text.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(inner.replace("''", "'"))
    };
    let template = plain(template)?;
    let mut arguments = Vec::new();
    let mut rest = rest;
    while let [comma, argument, after @ ..] = rest
        && comma.kind == TokenKind::Comma
    {
        arguments.push(plain(argument)?);
        rest = after;
    }
    matches!(rest, [close] if close.kind == TokenKind::CloseParen).then_some(())?;
    let mut text = String::new();
    let mut next = 0;
    let mut parts = template.split('%');
    text.push_str(parts.next()?);
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // `%%`
            text.push('%');
            text.push_str(parts.next()?);
            continue;
        }
        let (position, rest) = match part.split_once('$') {
            Some((position, rest)) if position.parse::<usize>().is_ok() => {
                (position.parse::<usize>().ok()?.checked_sub(1)?, rest)
            }
            _ => (next, part),
        };
        next = position + 1;
        let argument = arguments.get(position)?;
        match rest.chars().next()? {
            's' => text.push_str(argument),
            'I' => text.push_str(&crate::name::quote_identifier(argument)),
            'L' => text.push_str(&format!("'{}'", argument.replace('\'', "''"))),
            _ => return None,
        }
        text.push_str(&rest[1..]);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str, expected: &[&str]) {
        let shown: Vec<&str> = statements(body, 0).into_iter().map(|inner| &body[inner.range]).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn statements_stand_between_control_structures() {
        check(
            "declare n int := 1; begin if not exists (select 1 from t where case when a then b end) then alter table t \
             add a int; elsif x then drop table u; else null; end if; for r in select * from t loop update t set a = 1; \
             end loop; n := 2; return; exception when others then raise notice 'x'; create index i on t (a); end",
            &["alter table t add a int", "drop table u", "update t set a = 1", "create index i on t (a)"],
        );
    }

    #[test]
    fn executed_texts_are_read_where_they_stand() {
        check(
            "begin execute 'alter table t add a int'; execute $q$ drop table u $q$; end",
            &["alter table t add a int", "drop table u"],
        );
        let found = statements("begin execute format('drop table %I', x); execute 'a' || b; end", 0);
        assert!(
            found.len() == 2 && found.iter().all(|inner| matches!(inner.command, Command::DynamicSql { .. })),
            "{found:?}"
        );
    }

    #[test]
    fn a_variable_that_is_filled_is_no_table() {
        let found = statements("begin select 1 into n; perform f(1); end", 0);
        assert!(found.iter().all(|inner| matches!(inner.command, Command::Query { .. })), "{found:?}");
        assert_eq!(found.len(), 2);
        for sql in [
            "begin select count(*) into n from t where x is null; end",
            "begin select a, b into strict r.a, m[1] from t; end",
            "begin select a from t into n; end",
        ] {
            let found = statements(sql, 0);
            let [InnerStatement { command: Command::Query { reads, .. }, .. }] = found.as_slice() else {
                panic!("{sql}: {found:?}")
            };
            assert_eq!(reads.iter().map(|name| name.name.as_str()).collect::<Vec<_>>(), ["t"], "{sql}");
        }
    }

    proptest! {
        #[test]
        fn ranges_lie_in_the_body(body in "(begin|end|if|then|loop|execute|alter table t|'x'|\\$\\$|;|[ -~]){0,40}") {
            for inner in statements(&body, 0) {
                prop_assert!(body.get(inner.range).is_some());
            }
        }
    }
}
