//! The normal form of an error's message, by which errors are grouped, and which holds nobody's data.
//!
//! What a message quotes is folded to `?`, except names of things of the schema or the server, which tell one problem from
//! another: they stand behind a word such as `constraint` or `relation`. Of the rest, words with digits or `@`, what stands between
//! single quotes, key values (`=(…)`) and lines after the first are folded. PostgreSQL doesn't escape quotes inside of what it
//! quotes, so a folded value reaches to the last quote: the form may lose words, but keeps no value. Words without digits that a
//! program puts into its own errors (`RAISE EXCEPTION 'no % here', name`) can't be told from the message's own.

/// Words behind which a quoted name says what is wrong, rather than with whose data.
const NAMED_THINGS: &[&str] = &[
    "aggregate",
    "class",
    "collation",
    "column",
    "configuration",
    "constraint",
    "database",
    "domain",
    "encoding",
    "extension",
    "family",
    "field",
    "function",
    "group",
    "index",
    "language",
    "library",
    "method",
    "operator",
    "option",
    "parameter",
    "partition",
    "policy",
    "procedure",
    "publication",
    "record",
    "reference",
    "relation",
    "role",
    "routine",
    "rule",
    "schema",
    "sequence",
    "server",
    "slot",
    "subscription",
    "table",
    "tablespace",
    "trigger",
    "type",
    "user",
    "variable",
    "view",
    "window",
    "wrapper",
];

/// Begins of messages whose words, unquoted, are names: there, a word that only holds digits after a letter stays.
const NAMING: &[&str] = &[
    "aggregate ",
    "column ",
    "function ",
    "must be owner of ",
    "operator ",
    "permission denied for ",
    "procedure ",
    "routine ",
    "type ",
];

/// A message's normal form.
#[must_use]
pub fn normal_form(message: &str) -> String {
    let mut form = String::with_capacity(message.len());
    write_normal_form(message, &mut form);
    form
}

/// Writes a message's normal form to the end of a text.
pub fn write_normal_form(message: &str, into: &mut String) {
    let (line, has_more) = match message.find(['\n', '\r']) {
        Some(end) => (&message[..end], true),
        None => (message, false),
    };
    let start = into.len();
    let keeps_names = NAMING.iter().any(|begin| line.starts_with(begin));
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let before = &line[..line.len() - rest.len()];
        let length = match first {
            '"' => double_quoted(rest, before, into),
            '\'' => single_quoted(rest, before, into),
            '»' | '«' | '„' | '“' => foreign_quoted(rest, first, into),
            '(' if before.ends_with('=') => key_value(rest, into),
            _ if is_of_word(first) => word(rest, keeps_names, start, into),
            _ => {
                into.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    if has_more {
        into.push('…');
    }
}

/// A quoted text; returns its length in the message.
fn double_quoted(rest: &str, before: &str, into: &mut String) -> usize {
    let noun = before.strip_suffix(' ').and_then(|before| before.rsplit([' ', '-']).next());
    if noun.is_some_and(|noun| NAMED_THINGS.contains(&noun))
        && let Some(end) = rest[1..].find('"')
    {
        into.push_str(&rest[..end + 2]);
        return end + 2;
    }
    into.push_str("\"?\"");
    // Alone at the message's end, it has been cut: all of it is the value.
    rest.rfind('"').filter(|end| *end > 0).map_or(rest.len(), |end| end + 1)
}

/// What an apostrophe begins that doesn't stand in a word; returns its length in the message.
fn single_quoted(rest: &str, before: &str, into: &mut String) -> usize {
    let is_in_word = before.ends_with(char::is_alphanumeric);
    if is_in_word && rest[1..].starts_with(char::is_alphabetic) {
        into.push('\'');
        return 1;
    }
    into.push_str("'?'");
    let is_end = |at: &usize| *at > 0 && !rest[at + 1..].starts_with(char::is_alphanumeric);
    rest.match_indices('\'').map(|(at, _)| at).rfind(is_end).map_or(rest.len(), |end| end + 1)
}

/// What the server's other languages quote.
fn foreign_quoted(rest: &str, first: char, into: &mut String) -> usize {
    let closing = match first {
        '»' => '«',
        '«' => '»',
        '„' => '“',
        _ => '”',
    };
    into.push_str("\"?\"");
    rest[first.len_utf8()..]
        .rfind(closing)
        .map_or(rest.len(), |end| first.len_utf8() + end + closing.len_utf8())
}

/// The values of `(id)=(1)`.
fn key_value(rest: &str, into: &mut String) -> usize {
    into.push_str("(?)");
    rest.rfind(')').map_or(rest.len(), |end| end + 1)
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '@')
}

/// A word with all that is joined to it, as in `2024-01-02`, `bob.smith@example.org` or a UUID: one value if any part is of one.
fn word(rest: &str, keeps_names: bool, start: usize, into: &mut String) -> usize {
    let mut length = rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len());
    let mut is_name = is_kept(&rest[..length], keeps_names);
    while let Some(joined) = joined(&rest[length..]) {
        is_name &= is_kept(&rest[length + 1..length + joined], keeps_names);
        length += joined;
    }
    if is_name {
        into.push_str(&rest[..length]);
    } else {
        fold(into, start);
    }
    length
}

