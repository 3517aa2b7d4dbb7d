//! The JSON contract: the report as serde sees it. Its schema is `docs/report.schema.json`.

use plimsoll_core::Report;

/// Writes the report as indented JSON.
pub(crate) fn render(report: &Report) -> String {
    pretty(report)
}

/// Any of our values as indented JSON with a newline at the end.
pub(crate) fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("our types have string keys and no serializer of theirs fails");
    text.push('\n');
    text
}
