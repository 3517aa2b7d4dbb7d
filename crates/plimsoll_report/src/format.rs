//! The formats' names: one table that arguments, help and documentation read.

use std::fmt;
use std::str::FromStr;

/// A format that a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text for a person at a terminal.
    Terminal,
    /// A line a finding.
    Short,
    /// The JSON contract.
    Json,
    /// One self-contained page.
    Html,
    /// A comment on a pull request.
    Markdown,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// Reviewdog's Diagnostic Format.
    Rdjson,
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {0:?}; the formats are {names}", names = Format::names())]
pub struct UnknownFormat(pub String);

/// Name and description of each format, in [`Format::ALL`]'s order.
const TABLE: [(Format, &str, &str); 10] = [
    (Format::Terminal, "terminal", "text for a person, with excerpts and carets"),
    (Format::Short, "short", "a line a finding, as compilers print them"),
    (Format::Json, "json", "everything, for programs; see docs/report.schema.json"),
    (Format::Html, "html", "one self-contained page with a timeline of locks and plan trees"),
    (Format::Markdown, "markdown", "a comment for a pull request, in GitHub's Markdown"),
    (Format::Sarif, "sarif", "SARIF 2.1.0, for code scanning"),
    (Format::Junit, "junit", "JUnit XML, for a CI's test page"),
    (Format::Github, "github", "annotations, as GitHub Actions' workflow commands"),
    (Format::Gitlab, "gitlab", "GitLab's Code Quality report"),
    (Format::Rdjson, "rdjson", "reviewdog's Diagnostic Format, with suggestions"),
];

impl Format {
    /// All formats.
    pub const ALL: [Self; 10] = {
        let mut all = [Self::Terminal; 10];
        let mut at = 0;
        while at < TABLE.len() {
            assert!(TABLE[at].0 as usize == at, "the table has another order than the enum");
            all[at] = TABLE[at].0;
            at += 1;
        }
        all
    };

    /// The word that selects it: `terminal`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it is for, in one line.
    #[must_use]
    pub const fn description(self) -> &'static str {
        TABLE[self as usize].2
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == word).ok_or_else(|| UnknownFormat(word.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        let error = "xml".parse::<Format>().unwrap_err();
        insta::assert_snapshot!(error, @r#"unknown format "xml"; the formats are terminal, short, json, html, markdown, sarif, junit, github, gitlab, rdjson"#);
    }
}
