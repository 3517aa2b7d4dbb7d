//! Which query a statement's text is of, told without its normal form where possible: most texts differ from an earlier one
//! in plain values alone.

use plimsoll_sql::NormalForm;
use plimsoll_sql::normal_form::{Fingerprint, Template, ValuePlace, before_literals};

use crate::hashed::ByNumber;

/// As many texts are remembered with their query. Prepared statements have the same text each time, and others often
/// differ in their values alone.
const MOST_TEXTS: usize = 1024;
/// So many of them begin alike.
const MOST_ALIKE: usize = 4;
/// Longer ones aren't remembered.
const LONGEST_TEXT: usize = 4096;

/// A text that has come before.
struct Known {
    template: Template,
    query: usize,
}

/// Numbers queries in the order in which they come.
pub struct Texts {
    form: NormalForm,
    /// Where the last statement's values stand.
    places: Vec<ValuePlace>,
    /// By the hash of the text before its literals.
    known: ByNumber<u64, Vec<Known>>,
    /// How many texts are known.
    remembered: usize,
    by_fingerprint: ByNumber<u64, usize>,
    most: usize,
}

/// What query a text is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// One that came before, by its number.
    Known(usize),
    /// A new one, whose number is the next one from 0; [`Texts::form`] tells its normal form.
    New(Fingerprint),
    /// None of the queries that are told apart, of which there are as many as may be.
    Unlisted,
}

impl Texts {
    /// Tells so many different queries apart.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            form: NormalForm::default(),
            places: Vec::new(),
            known: ByNumber::default(),
            remembered: 0,
            by_fingerprint: ByNumber::default(),
            most,
        }
    }

    /// The query that a text is of.
    pub fn query(&mut self, text: &str) -> Query {
        let key = twox_hash::XxHash3_64::oneshot(before_literals(text).as_bytes());
        for known in self.known.get(&key).into_iter().flatten() {
            if known.template.fits(text, &mut self.places) {
                return Query::Known(known.query);
            }
        }
        let fingerprint = self.form.of(text);
        self.places.clear();
        self.places.extend_from_slice(self.form.values());
        let Some(query) = self.by_fingerprint.get(&fingerprint.0).copied() else {
            let number = self.by_fingerprint.len();
            if number >= self.most {
                return Query::Unlisted;
            }
            self.by_fingerprint.insert(fingerprint.0, number);
            return Query::New(fingerprint);
        };
        // Not at first sight: many come once.
        if self.remembered < MOST_TEXTS && text.len() <= LONGEST_TEXT {
            self.remember(key, text, query);
        }
        Query::Known(query)
    }

    fn remember(&mut self, key: u64, text: &str, query: usize) {
        let alike = self.known.entry(key).or_default();
        if alike.len() < MOST_ALIKE {
            alike.push(Known { template: Template::new(text, &self.form), query });
            self.remembered += 1;
        }
    }

    /// Where the last text's values stand.
    #[must_use]
    pub fn places(&self) -> &[ValuePlace] {
        &self.places
    }

    /// The normal form of the text that was new.
    #[must_use]
    pub fn form(&self) -> &NormalForm {
        &self.form
    }
}
