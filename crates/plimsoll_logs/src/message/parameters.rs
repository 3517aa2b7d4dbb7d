//! Values that a statement of the extended protocol was sent with, as the log tells them in DETAIL or in CONTEXT.
//!
//! The server doubles quotes and cuts long values to `log_parameter_max_length` bytes with `...`, which a value may also end in by
//! itself.

use std::borrow::Cow;

use super::reading::small_number;

/// A list such as `$1 = 'a', $2 = NULL`, read when it is iterated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// The list as the log has it; empty where it has none.
    pub text: &'a str,
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// 1 is `$1`.
    pub number: u32,
    /// What stands between the quotes, quotes in it doubled; None is NULL.
    pub quoted: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    /// Those of a DETAIL; 15 and older write `parameters:`, later versions `Parameters:`.
    #[must_use]
    pub fn of_detail(detail: &'a str) -> Self {
        let text = match detail.as_bytes() {
            [b'p' | b'P', rest @ ..] if rest.starts_with(b"arameters: ") => &detail["parameters: ".len()..],
            _ => "",
        };
        Self { text }
    }

    /// Those of a CONTEXT, where a statement failed and `log_parameter_max_length_on_error` is set, or where a value couldn't be
    /// read.
    #[must_use]
    pub fn of_context(context: &'a str) -> Self {
        let mut rest = context;
        loop {
            let line = rest.split('\n').next().unwrap_or_default();
            if let Some(behind) = after_portal(line) {
                // Values may go on over lines.
                return Self { text: &rest[line.len() - behind.len()..] };
            }
            match rest.get(line.len() + 1..) {
                Some(next) => rest = next,
                None => return Self::default(),
            }
        }
    }

    /// The values, up to the first that can't be read, as where the log was cut.
    pub fn iter(&self) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            let (parameter, behind) = parameter(rest)?;
            rest = behind.strip_prefix(", ").unwrap_or_default();
            Some(parameter)
        })
    }

    /// Whether the log tells none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl<'a> Parameter<'a> {
    /// The value, its quotes halved; None is NULL.
    #[must_use]
    pub fn value(&self) -> Option<Cow<'a, str>> {
        let quoted = self.quoted?;
        Some(if quoted.contains("''") { quoted.replace("''", "'").into() } else { quoted.into() })
    }

    /// Whether the server may have cut it: it ends in `...`.
    #[must_use]
    pub fn may_be_cut(&self) -> bool {
        self.quoted.is_some_and(|quoted| quoted.ends_with("..."))
    }
}

/// The list of a context's line such as `unnamed portal with parameters: $1 = '1'`. It is the outermost, so the last of a context.
fn after_portal(line: &str) -> Option<&str> {
    let rest = match line.as_bytes().first()? {
        b'u' => line.strip_prefix("unnamed portal ")?,
        b'p' => named(line.strip_prefix("portal \"")?)?,
        // Up to PostgreSQL 13.
        b'e' => match line.strip_prefix("extended query \"") {
            Some(rest) => named(rest)?,
            None => line.strip_prefix("extended query ")?,
        },
        _ => return None,
    };
    rest.strip_prefix("with parameters: ").or_else(|| rest.strip_prefix("parameter "))
}

fn named(rest: &str) -> Option<&str> {
    Some(rest.split_once("\" ")?.1)
}

fn parameter(text: &str) -> Option<(Parameter<'_>, &str)> {
    let (number, rest) = small_number(text.strip_prefix('$')?)?;
    let rest = rest.strip_prefix(" = ")?;
    if let Some(behind) = rest.strip_prefix("NULL") {
        return Some((Parameter { number, quoted: None }, behind));
    }
    let rest = rest.strip_prefix('\'')?;
    let end = closing_quote(rest)?;
    Some((Parameter { number, quoted: Some(&rest[..end]) }, &rest[end + 1..]))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(b'\'', text.as_bytes().get(from..)?)?;
        if text.as_bytes().get(at + 1) != Some(&b'\'') {
            return Some(at);
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parameters: Parameters<'_>, expected: &[(u32, Option<&str>)]) {
        let all: Vec<_> = parameters.iter().map(|one| (one.number, one.value())).collect();
        let all: Vec<_> = all.iter().map(|(number, value)| (*number, value.as_deref())).collect();
        assert_eq!(all, expected);
    }

    #[test]
    fn both_spellings_of_a_detail_are_read() {
        let expected = [(1, Some("O'Hara, $2 = 'x'")), (2, None), (3, Some("")), (4, Some("a\nb"))];
        for begin in ["parameters: ", "Parameters: "] {
            let detail = format!("{begin}$1 = 'O''Hara, $2 = ''x''', $2 = NULL, $3 = '', $4 = 'a\nb'");
            check(Parameters::of_detail(&detail), &expected);
        }
        for none in ["", "prepare: PREPARE a AS SELECT 1", "Abort reason: recovery conflict", "Páram"] {
            check(Parameters::of_detail(none), &[]);
        }
    }

    #[test]
    fn a_context_tells_them_too() {
        check(Parameters::of_context("unnamed portal with parameters: $1 = 'a\nb'"), &[(1, Some("a\nb"))]);
        for line in [
            "unnamed portal with parameters: ",
            "portal \"c\" with parameters: ",
            "extended query with parameters: ",
            "extended query \"p\" with parameters: ",
        ] {
            let context = format!("PL/pgSQL function f() line 1 at RAISE\n{line}$1 = '1', $2 = NULL");
            check(Parameters::of_context(&context), &[(1, Some("1")), (2, None)]);
        }
        check(Parameters::of_context("unnamed portal parameter $3 = 'x'"), &[(3, Some("x"))]);
        check(Parameters::of_context("unnamed portal parameter $3"), &[]);
        check(Parameters::of_context("SQL statement \"select 1\""), &[]);
    }

    #[test]
    fn a_cut_value_says_that_it_may_be_cut() {
        let parameters = Parameters::of_detail("Parameters: $1 = 'abc...', $2 = 'abc'");
        let cut: Vec<_> = parameters.iter().map(|one| one.may_be_cut()).collect();
        assert_eq!(cut, [true, false]);
        check(Parameters::of_detail("Parameters: $1 = 'abc', $2 = 'ab"), &[(1, Some("abc"))]);
    }
}
