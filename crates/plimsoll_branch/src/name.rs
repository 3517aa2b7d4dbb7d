//! Names of trunks and branches: never paths, and the same on every file system.

use std::fmt;
use std::str::FromStr;

/// As PostgreSQL's identifiers, which people are used to.
const LONGEST: usize = 63;

/// The name of a trunk or a branch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text that can't be a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "take {text:?} as a name: {why}; use up to 63 letters, digits, _ and -, beginning with a letter or a digit"
)]
pub struct BadName {
    text: String,
    why: &'static str,
}

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let is_letter_or_digit = |letter: char| letter.is_ascii_alphanumeric();
        let why = if text.is_empty() {
            "it is empty"
        } else if text.len() > LONGEST {
            "it is too long"
        } else if !text.starts_with(is_letter_or_digit) {
            "it begins with another character"
        } else if !text.chars().all(|letter| is_letter_or_digit(letter) || letter == '_' || letter == '-') {
            "it has other characters"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(BadName { text: text.to_owned(), why })
    }
}

impl TryFrom<String> for Name {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for good in ["a", "main", "pr-17", "Feature_2", "0"] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "/a", "-a", "_a", "a b", "é", "a\0", "a.b", &"a".repeat(64)] {
            let error = bad.parse::<Name>().unwrap_err().to_string();
            assert!(error.contains("use up to 63 letters"), "{error}");
        }
    }

    #[test]
    fn a_manifest_can_not_name_a_path() {
        assert!(serde_json::from_str::<Name>("\"../x\"").is_err());
    }
}
