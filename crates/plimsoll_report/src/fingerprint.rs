//! Fingerprints by which a code scanner recognises a finding after its file was edited.
//!
//! Made from the rule, the file and the words of the marked text, not from line numbers; equal
//! ones in one report are told apart by their order. Not a defence against forgery: anyone who
//! can edit the file can choose its fingerprint, so a short, old and simple hash is enough.

use std::collections::HashMap;

use plimsoll_core::Finding;

use crate::Rendering;

/// What a fingerprint is made from.
pub struct Print<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// The file, under a name that is the same wherever the program runs.
    pub file: &'a str,
    /// The text that the finding marks.
    pub marked: &'a str,
}

/// A fingerprint for each finding of the report, in its order.
pub(crate) fn fingerprints(rendering: &Rendering) -> Vec<String> {
    let print = |finding: &'_ Finding| {
        let source = rendering.source(finding);
        source.and_then(|source| source.text().get(source.range(&finding.location)))
    };
    fingerprints_of(rendering.report.findings.iter().map(|finding| Print {
        rule: &finding.rule,
        file: &finding.location.file,
        marked: print(finding).unwrap_or(&finding.message),
    }))
}

/// A fingerprint for each of them, in their order: 16 hexadecimal digits.
pub fn fingerprints_of<'a>(prints: impl IntoIterator<Item = Print<'a>>) -> Vec<String> {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    prints
        .into_iter()
        .map(|print| {
            let words = print.marked.split_whitespace();
            let content = fnv1a([print.rule, print.file].into_iter().chain(words));
            let occurrence = seen.entry(content).or_default();
            *occurrence += 1;
            format!("{:016x}", content.wrapping_add(*occurrence - 1))
        })
        .collect()
}

/// FNV-1a, 64 bits, with a byte that no UTF-8 has between the parts.
fn fnv1a<'a>(parts: impl Iterator<Item = &'a str>) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = parts.flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::{Report, SourceFile};

    use super::*;
    use crate::{Colour, Sources, sample};

    fn of(text: &str, statements: &[&str]) -> Vec<String> {
        let source = SourceFile::new("a.sql", text);
        let findings = statements
            .iter()
            .map(|statement| {
                let start = text.find(statement).unwrap();
                sample::finding("rule", source.location(start..start + statement.len()))
            })
            .collect();
        let report = Report::new(findings, None, None, Vec::new());
        let rendering = Rendering {
            report: &report,
            sources: Sources::new(std::slice::from_ref(&source)),
            colour: Colour::Never,
            width: 80,
            rule_help: &|_| None,
        };
        fingerprints(&rendering)
    }

    #[test]
    fn moved_and_reindented_text_keeps_its_fingerprint() {
        assert_eq!(of("drop table a;", &["drop table a"]), of("\n\n  drop\n table a;", &["drop\n table a"]));
        assert_ne!(of("drop table a;", &["drop table a"]), of("drop table b;", &["drop table b"]));
    }

    #[test]
    fn equal_findings_differ_by_their_order() {
        let both = of("drop table a;", &["drop table a", "drop table a"]);
        assert_ne!(both[0], both[1]);
    }
}
