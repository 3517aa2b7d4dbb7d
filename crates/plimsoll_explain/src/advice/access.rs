//! How rows are found: scans and indexes.

use super::{Case, blocks, relation, rows};
use plimsoll_core::plan::PlanNode;

/// Rows thrown away from which it is worth a word.
const MANY: f64 = 1_000.0;

/// Rows over all loops that a filter threw away, and those that it kept.
fn filtered(node: &PlanNode) -> (f64, f64) {
    let removed = node.rows_removed_by_filter.unwrap_or_default() * node.loops() as f64;
    (removed, node.total_rows())
}

/// A sequential scan's filter that throws away nine rows of ten.
fn wasteful_filter<'a>(case: &Case<'a>) -> Option<(&'a str, f64, f64)> {
    let node = case.node();
    let filter = node.condition("Filter").filter(|_| node.node_type == "Seq Scan")?;
    let (removed, kept) = filtered(node);
    (removed >= MANY && removed >= 9.0 * kept).then_some(())?;
    case.matters()?;
    Some((filter, removed, kept))
}

pub(super) fn filtered_seq_scan(case: &Case<'_>) -> Option<String> {
    let (filter, removed, kept) = wasteful_filter(case)?;
    if computed_column(filter).is_some() || in_subplan(case) || filter.contains("SubPlan") {
        return None;
    }
    let name = relation(case.node());
    Some(format!(
        "{name} is read whole: {} of {} rows are thrown away by {filter}; an index on those columns would read {}",
        rows(removed),
        rows(removed + kept),
        rows(kept)
    ))
}

pub(super) fn function_on_column(case: &Case<'_>) -> Option<String> {
    let (filter, removed, kept) = wasteful_filter(case)?;
    let expression = computed_column(filter)?;
    let name = relation(case.node());
    Some(format!(
        "{name} is read whole: {} of {} rows are thrown away by a condition on {expression}, which an index on the column can't answer; compare the column itself, or index the expression",
        rows(removed),
        rows(removed + kept)
    ))
}

/// Words that stand before a bracket and are no function.
const WORDS: [&str; 12] =
    ["AND", "OR", "NOT", "ANY", "ALL", "IN", "IS", "WHEN", "THEN", "ELSE", "CASE", "SubPlan"];

/// The first function of a column, or cast of one that an index doesn't see through.
fn computed_column(filter: &str) -> Option<&str> {
    function(filter).or_else(|| cast(filter))
}

/// `lower(name)`.
fn function(filter: &str) -> Option<&str> {
    let bytes = filter.as_bytes();
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => {
                let start = filter[..at]
                    .rfind(|one: char| !(one.is_alphanumeric() || one == '_'))
                    .map_or(0, |at| at + 1);
                let start = start.min(at);
                let word = filter.get(start..at)?;
                if word.is_empty() || WORDS.contains(&word) || filter[..start].ends_with("::") {
                    continue;
                }
                let length = closing(&filter[at..])?;
                let arguments = &filter[at + 1..at + length - 1];
                if names_column(arguments) {
                    return filter.get(start..at + length);
                }
            }
            _ => {}
        }
    }
    None
}

/// `(id)::numeric`; a cast to text of a varchar costs nothing.
fn cast(filter: &str) -> Option<&str> {
    let (at, _) = filter.match_indices(")::").find(|(at, _)| {
        let kind = &filter[at + 3..];
        let harmless = ["text", "bpchar", "character varying"].iter().any(|one| kind.starts_with(one));
        let inside = filter[..*at].rfind('(').map_or("", |open| &filter[open + 1..*at]);
        !harmless && names_column(inside)
    })?;
    let open = filter[..at].rfind('(')?;
    let kind = &filter[at + 3..];
    let end = kind.find(|one: char| !(one.is_alphanumeric() || one == '_')).unwrap_or(kind.len());
    filter.get(open..at + 3 + end)
}

/// The length of a text in brackets.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether something outside of quotes, and that isn't a type, is a name.
fn names_column(text: &str) -> bool {
    let mut quoted = false;
    let mut before = ' ';
    for one in text.chars() {
        let begins = !quoted && (one.is_alphabetic() || one == '_' || one == '"');
        if begins && !before.is_alphanumeric() && before != '_' && before != ':' && before != '$' {
            return true;
        }
        if one == '\'' {
            quoted = !quoted;
        }
        before = one;
    }
    false
}

