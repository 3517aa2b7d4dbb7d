//! A [`Report`] to bytes: one file a format, all from the same value.
//!
//! Deliberately absent: files, sockets, clocks and any judgement. What is dangerous was decided
//! before; here it is only told. Text from migrations and servers is hostile until the format's
//! own escaping has seen it.

mod evaluation;
mod excerpt;
pub mod fingerprint;
mod fixed;
mod format;
mod further;
mod github;
mod gitlab;
mod html;
mod json;
mod junit;
mod logs;
mod markdown;
mod neutral;
mod plans;
mod rdjson;
mod sarif;
mod short;
mod sources;
mod suggestions;
mod terminal;
mod traffic;
mod words;

#[cfg(test)]
mod formats_test;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hostile_test;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod schema_test;

pub use evaluation::{EvaluationFormat, render_evaluation, render_history, render_picture};
pub use format::{Format, UnknownFormat};
pub use logs::{LogFormat, LogTextFormat, render_log, render_log_diff, render_log_doctor};
pub use plans::{PLANS_FORMAT_VERSION, PlanFormat, ShownPlan, Together, render_plans};
pub use sources::Sources;
pub use suggestions::{SuggestionsFormat, render_suggestions};

use plimsoll_core::{Finding, Report, SourceFile};

/// Whether escape sequences colour the terminal format. The others have no colour or their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// ANSI escape sequences.
    Always,
}

/// What a format may tell about a rule beyond its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleHelp {
    /// One sentence.
    pub summary: String,
    /// The rule's page, in Markdown.
    pub help: String,
    /// Where the page can be read.
    pub uri: Option<String>,
}

/// All that a format needs.
pub struct Rendering<'a> {
    /// What to tell.
    pub report: &'a Report,
    /// The texts that findings point into, for excerpts and fingerprints. A missing one costs
    /// the excerpt, nothing else.
    pub sources: Sources<'a>,
    /// Colour of the terminal format.
    pub colour: Colour,
    /// Columns of the terminal.
    pub width: usize,
    /// Looks a rule up by its id.
    pub rule_help: &'a dyn Fn(&str) -> Option<RuleHelp>,
}

impl Rendering<'_> {
    /// The file that a finding points into.
    fn source(&self, finding: &Finding) -> Option<&SourceFile> {
        self.sources.named(&finding.location.file)
    }
}

/// Writes a report in one format. Ends with a newline, unless nothing is written.
#[must_use]
pub fn render(format: Format, rendering: &Rendering) -> String {
    match format {
        Format::Terminal => terminal::render(rendering),
        Format::Short => short::render(rendering.report),
        Format::Json => json::render(rendering.report),
        Format::Html => html::render(rendering),
        Format::Markdown => markdown::render(rendering),
        Format::Sarif => sarif::render(rendering),
        Format::Junit => junit::render(rendering),
        Format::Github => github::render(rendering.report),
        Format::Gitlab => gitlab::render(rendering),
        Format::Rdjson => rdjson::render(rendering),
    }
}
