//! The orders in which tools run their files.

use std::path::Path;

/// How a tool orders its files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ordering {
    /// By path, byte by byte.
    Lexical,
    /// By path, runs of digits as numbers.
    Natural,
    /// By the dotted version behind `V`; repeatable `R__` last, by name.
    Flyway,
}

/// A part of a name: digits compare as numbers, and stand before other text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Number(u128),
    Text(String),
}

impl Ordering {
    pub(super) fn key(self, path: &Path) -> Vec<Part> {
        let text = path.to_string_lossy();
        match self {
            Self::Lexical => vec![Part::Text(text.into_owned())],
            Self::Natural => natural_key(&text),
            Self::Flyway => flyway_key(&path.file_name().unwrap_or_default().to_string_lossy()),
        }
    }
}

pub(super) fn natural_key(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let part = &rest[..end];
        parts.push(match part.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Text(part.to_owned()),
        });
        rest = &rest[end..];
    }
    parts
}

/// Versions are numbers between dots or single underscores; trailing zeros don't count.
fn flyway_key(name: &str) -> Vec<Part> {
    let (prefix, description) = name.split_once("__").unwrap_or((name, ""));
    let Some(version) = prefix.strip_prefix('V') else {
        return vec![Part::Text("R".into()), Part::Text(description.to_owned())];
    };
    let mut numbers: Vec<u128> = version.split(['.', '_']).map(|part| part.parse().unwrap_or(0)).collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers.into_iter().map(Part::Number).collect()
}
