//! What comments over a query say of it: `-- tags: checkout, hot`, `-- buffers_ratio: 1.5`, `-- skip: needs values`.

use plimsoll_core::{SourceFile, Thresholds};
use plimsoll_lint::names::nearest;
use plimsoll_sql::query_file::{Directive, Query};

use super::misplaced;
use crate::exit::Failure;

/// Tags, of which there may be several.
const TAGS: &str = "tags";
/// Why a query isn't run.
const SKIP: &str = "skip";
/// What the workload reads.
const RATE: &str = "rate";

/// What comments say of a query.
pub(super) struct Said {
    pub(super) tags: Vec<String>,
    pub(super) thresholds: Thresholds,
    pub(super) skip: Option<String>,
}

/// Reads a query's directives over the thresholds that it has without them. What has another key is a comment like any other,
/// unless that is a threshold's with a slip of the pen.
pub(super) fn read(query: &Query, source: &SourceFile, thresholds: Thresholds) -> Result<Said, Failure> {
    let mut said = Said { tags: Vec::new(), thresholds, skip: None };
    let mut seen: Vec<&Directive> = Vec::new();
    for directive in &query.directives {
        let wrong = |why: &str| misplaced(source, directive.range.start, why);
        let Directive { key, value, .. } = directive;
        if key == TAGS {
            for tag in value.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
                if !said.tags.iter().any(|known| known == tag) {
                    said.tags.push(tag.to_owned());
                }
            }
            continue;
        }
        let is_threshold = Thresholds::KEYS.contains(&key.as_str());
        if is_threshold || key == SKIP || key == RATE {
            if let Some(twin) = seen.iter().find(|twin| twin.key == *key) {
                let line = source.line_column(twin.range.start).0;
                return Err(wrong(&format!("query {} has its {key} in line {line} already", query.name)));
            }
            seen.push(directive);
        }
        if is_threshold {
            said.thresholds.set(key, value).map_err(|why| wrong(&why))?;
        } else if key == SKIP {
            said.skip = Some(if value.is_empty() { "its file says so".to_owned() } else { value.clone() });
        } else if let Some(near) = slip_of_the_pen(key) {
            let known = Thresholds::KEYS.join(", ");
            return Err(wrong(&format!("there is no `{key}`; did you mean `{near}`? (known: {known})")));
        }
    }
    Ok(said)
}

/// Prose has no underscores.
fn slip_of_the_pen(key: &str) -> Option<&'static str> {
    let thresholds = Thresholds::KEYS.into_iter().filter(|known| known.contains('_'));
    if key.contains('_') { nearest(key, thresholds) } else { None }
}
