//! What a message says of a statement.

use std::time::Duration;

/// A statement that ran.
#[derive(Debug, PartialEq)]
pub(super) struct Logged<'a> {
    pub(super) text: &'a str,
    /// None where the log doesn't say.
    pub(super) lasted: Option<Duration>,
    /// Values of `$1`, `$2`, …; none for NULL.
    pub(super) bound: Vec<Option<String>>,
}

/// The statement of a message such as `duration: 1.5 ms  execute <unnamed>: select $1`; none if it is of anything else. Parsing and
/// binding a statement is none that runs, and neither is fetching its further rows.
pub(super) fn logged<'a>(message: &'a str, detail: Option<&str>) -> Option<Logged<'a>> {
    let (lasted, rest) = match message.strip_prefix("duration: ") {
        Some(rest) => {
            let (ms, rest) = rest.split_once(" ms  ")?;
            let ms: f64 = ms.parse().ok().filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)?;
            (Duration::try_from_secs_f64(ms / 1000.0).ok(), rest)
        }
        None => (None, message),
    };
    let text = match rest.strip_prefix("statement: ") {
        Some(text) => text,
        None => {
            rest.strip_prefix("execute ").filter(|rest| !rest.starts_with("fetch from "))?.split_once(": ")?.1
        }
    };
    let text = text.trim();
    let bound = detail.and_then(parameters).unwrap_or_default();
    (!text.is_empty()).then_some(Logged { text, lasted, bound })
}

/// The values of `Parameters: $1 = 'a', $2 = NULL`; PostgreSQL 15 and older write it with a small letter.
fn parameters(detail: &str) -> Option<Vec<Option<String>>> {
    let mut rest = detail.strip_prefix("Parameters: ").or_else(|| detail.strip_prefix("parameters: "))?;
    let mut values = Vec::new();
    loop {
        rest = rest.strip_prefix(&format!("${} = ", values.len() + 1))?;
        if let Some(behind) = rest.strip_prefix("NULL") {
            values.push(None);
            rest = behind;
        } else {
            let (value, behind) = quoted(rest.strip_prefix('\'')?)?;
            values.push(Some(value));
            rest = behind;
        }
        match rest.strip_prefix(", ") {
            Some(behind) => rest = behind,
            None => return Some(values),
        }
    }
}

/// The text up to its closing quote, with doubled quotes halved, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('\'')?;
        value.push_str(before);
        match behind.strip_prefix('\'') {
            Some(behind) => {
                value.push('\'');
                rest = behind;
            }
            None => return Some((value, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text, the microseconds that it took, and what was bound.
    type Expected<'a> = (&'a str, Option<u64>, &'a [Option<&'a str>]);

    fn check(message: &str, detail: Option<&str>, expected: Option<Expected<'_>>) {
        let found = logged(message, detail)
            .map(|logged| (logged.text, logged.lasted.map(|lasted| lasted.as_micros() as u64), logged.bound));
        let expected = expected.map(|(text, lasted, bound)| {
            (text, lasted, bound.iter().map(|value| value.map(ToOwned::to_owned)).collect())
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn statements_and_executions_are_told_from_the_rest() {
        check("statement: select 1", None, Some(("select 1", None, &[])));
        check("duration: 1.500 ms  statement: select 1", None, Some(("select 1", Some(1500), &[])));
        check("execute <unnamed>: select $1", None, Some(("select $1", None, &[])));
        check("duration: 0.1 ms  execute s1/p1: select ': '", None, Some(("select ': '", Some(100), &[])));
        check("execute fetch from s1: select 1", None, None);
        check("duration: 1.5 ms  parse <unnamed>: select 1", None, None);
        check("duration: 1.5 ms  bind <unnamed>: select 1", None, None);
        check("duration: 1.5 ms", None, None);
        check("duration: -1 ms  statement: select 1", None, None);
        check("database system is ready to accept connections", None, None);
    }

    #[test]
    fn parameters_are_read_in_both_spellings() {
        let with = |detail: &str, bound: &[Option<&str>]| {
            check("execute x: select $1", Some(detail), Some(("select $1", None, bound)));
        };
        with("parameters: $1 = '5'", &[Some("5")]);
        with(
            "Parameters: $1 = 'it''s, $2 = ''', $2 = NULL, $3 = ''",
            &[Some("it's, $2 = '"), None, Some("")],
        );
        with("prepare: PREPARE x AS select 1", &[]);
        with("Parameters: $1 = 'never ends", &[]);
    }
}
