//! What an editor offers at a finding: the rule's own fix, and a comment that ignores it there.

use std::collections::HashMap;
use std::ops::Range;

use gen_lsp_types::{CodeAction, CodeActionContext, CodeActionKind, TextEdit, WorkspaceEdit};
use plimsoll_core::{Finding, Fix};

use crate::diagnostics::diagnostic;
use crate::document::Document;
use crate::judge::Judged;

/// What can be done about the findings in a range, in their order.
pub(crate) fn actions(
    document: &Document,
    judged: &Judged,
    bytes: &Range<usize>,
    context: &CodeActionContext,
) -> Vec<CodeAction> {
    let is_wanted = |kind: &CodeActionKind| {
        let kind = kind.as_str();
        kind.is_empty() || kind == CodeActionKind::QuickFix.as_str()
    };
    if context.only.as_ref().is_some_and(|kinds| !kinds.iter().any(is_wanted)) {
        return Vec::new();
    }
    let mut found: Vec<&Finding> = judged
        .findings
        .iter()
        .filter(|finding| {
            let place = judged.migration.source.range(&finding.location);
            place.start <= bytes.end && bytes.start <= place.end
        })
        .collect();
    found.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
    let fixes = found.iter().filter_map(|finding| {
        let fix = finding.fix.as_ref()?;
        Some(action(
            document,
            judged,
            finding,
            fix.title.clone(),
            edits(document, judged, fix),
            Preferred::Yes,
        ))
    });
    let ignores = found.iter().filter_map(|finding| {
        let title = format!("Ignore {} here", finding.rule);
        let edit = ignoring(document, judged, finding)?;
        Some(action(document, judged, finding, title, vec![edit], Preferred::No))
    });
    fixes.chain(ignores).collect()
}

/// Whether an editor may take an action without asking which.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Preferred {
    Yes,
    No,
}

fn action(
    document: &Document,
    judged: &Judged,
    finding: &Finding,
    title: String,
    edits: Vec<TextEdit>,
    preferred: Preferred,
) -> CodeAction {
    CodeAction {
        title,
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![diagnostic(document, judged, finding)]),
        is_preferred: (preferred == Preferred::Yes).then_some(true),
        edit: Some(WorkspaceEdit {
            changes: Some(HashMap::from([(document.uri.clone(), edits)])),
            ..WorkspaceEdit::default()
        }),
        ..CodeAction::default()
    }
}

fn edits(document: &Document, judged: &Judged, fix: &Fix) -> Vec<TextEdit> {
    let edit = |edit: &plimsoll_core::Edit| TextEdit {
        range: document.range(&judged.migration.source.range(&edit.location)),
        new_text: edit.text.clone(),
    };
    fix.edits.iter().map(edit).collect()
}

/// A comment that is for the finding's statement alone. None where the finding is about no
/// statement: then there is none to ignore.
fn ignoring(document: &Document, judged: &Judged, finding: &Finding) -> Option<TextEdit> {
    let statement = judged.migration.statements.get(finding.statement?)?;
    let text = judged.migration.source.text();
    let start = statement.range.start;
    let line = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let indent = &text[line..start];
    let words = format!("plimsoll: ignore {} -- reason", finding.rule);
    let new_text = match indent.trim().is_empty() {
        true => format!("-- {words}{}{indent}", document.line_end()),
        // Something else stands on its line, for which a line of its own would be.
        false => format!("/* {words} */ "),
    };
    Some(TextEdit { range: document.range(&(start..start)), new_text })
}
