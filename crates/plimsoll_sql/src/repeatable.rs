//! What a query's text says about whether its result repeats: the order that it asks for, and the moment.

use squawk_lexer::{TokenKind, tokenize};

/// Whether a query orders its rows: `ORDER BY` outside of all parentheses.
#[must_use]
pub fn asks_for_an_order(sql: &str) -> bool {
    let mut depth = 0_usize;
    let mut after_order = false;
    let mut ordered = false;
    each_word(sql, |kind, word| {
        match kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        ordered |= depth == 0 && after_order && word.eq_ignore_ascii_case("by");
        after_order = word.eq_ignore_ascii_case("order");
    });
    ordered
}

/// Whether a query's text names what differs from moment to moment: the time, chance, a transaction's number.
#[must_use]
pub fn asks_for_the_moment(sql: &str) -> bool {
    const MOMENTS: [&str; 21] = [
        "now",
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "clock_timestamp",
        "statement_timestamp",
        "transaction_timestamp",
        "timeofday",
        "random",
        "random_normal",
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
        "nextval",
        "txid_current",
        "pg_current_xact_id",
        "pg_backend_pid",
        "ctid",
        "xmin",
    ];
    let mut found = false;
    each_word(sql, |kind, word| {
        found |= kind == TokenKind::Ident && MOMENTS.iter().any(|one| word.eq_ignore_ascii_case(one));
    });
    found
}

/// Calls a function for every token that isn't blank or a comment.
fn each_word(sql: &str, mut visit: impl FnMut(TokenKind, &str)) {
    let mut at = 0;
    for token in tokenize(sql) {
        let word = &sql[at..at + token.len as usize];
        at += token.len as usize;
        if !matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. }
        ) {
            visit(token.kind, word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_counts_outside_of_parentheses() {
        assert!(asks_for_an_order("select a from t Order  /* x */ By a limit 3"));
        assert!(!asks_for_an_order("select a from (select a from t order by a) s"));
        assert!(!asks_for_an_order("select row_number() over (order by a) from t -- order by b"));
        assert!(!asks_for_an_order("select 'order by'"));
        assert!(asks_for_an_order("(select 1) union (select 2) order by 1"));
    }

    #[test]
    fn the_moment_is_a_word() {
        assert!(asks_for_the_moment("select * from t where at > NOW() - interval '1 day'"));
        assert!(asks_for_the_moment("select current_date"));
        assert!(!asks_for_the_moment("select known, \"random\" from t where a = 'now'"));
    }
}
