//! A folded table of the queries that took most time.

use plimsoll_core::traffic::{QueryTraffic, Traffic};
use plimsoll_core::units::{count, duration_ms};

use super::{code, more, within_budget};
use crate::neutral::clipped;

/// Queries that are listed; the others are counted.
const LISTED: usize = 20;
/// Characters of a query in its cell.
const QUERY_CHARACTERS: usize = 200;

/// Writes the table, if a statement ran.
pub(super) fn table(text: &mut String, traffic: &Traffic) {
    if traffic.statements == 0 {
        return;
    }
    text.push_str("\n<details><summary>Queries by time in total</summary>\n\n");
    text.push_str(
        "| Calls | Total | Median | p99 | Rows | Query |\n| ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    let left_out = within_budget(text, traffic.queries.iter().take(LISTED).map(row));
    more(text, left_out + traffic.queries.len().saturating_sub(LISTED));
    text.push_str("\n</details>\n");
}

fn row(query: &QueryTraffic) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} |\n",
        count(query.calls),
        duration_ms(query.total_ms),
        duration_ms(query.p50_ms),
        duration_ms(query.p99_ms),
        count(query.rows),
        code(&clipped(&query.query, QUERY_CHARACTERS))
    )
}