fn in_subplan(case: &Case<'_>) -> bool {
    let own = case.node();
    let is_sub = |node: &PlanNode| node.parent_relationship.as_deref() == Some("SubPlan");
    own.loops() > 1 && (is_sub(own) || case.ancestors().any(is_sub))
}

pub(super) fn missing_index(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    if let Some((filter, removed, kept)) = wasteful_filter(case).filter(|_| in_subplan(case)) {
        return Some(format!(
            "{} is read whole {} times: {} of {} rows are thrown away by {filter}; an index on its column would find them",
            relation(node),
            rows(node.loops() as f64),
            rows(removed),
            rows(removed + kept)
        ));
    }
    let filter = node.condition("Join Filter").filter(|_| node.node_type == "Nested Loop")?;
    let removed = node.rows_removed_by_join_filter.unwrap_or_default() * node.loops() as f64;
    let kept = node.total_rows();
    (removed >= 10.0 * MANY && removed >= 9.0 * kept).then_some(())?;
    case.matters_below()?;
    Some(format!(
        "{} of {} pairs of rows are thrown away by {filter}; an index on a column of it would find the others",
        rows(removed),
        rows(removed + kept)
    ))
}

pub(super) fn index_filter(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let is_index = matches!(node.node_type.as_str(), "Index Scan" | "Index Only Scan" | "Bitmap Heap Scan");
    let filter = node.condition("Filter").filter(|_| is_index)?;
    let (removed, kept) = filtered(node);
    (removed >= MANY && removed >= 9.0 * kept).then_some(())?;
    case.matters()?;
    let index = node.index.clone().unwrap_or_else(|| "the bitmap".to_owned());
    Some(format!(
        "{index} finds {} rows, of which {} are thrown away by {filter}; an index with that column too would find {}",
        rows(removed + kept),
        rows(removed),
        rows(kept)
    ))
}

pub(super) fn index_partly_used(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let condition = node.condition("Index Cond")?;
    let found = node.total_rows() + (node.rows_removed_by_filter.unwrap_or_default()) * node.loops() as f64;
    // A row of an Index Scan is on a page of its own at worst, beside that of the index.
    let table =
        if node.node_type == "Index Scan" { found } else { node.heap_fetches.unwrap_or_default() as f64 };
    let descents = node.index_searches.unwrap_or_default().max(node.loops()).max(1) as f64;
    let searches =
        if node.index_searches.unwrap_or_default() > node.loops() { node.loops() as f64 } else { descents };
    let expected = 4.0 * searches + found / 20.0 + table;
    let touched = case.figure().own_shared();
    (touched >= 50 && touched as f64 >= 10.0 * expected).then_some(())?;
    case.matters()?;
    Some(format!(
        "{} touches {} to find {} rows by {condition}; with the compared columns first in an index, about {} would do",
        node.index.as_deref().unwrap_or("the index"),
        blocks(touched),
        rows(found),
        rows(expected.ceil())
    ))
}

pub(super) fn heap_fetches(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let fetches = node.heap_fetches.filter(|fetches| *fetches >= 100)?;
    let all = node.total_rows().max(1.0);
    (fetches as f64 >= all / 10.0).then_some(())?;
    case.matters()?;
    let name = relation(node);
    Some(format!(
        "{} of {} rows of the index-only scan were looked up in {name}: VACUUM {name} sets its visibility map",
        rows(fetches as f64),
        rows(all.max(fetches as f64))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_columns_are_told_from_plain_ones() {
        let found = [
            ("(lower(name) = 'a'::text)", Some("lower(name)")),
            ("((id)::numeric = 5.0)", Some("(id)::numeric")),
            ("(date_trunc('day'::text, at) = now())", Some("date_trunc('day'::text, at)")),
            ("((name)::text = 'x'::text)", None),
            ("((a = 1) AND (b = 'lower(x)'::text))", None),
            ("(port = ANY ('{1,2}'::integer[]))", None),
            ("(at > now())", None),
            ("(price < ('1'::text)::numeric)", None),
        ];
        for (filter, expected) in found {
            assert_eq!(computed_column(filter), expected, "{filter}");
        }
    }
}
