//! `plimsoll logs workload`: what a service sends, with rates, for `check` and `rehearse`.

use plimsoll_core::Location;
use plimsoll_core::units::{count, plural};
use plimsoll_core::workload::{WorkloadStatement, write_workload};
use plimsoll_traffic::SeenQuery;

use super::seen::seen;
use crate::corpus::literals::harmless_text;
use crate::corpus::saved::{kept, name_of, told_of_hidden, touches_rows};
use crate::exit::{CLEAN, Failure};
use crate::logs_args::WorkloadArguments;
use crate::output::{tell, write_file};

/// Over less time there is no rate to speak of.
const SHORTEST_S: f64 = 1.0;

pub(super) fn write(arguments: &WorkloadArguments) -> Result<u8, Failure> {
    let read = seen(&arguments.files, &arguments.input)?;
    let mut queries: Vec<&SeenQuery> =
        read.collector.queries().iter().filter(|query| touches_rows(&query.text)).collect();
    if queries.is_empty() {
        return Err(Failure::input(format!(
            "write a workload: none of the {} messages is of a query that reads or writes rows; have the server log them, by \
             log_min_duration_statement = 0 for a while",
            count(read.records)
        )));
    }
    let Some(seconds) = read.lasted_s().filter(|seconds| *seconds >= SHORTEST_S) else {
        return Err(Failure::input(
            "write a workload: the log has no moments, or is of less than a second, so there is no rate; have log_line_prefix \
             hold %m",
        ));
    };
    queries.sort_by(|one, other| other.calls().cmp(&one.calls()).then_with(|| one.text.cmp(&other.text)));
    let all = queries.len();
    queries.truncate(arguments.top);
    let mut hidden = 0;
    let statements: Vec<WorkloadStatement> =
        queries.iter().filter_map(|query| statement(query, seconds, arguments, &mut hidden)).collect();
    write_file(&arguments.output, &write_workload(&statements))?;
    let shown = arguments.output.display();
    tell(&format!(
        "{} with rates over {seconds:.0} s written to {shown}.",
        plural(statements.len(), "query")
    ));
    if all > queries.len() {
        tell(&format!("They ran most often of {}; --top takes more.", count(all as u64)));
    }
    told_of_hidden(hidden).iter().for_each(|note| tell(note));
    Ok(CLEAN)
}

fn statement(
    query: &SeenQuery,
    seconds: f64,
    arguments: &WorkloadArguments,
    hidden: &mut usize,
) -> Option<WorkloadStatement> {
    let first = query.samples.first()?;
    // Where the values are literals, the first text stands for all.
    let alike = query.samples.iter().filter(|sample| sample.text == first.text);
    let sets = alike.map(|sample| kept(&sample.bound, arguments.keep_values, hidden)).collect();
    Some(WorkloadStatement {
        name: name_of(query),
        sql: harmless_text(&first.text, arguments.keep_values, hidden),
        parameters: sets,
        rate_per_s: query.calls() as f64 / seconds,
        location: Location { file: String::new(), line: 1, column: 1, end_line: 1, end_column: 1 },
    })
}
