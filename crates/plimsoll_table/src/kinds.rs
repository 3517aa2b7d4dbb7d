//! Kinds of labels: which spellings are the same, which say that a case is positive, and which stand in a file.

use std::fmt::{self, Display, Formatter};

use crate::error::{TableError, shown};
use crate::number::number;
use crate::wanted::Wanted;

/// What a label says, however it is spelled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Number(f64),
    /// `true` and `false` in any case.
    Flag(bool),
    /// `t` and `f` in either case.
    Letter(bool),
    Text(Box<[u8]>),
}

impl Kind {
    /// That of a cell: numbers are equal as numbers, true and false in any case, and all others to the letter.
    pub(crate) fn of(cell: &[u8]) -> Self {
        let trimmed = cell.trim_ascii();
        let is = |word: &str| trimmed.eq_ignore_ascii_case(word.as_bytes());
        match () {
            () if is("true") => Self::Flag(true),
            () if is("false") => Self::Flag(false),
            () if is("t") => Self::Letter(true),
            () if is("f") => Self::Letter(false),
            () => number(trimmed).map_or_else(|| Self::Text(cell.into()), Self::Number),
        }
    }

    /// Whether it says of itself that a case is positive.
    fn says(&self) -> Option<bool> {
        match self {
            Self::Number(number) if *number == 1.0 => Some(true),
            Self::Number(number) if *number == 0.0 || *number == -1.0 => Some(false),
            Self::Flag(positive) | Self::Letter(positive) => Some(*positive),
            Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// Whether two kinds are two sides of one way to write labels.
    fn opposes(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && matches!((self.says(), other.says()), (Some(one), Some(other)) if one != other)
    }
}

/// A kind of label, as it first stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    kind: Kind,
    text: String,
    /// The row in which it is first, from 1.
    row: u64,
}

impl Seen {
    /// How it is spelled there, cut to 40 characters.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The row in which it first stands, from 1.
    #[must_use]
    pub const fn row(&self) -> u64 {
        self.row
    }
}

impl Display for Seen {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} (first in row {})", self.text, self.row)
    }
}

/// By what labels are judged.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    positive: Option<Kind>,
}

impl Rule {
    pub(crate) fn new(positive: Option<&str>) -> Self {
        Self { positive: positive.map(|positive| Kind::of(positive.as_bytes())) }
    }

    /// Whether a kind is positive. One that nothing is known of is negative: the kinds are refused at the end.
    pub(crate) fn judge(&self, kind: &Kind) -> bool {
        match &self.positive {
            Some(positive) => is_positive(kind, positive),
            None => kind.says().unwrap_or(false),
        }
    }
}

/// A flag in a column of flags has no spelling: 1 and 0 name it as well.
fn is_positive(kind: &Kind, positive: &Kind) -> bool {
    match (kind, positive) {
        (Kind::Flag(one) | Kind::Letter(one), Kind::Flag(other) | Kind::Letter(other)) => one == other,
        _ => kind == positive,
    }
}

/// More aren't kept: three are too many already.
const MOST: usize = 3;

/// The kinds of labels in a file, or a part of it, in the order in which they appear.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    seen: Vec<Seen>,
}

impl Kinds {
    /// Notes that a kind stands in a row (from 1), where it is new.
    pub(crate) fn note(&mut self, kind: Kind, text: &[u8], row: u64) {
        if self.seen.len() < MOST && self.seen.iter().all(|seen| seen.kind != kind) {
            self.seen.push(Seen { kind, text: shown(text), row });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.seen.clear();
    }

    /// Takes those of a later part, before which `rows` stand.
    pub(crate) fn join(&mut self, later: &Self, rows: u64) {
        for seen in &later.seen {
            if self.seen.len() < MOST && self.seen.iter().all(|earlier| earlier.kind != seen.kind) {
                self.seen.push(Seen { row: seen.row + rows, ..seen.clone() });
            }
        }
    }

    /// The row of the third kind, which is one too many where no positive class is named.
    pub(crate) fn one_too_many(&self, rule: &Rule) -> Option<u64> {
        if rule.positive.is_some() { None } else { self.seen.get(MOST - 1).map(|seen| seen.row) }
    }

    pub(crate) fn three(&self, column: &str) -> TableError {
        TableError::ThreeKinds { column: column.to_owned(), kinds: self.seen.clone() }
    }

    /// Checks that the kinds tell which is positive.
    pub(crate) fn check(&self, rule: &Rule, column: &str) -> Result<(), TableError> {
        if rule.positive.is_some() {
            return Ok(());
        }
        match &self.seen[..] {
            [] => Ok(()),
            [only] if only.kind.says().is_some() => Ok(()),
            [one, other] if one.kind.opposes(&other.kind) => Ok(()),
            [_, _, _] => Err(self.three(column)),
            kinds => Err(TableError::Undecided { column: column.to_owned(), kinds: kinds.to_vec() }),
        }
    }

    /// Checks that some row has the class that was named as the positive one.
    pub(crate) fn check_named(&self, wanted: &Wanted, labels: &[bool]) -> Result<(), TableError> {
        match &wanted.positive {
            Some(positive) if !labels.contains(&true) => {
                let (column, positive) = (wanted.label.clone(), positive.clone());
                Err(TableError::NoPositive { column, positive, kinds: self.seen.clone() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &[&str], expected: Result<(), &str>) {
        let mut kinds = Kinds::default();
        for (row, label) in (1..).zip(labels) {
            kinds.note(Kind::of(label.as_bytes()), label.as_bytes(), row);
        }
        let told = kinds.check(&Rule::new(None), "y").map_err(|error| error.to_string());
        assert_eq!(told, expected.map_err(str::to_owned), "{labels:?}");
    }

    #[test]
    fn two_sides_of_one_way_to_write_labels_decide() {
        check(&["0", "1", "1.0", "0.00", "+1"], Ok(()));
        check(&["-1", "1"], Ok(()));
        check(&["True", "FALSE", "true"], Ok(()));
        check(&["f", "T"], Ok(()));
        check(&["1"], Ok(()));
        check(&[], Ok(()));
    }

    #[test]
    fn what_does_not_decide_is_told_with_its_rows() {
        let told = r#"column "y" has labels that don't tell which is positive: "spam" (first in row 1), "ham" (first in row 3); name the positive class with --positive"#;
        check(&["spam", "spam", "ham"], Err(told));
        let told = r#"column "y" has labels that don't tell which is positive: "0" (first in row 1), "true" (first in row 2); name the positive class with --positive"#;
        check(&["0", "true"], Err(told));
        let told = r#"column "y" has three kinds of labels: "0" (first in row 1), "1" (first in row 2), "2" (first in row 4); name the positive class with --positive"#;
        check(&["0", "1", "0", "2", "3"], Err(told));
        let told = r#"column "y" has labels that don't tell which is positive: "-1" (first in row 1), "0" (first in row 2); name the positive class with --positive"#;
        check(&["-1", "0"], Err(told));
    }

    #[test]
    fn the_named_class_is_positive_and_no_other() {
        let judge = |positive, label: &str| Rule::new(Some(positive)).judge(&Kind::of(label.as_bytes()));
        assert!(judge("spam", "spam"));
        assert!(!judge("spam", "Spam"));
        assert!(!judge("spam", "1"));
        assert!(judge("2", "2.0"));
        assert!(judge("0", "0"));
        assert!(!judge("0", "1"));
        assert!(judge("false", "FALSE"));
    }
}
