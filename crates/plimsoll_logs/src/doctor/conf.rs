//! `postgresql.conf` and files like it.
//!
//! Source: PostgreSQL documentation, chapter 19.1.2: a parameter a line, the equals sign may be left out, `#` begins a comment,
//! values are quoted where they need be, a quote in them is doubled or escaped.

/// A line of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// A parameter, its name in lower case.
    Set(String, String),
    /// `include` or `include_if_exists`: the file, and whether it may be missing.
    Include(String, bool),
    /// `include_dir`: the folder, whose files ending in `.conf` are read in the order of their names.
    IncludeFolder(String),
}

/// A line that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct ConfError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a configuration file.
///
/// # Errors
/// At the first line that the server would refuse.
pub fn directives(text: &str) -> Result<Vec<Directive>, ConfError> {
    let lines = text.lines().enumerate();
    let read = lines.map(|(number, line)| {
        directive(line).map_err(|why| ConfError { line: number + 1, why: why.to_owned() })
    });
    Ok(read.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn directive(line: &str) -> Result<Option<Directive>, &'static str> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '$');
    let end = line.find(|letter: char| !is_name(letter)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() {
        return Err("a parameter's name is wanted");
    }
    let rest = rest.trim_start();
    let value = value(rest.strip_prefix('=').unwrap_or(rest).trim_start())?;
    let name = name.to_ascii_lowercase();
    Ok(Some(match name.as_str() {
        "include" => Directive::Include(value, false),
        "include_if_exists" => Directive::Include(value, true),
        "include_dir" => Directive::IncludeFolder(value),
        _ => Directive::Set(name, value),
    }))
}

fn value(text: &str) -> Result<String, &'static str> {
    let (value, rest) = match text.strip_prefix('\'') {
        Some(quoted) => quoted_value(quoted)?,
        None => {
            let end = text.find(|letter: char| letter.is_whitespace() || letter == '#').unwrap_or(text.len());
            let (value, rest) = text.split_at(end);
            (value.to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') { Ok(value) } else { Err("something follows the value") }
}

fn quoted_value(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => value.push('\''),
            '\'' => return Ok((value, &quoted[at + 1..])),
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, other)) => value.push(other),
                None => return Err("the quote isn't closed"),
            },
            other => value.push(other),
        }
    }
    Err("the quote isn't closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_server_does() {
        let set = |name: &str, value: &str| Directive::Set(name.to_owned(), value.to_owned());
        let text = "# comment\n\nLog_Line_Prefix = '%m it''s \\'x\\' # '  # behind\nport 5432\nwork_mem=4MB#x\ninclude 'a.conf'\n\
                    include_if_exists = 'b.conf'\ninclude_dir 'conf.d'\nauto_explain.log_min_duration = 1s\n";
        assert_eq!(
            directives(text).unwrap(),
            [
                set("log_line_prefix", "%m it's 'x' # "),
                set("port", "5432"),
                set("work_mem", "4MB"),
                Directive::Include("a.conf".to_owned(), false),
                Directive::Include("b.conf".to_owned(), true),
                Directive::IncludeFolder("conf.d".to_owned()),
                set("auto_explain.log_min_duration", "1s"),
            ]
        );
    }

    #[test]
    fn what_the_server_would_refuse_is_placed() {
        let error = |text: &str| directives(text).unwrap_err().to_string();
        assert_eq!(error("port 1\nx = 'open\n"), "line 2: the quote isn't closed");
        assert_eq!(error("port = 1 2"), "line 1: something follows the value");
        assert_eq!(error("= 5"), "line 1: a parameter's name is wanted");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([a-z_=' \\\\#\n]|\u{feff}|é){0,40}") {
            let _ = directives(&text);
        }
    }
}
