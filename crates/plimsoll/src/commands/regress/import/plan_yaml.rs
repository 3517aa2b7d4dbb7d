//! The YAML that RegreSQL writes: maps of scalars and lists, two deep.
//!
//! Deliberately absent: the rest of YAML. What isn't of that form is refused with its line.

/// Spaces by which a line may be indented: reading goes as deep.
const DEEPEST: usize = 64;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    Null,
    Scalar(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

/// What can't be read, and its line, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) line: usize,
    pub(super) why: String,
}

impl Yaml {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(fields) = self else { return None };
        fields.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Scalar(text) = self { Some(text) } else { None }
    }

    /// The texts of a list, or of the one value that stands for it.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::List(values) => values.iter().filter_map(Self::text).collect(),
            one => one.text().into_iter().collect(),
        }
    }
}

struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<Yaml, YamlError> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed == "---" {
            continue;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line[indent..].starts_with('\t') {
            return Err(YamlError {
                line: at + 1,
                why: "a tab indents nothing in YAML; write spaces".to_owned(),
            });
        }
        if indent > DEEPEST {
            return Err(YamlError {
                line: at + 1,
                why: "it is indented deeper than is read here".to_owned(),
            });
        }
        lines.push(Line { number: at + 1, indent, text: line.trim() });
    }
    let mut at = 0;
    let value = block(&lines, &mut at)?;
    match lines.get(at) {
        Some(line) => {
            Err(YamlError { line: line.number, why: "its indent is that of nothing above".to_owned() })
        }
        None => Ok(value),
    }
}

/// The lines from here on that are indented as the first is.
fn block(lines: &[Line<'_>], at: &mut usize) -> Result<Yaml, YamlError> {
    let Some(first) = lines.get(*at) else { return Ok(Yaml::Null) };
    let indent = first.indent;
    let is_list = is_item(first.text);
    let (mut list, mut map): (Vec<Yaml>, Vec<(String, Yaml)>) = (Vec::new(), Vec::new());
    while let Some(line) =
        lines.get(*at).filter(|line| line.indent == indent && is_item(line.text) == is_list)
    {
        let wrong = |why: &str| YamlError { line: line.number, why: why.to_owned() };
        *at += 1;
        if is_list {
            list.push(scalar(line.text[1..].trim()).map_err(|why| wrong(&why))?);
            continue;
        }
        let (key, rest) = key_of(line.text).ok_or_else(|| wrong("expected `key: value`"))?;
        if map.iter().any(|(known, _)| *known == key) {
            return Err(wrong(&format!("{key} is there twice")));
        }
        let next = lines.get(*at);
        // A list may stand as far left as its key.
        let is_deeper =
            next.is_some_and(|next| next.indent > indent || next.indent == indent && is_item(next.text));
        let value = match without_comment(rest) {
            "" if is_deeper => block(lines, at)?,
            rest => scalar(rest).map_err(|why| wrong(&why))?,
        };
        map.push((key, value));
    }
    Ok(if is_list { Yaml::List(list) } else { Yaml::Map(map) })
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// A line's key, and what follows the colon.
fn key_of(text: &str) -> Option<(String, &str)> {
    if text.starts_with(['"', '\'']) {
        let (key, rest) = quoted(text).ok()?;
        return Some((key, rest.trim_start().strip_prefix(':')?.trim()));
    }
    let (key, rest) = text.split_once(": ").or_else(|| Some((text.strip_suffix(':')?, "")))?;
    Some((key.trim().to_owned(), rest.trim()))
}

fn without_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    text.split(" #").next().unwrap_or_default().trim()
}

fn scalar(text: &str) -> Result<Yaml, String> {
    if text.starts_with(['"', '\'']) {
        let (value, rest) = quoted(text)?;
        return match without_comment(rest.trim()) {
            "" => Ok(Yaml::Scalar(value)),
            _ => Err("something stands behind the closing quote".to_owned()),
        };
    }
    let text = without_comment(text);
    if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return flow_list(inside);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Ok(Yaml::Null),
        "{}" => Ok(Yaml::Map(Vec::new())),
        _ if text.starts_with(['[', '{', '|', '>', '&', '*', '!', '%', '@', '`']) => {
            Err(format!("`{text}` is more YAML than is read here: write a plain or a quoted value"))
        }
        _ => Ok(Yaml::Scalar(text.to_owned())),
    }
}

