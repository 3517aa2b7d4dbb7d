//! Findings as the client shows them.

use gen_lsp_types::{Diagnostic, DiagnosticSeverity, DiagnosticTag, PublishDiagnosticsParams};
use plimsoll_core::{Claim, Finding, Severity};
use plimsoll_lint::names::UNUSED_IGNORE;
use serde_json::{Value, json};

use crate::document::Document;
use crate::judge::Judged;

/// What stands before a diagnostic's code.
const SOURCE: &str = "plimsoll";

/// All diagnostics of a document; none of one that wasn't judged.
pub(crate) fn diagnostics(document: &Document, judged: Option<&Judged>) -> PublishDiagnosticsParams {
    let mut findings: Vec<&Finding> = judged.iter().flat_map(|judged| &judged.findings).collect();
    findings.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
    let all = judged.iter().flat_map(|judged| findings.iter().map(|one| diagnostic(document, judged, one)));
    PublishDiagnosticsParams {
        uri: document.uri.clone(),
        version: Some(document.version),
        diagnostics: all.collect(),
    }
}

/// One finding. Its `data` says what it claims of which relation, and what to do.
pub(crate) fn diagnostic(document: &Document, judged: &Judged, finding: &Finding) -> Diagnostic {
    let bytes = judged.migration.source.range(&finding.location);
    Diagnostic {
        range: document.range(&bytes),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Note => DiagnosticSeverity::Information,
        }),
        code: Some(finding.rule.clone().into()),
        source: Some(SOURCE.to_owned()),
        message: format!("{}\n{}", finding.message, finding.remedy).into(),
        tags: (finding.rule == UNUSED_IGNORE).then(|| vec![DiagnosticTag::Unnecessary]),
        data: claimed(&finding.claim),
        ..Diagnostic::default()
    }
}

fn claimed(claim: &Claim) -> Option<Value> {
    let Claim::Lock { relation, mode, work } = claim else { return None };
    Some(json!({ "relation": relation, "lock": mode.sql(), "work": work.map(plimsoll_core::Work::verb) }))
}
