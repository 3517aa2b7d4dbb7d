//! Statements that are prepared and executed by SQL commands, told by their first words.

use super::lexer::{Kind, Lexer, Token};

/// The name and the query of `PREPARE name [(types)] AS query`.
#[must_use]
pub fn prepared(statement: &str) -> Option<(&str, &str)> {
    let mut lexer = Lexer::new(statement);
    let name = name_behind(&mut lexer, statement, "prepare")?;
    let mut depth = 0;
    for token in lexer {
        match &statement[token.start..token.end] {
            "(" => depth += 1,
            ")" => depth -= 1,
            word if depth == 0 && word.eq_ignore_ascii_case("as") => {
                return Some((name, statement[token.end..].trim()));
            }
            _ => {}
        }
    }
    None
}

/// The name in `EXECUTE name [(…)]`.
#[must_use]
pub fn executed(statement: &str) -> Option<&str> {
    name_behind(&mut Lexer::new(statement), statement, "execute")
}

fn name_behind<'a>(lexer: &mut Lexer<'_>, statement: &'a str, verb: &str) -> Option<&'a str> {
    let mut text = || lexer.next().map(|token: Token| (token.kind, &statement[token.start..token.end]));
    text().filter(|(_, first)| first.eq_ignore_ascii_case(verb))?;
    let (kind, name) = text()?;
    matches!(kind, Kind::Word | Kind::Quoted).then(|| name.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_what_follows_as() {
        assert_eq!(prepared("prepare q (int, text) as select $1"), Some(("q", "select $1")));
        assert_eq!(
            prepared("PREPARE \"Q\" AS INSERT INTO t VALUES (1);"),
            Some(("Q", "INSERT INTO t VALUES (1);"))
        );
        assert_eq!(prepared("prepare transaction 'x'"), None);
        assert_eq!(executed("EXECUTE q(1, 2)"), Some("q"));
        assert_eq!(executed("select 1"), None);
    }
}
