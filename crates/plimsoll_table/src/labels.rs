//! Labels to whether a case is positive, quickly: each spelling is judged once.

use crate::error::{Fault, shown};
use crate::kinds::{Kind, Kinds, Rule};

/// Spellings that are kept; any others are judged anew each time.
const SPELLINGS: usize = 8;

/// Judges a part's labels, and notes their kinds.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    rule: Rule,
    /// In this part; rows are counted from its start.
    pub(crate) kinds: Kinds,
    /// What labels of one byte came to.
    bytes: [Option<bool>; 256],
    /// What longer ones came to.
    spellings: Vec<(Box<[u8]>, bool)>,
    /// What the numbers 0 and 1 came to.
    numbers: [Option<bool>; 2],
    /// What false and true came to.
    flags: [Option<bool>; 2],
}

impl Labels {
    pub(crate) fn new(rule: Rule) -> Self {
        let (kinds, spellings) = (Kinds::default(), Vec::new());
        Self { rule, kinds, bytes: [None; 256], spellings, numbers: [None; 2], flags: [None; 2] }
    }

    /// Begins another part.
    pub(crate) fn clear(&mut self) {
        self.kinds.clear();
        self.bytes = [None; 256];
        self.spellings.clear();
        self.numbers = [None; 2];
        self.flags = [None; 2];
    }

    /// Whether a cell, in a row from 0, is positive.
    #[inline]
    pub(crate) fn text(&mut self, cell: &[u8], row: usize) -> Result<bool, Fault> {
        if let [byte] = cell
            && let Some(positive) = self.bytes[usize::from(*byte)]
        {
            return Ok(positive);
        }
        self.other_text(cell, row)
    }

    #[inline(never)]
    fn other_text(&mut self, cell: &[u8], row: usize) -> Result<bool, Fault> {
        if let Some((_, positive)) = self.spellings.iter().find(|(spelling, _)| **spelling == *cell) {
            return Ok(*positive);
        }
        if cell.trim_ascii().is_empty() {
            return Err(Fault::Empty("label"));
        }
        if std::str::from_utf8(cell).is_err() {
            return Err(Fault::NotUtf8 { role: "label", value: shown(cell) });
        }
        let positive = self.judge(Kind::of(cell), cell, row)?;
        if let [byte] = cell {
            self.bytes[usize::from(*byte)] = Some(positive);
        } else if self.spellings.len() < SPELLINGS {
            self.spellings.push((cell.into(), positive));
        }
        Ok(positive)
    }

    fn judge(&mut self, kind: Kind, text: &[u8], row: usize) -> Result<bool, Fault> {
        if matches!(kind, Kind::Number(number) if number.is_nan()) {
            return Err(Fault::Nan("label"));
        }
        let positive = self.rule.judge(&kind);
        self.kinds.note(kind, text, row as u64 + 1);
        Ok(positive)
    }

    /// Whether a number is positive.
    #[inline]
    pub(crate) fn number(&mut self, number: f64, row: usize) -> Result<bool, Fault> {
        let known = match number {
            0.0 => self.numbers[0],
            1.0 => self.numbers[1],
            _ => None,
        };
        match known {
            Some(positive) => Ok(positive),
            None => self.other_number(number, row),
        }
    }

    #[inline(never)]
    fn other_number(&mut self, number: f64, row: usize) -> Result<bool, Fault> {
        let positive =
            self.judge(Kind::Number(number), shown(number.to_string().as_bytes()).as_bytes(), row)?;
        if number == 0.0 || number == 1.0 {
            self.numbers[usize::from(number == 1.0)] = Some(positive);
        }
        Ok(positive)
    }

    /// Whether a flag is positive. A column of flags has no spelling, so that 1 and 0 may name them too.
    #[inline]
    pub(crate) fn flag(&mut self, flag: bool, row: usize) -> bool {
        if let Some(positive) = self.flags[usize::from(flag)] {
            return positive;
        }
        let number = Kind::Number(f64::from(u8::from(flag)));
        let positive = self.rule.judge(&Kind::Flag(flag)) || self.rule.judge(&number);
        self.kinds.note(Kind::Flag(flag), flag.to_string().as_bytes(), row as u64 + 1);
        self.flags[usize::from(flag)] = Some(positive);
        positive
    }
}
