//! What of a log is worth waking somebody, as it is written: thresholds over a sliding window, and alerts that don't repeat.
//! Moments are those of the log's records. An alert tells queries and messages by their normal forms.

mod baseline;
mod kind;
mod live;
mod repeat;
mod watch;
mod window;

use serde::Serialize;

pub use baseline::Baseline;
pub use kind::{Kind, RULES, Rule, Unit, Wanted, parse};
pub use live::Live;
pub use watch::Watch;

use crate::time::rfc3339;

/// Something that has happened. As JSON, the object that webhooks and commands get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// The version of this object.
    pub version: u32,
    /// The kind's name.
    pub kind: &'static str,
    /// What has happened, in one line; chat services show it.
    pub text: String,
    /// When, as RFC 3339.
    pub moment: String,
    /// The query's normal form; empty if there is none.
    pub query: String,
    /// The query's fingerprint, in hexadecimal; empty if there is none.
    pub fingerprint: String,
    /// The database; empty if the log doesn't tell.
    pub database: String,
    /// `application_name`.
    pub application: String,
    /// How many of the same were kept back since the last one.
    pub suppressed: u64,
}

impl Alert {
    /// For a terminal or a file: one line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!("{} {}: {}", self.moment, self.kind, self.text);
        if self.suppressed > 0 {
            line += &format!(" ({} more since the last alert of this)", self.suppressed);
        }
        line
    }

    fn new(kind: Kind, time_us: i64, text: &str) -> Self {
        Self {
            version: 1,
            kind: kind.rule().name,
            text: printable(text),
            moment: rfc3339(time_us),
            query: String::new(),
            fingerprint: String::new(),
            database: String::new(),
            application: String::new(),
            suppressed: 0,
        }
    }
}

/// Longer texts are cut.
const LONGEST: usize = 1000;

/// A text in one line, without what a terminal would act on or what turns the direction of writing.
fn printable(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\t' | '\r' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        letter if letter.is_control() => '\u{fffd}',
        letter => letter,
    };
    let mut cut: String = text.chars().take(LONGEST).map(shown).collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests;
