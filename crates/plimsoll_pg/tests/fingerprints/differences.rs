//! Where a fingerprint and a query identifier may disagree, by reason, and on how many pairs of the corpus they do.

use plimsoll_sql::NormalForm;
use plimsoll_sql::normal_form::lexer::{Kind, Lexer, Token};

use crate::observe::Difference;

/// A reason, and on how many pairs it was seen: on PostgreSQL 15, on 18.
pub(crate) type Reason = (&'static str, usize, usize);

/// Why one fingerprint may have two identifiers.
pub(crate) const MERGED: [Reason; 4] = [
    // 15 hashes a command's text as it stands; 18 hashes its names and, in most commands, its literals. Cursors' and
    // savepoints' names are values to a fingerprint, and so is whatever is set.
    ("a command, not a query", 5179, 846),
    // A literal has a type, and a value that needs a conversion has a function call around it.
    ("values of other types", 109, 108),
    // 15 tells lists of other lengths apart, and both tell apart how many rows VALUES has.
    ("another number of values", 88, 41),
    // The precision in `current_time(3)`, casts of an array's elements, `-1::int8`, which is the negative of a cast.
    ("other", 10, 11),
];

/// Why one identifier may have two fingerprints.
pub(crate) const SPLIT: [Reason; 7] = [
    ("a column's alias", 83, 93),
    ("a literal's cast", 26, 29),
    ("parentheses around a value", 3, 3),
    ("a field of EXTRACT", 34, 34),
    ("several of these", 4, 5),
    // Optional words, the order of which a parser forgets.
    ("a command, not a query", 0, 11),
    // 18 knows a table by its alias, so that schemas and, behind one alias, tables go; optional keywords; columns that an
    // INSERT names in their own order; JSON_TABLE's columns.
    ("other", 115, 116),
];

pub(crate) fn why_merged(difference: &Difference) -> &'static str {
    let kinds = [&difference.one, &difference.other].map(|text| kinds(text));
    if is_command(&difference.one) {
        "a command, not a query"
    } else if kinds[0].len() != kinds[1].len() {
        "another number of values"
    } else if kinds[0] != kinds[1] {
        "values of other types"
    } else {
        "other"
    }
}

/// A reason, and what takes it out of a form's tokens.
type Rewrite = (&'static str, fn(&mut Vec<String>));

pub(crate) fn why_split(difference: &Difference) -> &'static str {
    const REWRITES: [Rewrite; 4] = [
        ("a column's alias", without_aliases),
        ("a literal's cast", without_casts),
        ("parentheses around a value", without_parentheses),
        ("a field of EXTRACT", without_fields),
    ];
    let forms = [&difference.one, &difference.other].map(|text| words(text));
    let same = |rewrites: &[Rewrite]| {
        let mut forms = forms.clone();
        for (_, rewrite) in rewrites {
            forms.iter_mut().for_each(rewrite);
        }
        forms.iter_mut().for_each(|form| without_numbers(form));
        forms[0] == forms[1]
    };
    if let Some((reason, _)) = REWRITES.iter().find(|rewrite| same(std::slice::from_ref(rewrite))) {
        reason
    } else if same(&REWRITES) {
        "several of these"
    } else if is_command(&difference.one) {
        "a command, not a query"
    } else {
        "other"
    }
}

fn is_command(statement: &str) -> bool {
    let first = Lexer::new(statement).find(|token| token.kind == Kind::Word);
    let word = first.map(|token| statement[token.start..token.end].to_ascii_lowercase()).unwrap_or_default();
    !["select", "insert", "update", "delete", "merge", "values", "with", "table"].contains(&word.as_str())
}

/// What kind of literal each value is, as far as the server's types go.
fn kinds(statement: &str) -> Vec<&'static str> {
    let mut form = NormalForm::default();
    form.of(statement);
    form.values().iter().map(|value| kind(&statement[value.range.clone()])).collect()
}

fn kind(value: &str) -> &'static str {
    let digits = value.trim_start_matches(['-', '+', ' ']);
    match value.as_bytes()[0] {
        b'$' if !value.ends_with('$') => "parameter",
        b'b' | b'B' | b'x' | b'X' if value.contains('\'') => "bits",
        b'n' | b'N' if value.len() == 4 => "null",
        b't' | b'T' | b'f' | b'F' => "boolean",
        _ if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            match digits.parse::<u64>() {
                Ok(0..=0x7fff_ffff) => "integer",
                Ok(0..=0x7fff_ffff_ffff_ffff) => "bigint",
                _ => "numeric",
            }
        }
        _ => "string",
    }
}

/// The tokens of the normal form.
fn words(statement: &str) -> Vec<String> {
    let form = plimsoll_sql::normal_form::normal_form(statement);
    let text = |token: Token| form[token.start..token.end].to_owned();
    Lexer::new(&form).map(text).collect()
}

fn is_value(word: &str) -> bool {
    word.starts_with('$')
}

/// What is named behind AS; of a name without AS, which can't be told from others, what ends a select list's item.
fn without_aliases(words: &mut Vec<String>) {
    while let Some(at) = words.iter().position(|word| word == "as") {
        words.drain(at..(at + 2).min(words.len()));
    }
}

fn without_casts(words: &mut Vec<String>) {
    while let Some(at) = words.windows(2).position(|pair| is_value(&pair[0]) && pair[1] == "::") {
        words.drain(at + 1..(at + 3).min(words.len()));
    }
}

fn without_parentheses(words: &mut Vec<String>) {
    while let Some(at) =
        words.windows(3).position(|three| three[0] == "(" && is_value(&three[1]) && three[2] == ")")
    {
        words.remove(at + 2);
        words.remove(at);
    }
}

fn without_fields(words: &mut Vec<String>) {
    while let Some(at) =
        words.windows(3).position(|three| three[0] == "extract" && three[1] == "(" && three[2] != "from")
    {
        words.remove(at + 2);
    }
}

/// A value is a value.
fn without_numbers(words: &mut [String]) {
    for word in words.iter_mut().filter(|word| is_value(word)) {
        *word = "$".to_owned();
    }
}
