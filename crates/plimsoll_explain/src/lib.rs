//! `EXPLAIN`'s output, in any of its formats, to a [`Plan`].
//!
//! Deliberately absent: files, servers, and any way to print.

pub mod advice;
mod builder;
mod decoration;
mod error;
mod figures;
mod json;
mod log;
mod properties;
mod text;
mod xml;
mod yaml;

pub use builder::MOST_LEVELS;
pub use error::ReadError;
pub use figures::{Figure, Figures, Measure};
pub use json::from_json;
pub use log::{LogPlans, LoggedPlan, from_log, is_log};
use plimsoll_core::plan::Plan;
pub use text::from_text;
pub use xml::from_xml;
pub use yaml::from_yaml;

/// A format of EXPLAIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `FORMAT TEXT`, what is printed without the option.
    Text,
    /// `FORMAT JSON`.
    Json,
    /// `FORMAT YAML`.
    Yaml,
    /// `FORMAT XML`.
    Xml,
}

impl Format {
    /// The format that a text without decoration is in.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.trim_start();
        let yaml = ["- Plan:", "Plan:", "- Query Text: \"", "Query Text: \"", "---\n"];
        match text.as_bytes().first() {
            Some(b'[' | b'{') => Self::Json,
            Some(b'<') => Self::Xml,
            _ if yaml.iter().any(|start| text.starts_with(start)) => Self::Yaml,
            _ => Self::Text,
        }
    }
}

/// Reads the plans of EXPLAIN's output in any format, with what psql and others put around it.
///
/// # Errors
/// When it isn't what EXPLAIN prints, holds no plan, or one that is deeper than [`MOST_LEVELS`].
pub fn read(text: &str) -> Result<Vec<Plan>, ReadError> {
    let bare = decoration::bare(text);
    if bare.text.trim().is_empty() {
        return Err(ReadError { line: 1, column: 1, message: "the text is empty".to_owned() });
    }
    let plans = match Format::of(&bare.text) {
        Format::Text => from_text(&bare.text),
        Format::Json => from_json(&bare.text),
        Format::Yaml => from_yaml(&bare.text),
        Format::Xml => from_xml(&bare.text),
    };
    plans.map_err(|error| bare.place(error))
}
