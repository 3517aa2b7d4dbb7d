//! Templating in scripts: `${name}` (Flyway and others), `{{ expression }}`, `{% block %}` and
//! `{# comment #}` (Jinja, dbt, Go templates), `:name`, `:'name'` and `:"name"` (psql), `%(name)s`
//! (Python). Each is replaced by its value, or by a stand-in that parses, so that it hides nothing
//! else; a map leads back to the file.
//!
//! Only what can't be SQL is taken for a placeholder: never text in a literal, a quoted name, a
//! comment, a dollar-quoted body or the rows of a `COPY`, never a cast, a slice or an operator.
//! Tools that fill in text within literals, too, are not followed there. Deliberately absent: any
//! evaluation of a template.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;

mod scan;

use scan::scan;

/// Values by the placeholders' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(pub BTreeMap<String, String>);

/// How a placeholder is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `${name}`
    Dollar,
    /// `{{ expression }}`
    Braces,
    /// `{% block %}` or `{# comment #}`: nothing that a value could stand for.
    Block,
    /// `:name`
    Variable,
    /// `:'name'`, a literal
    VariableLiteral,
    /// `:"name"`, a quoted name
    VariableName,
    /// `%(name)s`, a literal
    Parameter,
}

/// A placeholder in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// Its bytes.
    pub range: Range<usize>,
    /// How it is written.
    pub kind: Kind,
    /// Its name: what stands between its delimiters.
    pub name: String,
    /// Whether a value took its place.
    pub filled: bool,
}

/// A script whose placeholders were replaced.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// The text that is parsed.
    pub text: String,
    /// What was replaced, in order, bytes of the script.
    pub placeholders: Vec<Placeholder>,
    /// Where the replacements stand in the text, in the same order.
    replaced: Vec<Range<usize>>,
    /// Each stand-in and what it stands for, longer ones first.
    stand_ins: Vec<(String, String)>,
}

/// A placeholder as it was found.
struct Found {
    range: Range<usize>,
    kind: Kind,
    name: String,
    /// Whether a statement begins with it.
    starts_statement: bool,
}

/// Characters of a name that a stand-in keeps.
const MOST_CHARACTERS: usize = 40;

/// Replaces a script's placeholders; none if it has none.
#[must_use]
pub fn expand(text: &str, values: &Values) -> Option<Expanded> {
    if !may_hold(text) {
        return None;
    }
    let found = scan(text);
    if found.is_empty() {
        return None;
    }
    let mut expanded = Expanded {
        text: String::with_capacity(text.len()),
        placeholders: Vec::new(),
        replaced: Vec::new(),
        stand_ins: Vec::new(),
    };
    let mut at = 0;
    for one in found {
        expanded.text.push_str(&text[at..one.range.start]);
        at = one.range.end;
        expanded.replace(text, one, values);
    }
    expanded.text.push_str(&text[at..]);
    expanded.stand_ins.sort_by_key(|(stand_in, _)| std::cmp::Reverse(stand_in.len()));
    expanded.stand_ins.dedup();
    Some(expanded)
}

impl Expanded {
    fn replace(&mut self, text: &str, found: Found, values: &Values) {
        let Found { range, kind, name, starts_statement } = found;
        let value = (kind != Kind::Block).then(|| values.of(&name)).flatten();
        let start = self.text.len();
        match value {
            Some(value) => self.text.push_str(&filled(kind, value)),
            // Nothing begins with a name: a macro that writes statements of its own, most likely.
            None if kind == Kind::Block || starts_statement => self.text.push(' '),
            None => {
                let stand_in = stand_in(&name);
                self.text.push_str(&match kind {
                    Kind::VariableLiteral => literal(&stand_in),
                    Kind::VariableName => format!("\"{stand_in}\""),
                    _ => stand_in.clone(),
                });
                self.stand_ins.push((stand_in, text[range.clone()].to_owned()));
            }
        }
        self.replaced.push(start..self.text.len());
        self.placeholders.push(Placeholder { range, kind, name, filled: value.is_some() });
    }

    /// The bytes of the script that a range of the text came from. A part of a replacement means
    /// the whole placeholder.
    #[must_use]
    pub fn origin(&self, range: Range<usize>) -> Range<usize> {
        let start = self.origin_of(range.start, |placeholder| placeholder.start);
        let end = match range.is_empty() {
            true => start,
            false => self.origin_of(range.end, |placeholder| placeholder.end),
        };
        start..end.max(start)
    }

    fn origin_of(&self, offset: usize, inside: impl Fn(&Range<usize>) -> usize) -> usize {
        let after = self.replaced.partition_point(|replaced| replaced.end <= offset);
        if let Some(replaced) = self.replaced.get(after)
            && replaced.start < offset
        {
            return inside(&self.placeholders[after].range);
        }
        match after.checked_sub(1) {
            Some(before) => self.placeholders[before].range.end + (offset - self.replaced[before].end),
            None => offset,
        }
    }

    /// Whether a range of the text is the script's own, with nothing replaced in it.
    #[must_use]
    pub fn is_original(&self, range: &Range<usize>) -> bool {
        let after = self.replaced.partition_point(|replaced| replaced.end <= range.start);
        self.replaced.get(after).is_none_or(|replaced| replaced.start >= range.end)
    }

    /// A text that quotes from the expanded one, with the placeholders back in it.
    #[must_use]
    pub fn restored<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for (stand_in, spelled) in &self.stand_ins {
            if text.contains(stand_in.as_str()) {
                text = Cow::Owned(text.replace(stand_in.as_str(), spelled));
            }
        }
        text
    }
}

impl Values {
    fn of(&self, name: &str) -> Option<&str> {
        // Go templates write `{{ .name }}`.
        self.0.get(name).or_else(|| self.0.get(name.strip_prefix('.')?)).map(String::as_str)
    }
}

/// Whether a text may hold a placeholder: a quick look that takes no literal for what it is.
fn may_hold(text: &str) -> bool {
    let bytes = text.as_bytes();
    ["${", "{{", "{%", "{#", "%("].iter().any(|opener| memmem::find(bytes, opener.as_bytes()).is_some())
        || memchr::memchr_iter(b':', bytes).any(|at| {
            let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
            let next = bytes.get(at + 1).copied().unwrap_or(b' ');
            let opens = before.is_ascii_whitespace() || b"(,=<>+-*/|.![%~&#@^".contains(&before);
            opens && (next.is_ascii_alphabetic() || b"_'\"".contains(&next) || next >= 0x80)
        })
}

/// What a value becomes where a placeholder of this kind stands.
fn filled(kind: Kind, value: &str) -> Cow<'_, str> {
    match kind {
        Kind::VariableLiteral | Kind::Parameter => Cow::Owned(literal(value)),
        Kind::VariableName => Cow::Owned(format!("\"{}\"", value.replace('"', "\"\""))),
        _ => Cow::Borrowed(value),
    }
}

fn literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if quoted.contains('\\') {
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// A name that parses wherever a name, a value or a type may stand.
fn stand_in(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let kept: String = name.chars().take(MOST_CHARACTERS).map(keep).collect();
    format!("placeholder_{kept}")
}

#[cfg(test)]
mod tests;
