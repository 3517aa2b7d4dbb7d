//! The same statement written otherwise.

use plimsoll_sql::normal_form::lexer::{Kind, Lexer, Token};

/// A statement with other blanks, comments and case, and with other values.
pub(crate) fn variants(statement: &str) -> Vec<String> {
    let tokens: Vec<Token> = Lexer::new(statement).collect();
    let mut variants = vec![relaid(statement, &tokens)];
    variants.extend(revalued(statement, &tokens));
    variants
}

/// Whether the end of a transaction is among what a text does, so that it can't be tried.
pub(crate) fn ends_transaction(statement: &str) -> bool {
    let first = statement.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    ["commit", "rollback", "end", "abort"].iter().any(|verb| first.starts_with(verb))
}

/// Comments in place of blanks, words in capitals. What touches stays together.
fn relaid(statement: &str, tokens: &[Token]) -> String {
    let mut text = String::from("/* app='x' */ ");
    let mut end = tokens.first().map_or(0, |token| token.start);
    for token in tokens {
        let between = &statement[end..token.start];
        let of_strings = between.contains('\n');
        if !between.is_empty() {
            text.push_str(if of_strings { " --c\n " } else { " /* c /* d */ */\t" });
        }
        let own = &statement[token.start..token.end];
        match token.kind {
            Kind::Word if own.is_ascii() => text.push_str(&own.to_ascii_uppercase()),
            _ => text.push_str(own),
        }
        end = token.end;
    }
    text.push_str(" -- end");
    text
}

/// Other digits in integers, other letters in strings; none if there are no such values.
fn revalued(statement: &str, tokens: &[Token]) -> Option<String> {
    let mut text = String::new();
    let (mut end, mut changed) = (0, false);
    for token in tokens {
        text.push_str(&statement[end..token.start]);
        let own = &statement[token.start..token.end];
        end = token.end;
        let other = match token.kind {
            Kind::Number if own.bytes().all(|byte| byte.is_ascii_digit()) && own.len() < 9 => {
                own.bytes().map(|digit| char::from(b'0' + (digit - b'0' + 1) % 9)).collect()
            }
            Kind::String
                if own.starts_with('\'') && own.len() > 2 && !own[1..own.len() - 1].contains('\'') =>
            {
                format!("{own}'").replacen('\'', "'x", 1).replace("''", "'")
            }
            _ => own.to_owned(),
        };
        changed |= other != own;
        text.push_str(&other);
    }
    text.push_str(&statement[end..]);
    changed.then_some(text)
}