fn flow_list(text: &str) -> Result<Yaml, String> {
    let mut values = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let behind = if rest.starts_with(['"', '\'']) {
            let (value, behind) = quoted(rest)?;
            values.push(Yaml::Scalar(value));
            behind.trim_start()
        } else {
            if rest.starts_with('[') {
                return Err("a list within a list is more YAML than is read here".to_owned());
            }
            let end = rest.find(',').unwrap_or(rest.len());
            values.push(scalar(rest[..end].trim())?);
            &rest[end..]
        };
        rest = match behind.strip_prefix(',') {
            Some(behind) => behind.trim_start(),
            None if behind.is_empty() => "",
            None => return Err("expected a comma between the values of a list".to_owned()),
        };
    }
    Ok(Yaml::List(values))
}

/// A quoted text, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let unclosed = || "a quote isn't closed in its line".to_owned();
    let mut value = String::new();
    if let Some(mut rest) = text.strip_prefix('\'') {
        loop {
            let (before, behind) = rest.split_once('\'').ok_or_else(unclosed)?;
            value.push_str(before);
            match behind.strip_prefix('\'') {
                Some(behind) => {
                    value.push('\'');
                    rest = behind;
                }
                None => return Ok((value, behind)),
            }
        }
    }
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => {
                let (_, escaped) = letters.next().ok_or_else(unclosed)?;
                value.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    'x' => code(&mut letters, 2)?,
                    'u' => code(&mut letters, 4)?,
                    'U' => code(&mut letters, 8)?,
                    '"' | '\\' | '/' | ' ' => escaped,
                    other => return Err(format!("\\{other} is no escape of YAML")),
                });
            }
            letter => value.push(letter),
        }
    }
    Err(unclosed())
}

fn code(letters: &mut impl Iterator<Item = (usize, char)>, digits: usize) -> Result<char, String> {
    let digits: String = letters.take(digits).map(|(_, letter)| letter).collect();
    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
    code.ok_or_else(|| format!("{digits} is no code of a character"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Yaml {
        Yaml::Scalar(text.to_owned())
    }

    fn map(fields: &[(&str, Yaml)]) -> Yaml {
        Yaml::Map(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn plans_are_read() {
        let plan = "# a plan\nfixtures:\n- users\n- \"orders\" # both\n\n\"top-1\":\n  \"n\": \"1\"\n'it''s':\n  name: Red Hot #1\n  \
                    none: ~\n  many: [1, 'a, b', \"c\\u00e9\"]\n  url: http://x # y\n";
        let expected = map(&[
            ("fixtures", Yaml::List(vec![text("users"), text("orders")])),
            ("top-1", map(&[("n", text("1"))])),
            (
                "it's",
                map(&[
                    ("name", text("Red Hot")),
                    ("none", Yaml::Null),
                    ("many", Yaml::List(vec![text("1"), text("a, b"), text("cé")])),
                    ("url", text("http://x")),
                ]),
            ),
        ]);
        assert_eq!(parse(plan), Ok(expected));
        assert_eq!(parse("# nothing\n"), Ok(Yaml::Null));
    }

    #[test]
    fn what_is_not_read_is_placed() {
        let wrong = |text: &str| parse(text).map_err(|error| (error.line, error.why)).unwrap_err();
        assert_eq!(wrong("a:\n  b: |\n    c\n").0, 2);
        assert_eq!(wrong("a: 1\na: 2\n"), (2, "a is there twice".to_owned()));
        assert_eq!(wrong("a:\n    b: 1\n  c: 2\n"), (3, "its indent is that of nothing above".to_owned()));
        assert_eq!(wrong("a: \"b\n"), (1, "a quote isn't closed in its line".to_owned()));
        assert_eq!(wrong("a\n"), (1, "expected `key: value`".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([a-cé]|: |:\n|\n  |\n|- |[\"'#\\[\\],{}|~\t\\\\])*") {
            parse(&text).ok();
        }
    }
}