/// The length of a `-`, `.`, `:` or `+` and the word that follows at once.
fn joined(behind: &str) -> Option<usize> {
    let next = behind.strip_prefix(['-', '.', ':', '+'])?;
    let length = next.find(|letter| !is_of_word(letter)).unwrap_or(next.len());
    (length > 0).then_some(length + 1)
}

fn is_kept(word: &str, keeps_names: bool) -> bool {
    let has_digit = word.contains(|letter: char| letter.is_numeric());
    let is_name = keeps_names && word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    !word.contains('@') && (!has_digit || is_name)
}

/// A placeholder; several in a row, or in a list, are one.
fn fold(into: &mut String, start: usize) {
    let list = into[start..].trim_end_matches([' ', ',']);
    if list.ends_with('?') {
        into.truncate(start + list.len());
    } else {
        into.push('?');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(normal_form(message), expected, "{message}");
    }

    #[test]
    fn names_that_tell_problems_apart_stay() {
        for message in [
            "duplicate key value violates unique constraint \"users_email_key2\"",
            "relation \"ships_2024\" does not exist",
            "null value in column \"name\" of relation \"ships\" violates not-null constraint",
            "insert or update on table \"a\" violates foreign key constraint \"a_b_fkey\"",
            "new row for relation \"ships\" violates check constraint \"ships_id_check\"",
            "column \"x\" of relation \"y\" does not exist",
            "column reference \"id\" is ambiguous",
            "unrecognized configuration parameter \"x.y\"",
            "function md5sum2(integer) does not exist",
            "column t1.name does not exist",
            "permission denied for table users2",
            "operator does not exist: integer = text",
            "division by zero",
            "could not obtain lock on row in relation \"ships\"",
            "the server's words can't be folded",
            "user-defined re-reads are no values",
        ] {
            check(message, message);
        }
    }

    #[test]
    fn values_are_folded() {
        for (message, expected) in [
            ("syntax error at or near \"selec\"", "syntax error at or near \"?\""),
            (
                "invalid input syntax for type integer: \"a\"b c\"",
                "invalid input syntax for type integer: \"?\"",
            ),
            ("invalid input value for enum mood: \"secret\"", "invalid input value for enum mood: \"?\""),
            (
                "value \"99999999999\" is out of range for type integer",
                "value \"?\" is out of range for type integer",
            ),
            (
                "invalid value for parameter \"work_mem\": \"much\"",
                "invalid value for parameter \"work_mem\": \"?\"",
            ),
            ("prepared statement \"S_1\" already exists", "prepared statement \"?\" already exists"),
            ("value too long for type character varying(20)", "value too long for type character varying(?)"),
            (
                "invalid byte sequence for encoding \"UTF8\": 0xe2 0x28",
                "invalid byte sequence for encoding \"UTF8\": ?",
            ),
            ("user bob.smith@example.org, order 17 of 2024-01-02 failed", "user ?, order ? of ? failed"),
            ("no ship 123e4567-e89b-12d3-a456-426614174000", "no ship ?"),
            ("no ship deadbeef-e89b-aaaa", "no ship ?"),
            ("name 'O'Hara' of 'x' isn't known", "name '?' isn't known"),
            ("ids 1, 2, 3 are gone", "ids ? are gone"),
            ("Key (id, name)=(1, Ada) (x) exists", "Key (id, name)=(?) exists"),
            ("failed:\nsecret", "failed:…"),
            ("relation \"sec", "relation \"?\""),
            ("Relation »ships« existiert nicht", "Relation \"?\" existiert nicht"),
            ("could not open file \"base/1/2\": No such file", "could not open file \"?\": No such file"),
            ("process at 0/1A2B3C", "process at ?/?"),
        ] {
            check(message, expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_text_has_a_form_without_its_digits(message in any::<String>()) {
            let form = normal_form(&message);
            prop_assert_eq!(form.is_empty(), message.is_empty());
            let has_names = NAMING.iter().any(|begin| message.starts_with(begin)) || message.contains('"');
            prop_assert!(has_names || !form.contains(char::is_numeric), "{}", form);
        }

        #[test]
        fn a_quoted_value_never_stays(value in "[a-zA-Z\"' ]{0,12}secret[a-zA-Z\"' ]{0,12}") {
            for begin in ["invalid input syntax for type json: ", "syntax error at or near ", "value "] {
                let form = normal_form(&format!("{begin}\"{value}\""));
                prop_assert!(!form.contains("secret"), "{}", form);
            }
        }

        #[test]
        fn a_form_appends(message in any::<String>()) {
            let mut form = "? ".to_owned();
            write_normal_form(&message, &mut form);
            prop_assert_eq!(form, format!("? {}", normal_form(&message)));
        }
    }
}
