//! The workload of a check: named queries with rates, and the statements of a workload file.

use std::path::Path;

use plimsoll_core::units::{count, plural};
use plimsoll_core::workload::{WorkloadStatement, parse_rate, read_workload};
use plimsoll_core::{Location, SourceFile};
use plimsoll_lint::names::nearest;
use plimsoll_logs::{Summary, psum};
use plimsoll_sql::outline::Outline;
use plimsoll_sql::{Command, Migration, NormalForm, TransactionHabit};

use crate::args::CheckArguments;
use crate::corpus::CorpusQuery;
use crate::exit::Failure;
use crate::inputs::read_source;
use crate::output::tell;
use crate::settings::{QueryRate, Settings};

/// The workload; empty if none is known. Also the workload file's text.
pub(super) fn workload(
    settings: &Settings,
    arguments: &CheckArguments,
    queries: &[CorpusQuery],
) -> Result<(Vec<WorkloadStatement>, Option<SourceFile>), Failure> {
    let mut statements = of_queries(settings, queries)?;
    let file = match &arguments.workload {
        Some(path) => Some(settings.current.join(path)),
        None => settings.workload.file.clone(),
    };
    if let Some(file) = &file
        && let Some(summary) = summary_of(file)?
    {
        add_rates(&mut statements, queries, &summary, file)?;
        return Ok((statements, None));
    }
    let source = file.map(|file| read_source(&file, &settings.current)).transpose()?;
    if let Some(source) = &source {
        add_file(&mut statements, source)?;
    }
    statements.iter().try_for_each(require_one_request)?;
    if statements.is_empty() && arguments.load {
        return Err(Failure::input(
            "use --load: no workload is known; give rates of queries in [workload.rates] of plimsoll.toml, or name a file \
             by --workload",
        ));
    }
    Ok((statements, source))
}

/// Requests share connections: one that opens a transaction would leave it to the next, with all of its locks.
fn require_one_request(statement: &WorkloadStatement) -> Result<(), Failure> {
    let WorkloadStatement { name, sql, location: Location { file, line, column, .. }, .. } = statement;
    let whole = 0..sql.len();
    let script = Migration::new(SourceFile::new("workload", sql.clone()), whole, TransactionHabit::Statement);
    let why = match &script.statements[..] {
        [] => "it holds no statement".to_owned(),
        [one] if one.command().is_some_and(Command::is_transaction_control) => {
            "it is transaction control; requests share connections, each a transaction of its own: leave it out".to_owned()
        }
        [_] if copies_to_client(sql) => {
            "its rows go to or come from the client, which a request can't do: say COPY (…) TO '/dev/null', or a SELECT or INSERT \
             of such rows".to_owned()
        }
        [_] => return Ok(()),
        several => format!("it holds {} statements: give each a rate of its own", several.len()),
    };
    Err(Failure::input(format!("use {name} of the workload at {file}:{line}:{column}: {why}")))
}

/// Whether it is a COPY whose rows the client sends or gets.
fn copies_to_client(sql: &str) -> bool {
    let outline = Outline::of(sql);
    let first = outline.parts().first().map(|part| &part.range);
    let copies = first.is_some_and(|first| outline.find(&["copy"]).as_ref() == Some(first));
    copies && [["to", "stdout"], ["from", "stdin"]].iter().any(|words| outline.find(words).is_some())
}

/// The summary of a log, if the file is one.
fn summary_of(file: &Path) -> Result<Option<Summary>, Failure> {
    // Whether it is there is told where it is read as a text.
    let Ok(bytes) = std::fs::read(file) else { return Ok(None) };
    if !psum::is_summary(&bytes) {
        return Ok(None);
    }
    let read = psum::decode(&bytes);
    read.map(Some).map_err(|why| Failure::input(format!("read the summary {}: {why}", file.display())))
}

/// Queries of the corpus with the rates at which a log's summary has seen them. A rate in the project wins.
fn add_rates(
    statements: &mut Vec<WorkloadStatement>,
    queries: &[CorpusQuery],
    summary: &Summary,
    file: &Path,
) -> Result<(), Failure> {
    let rates = summary.rates_per_s();
    let mut form = NormalForm::default();
    let mut found = 0;
    for query in queries.iter().filter(|query| query.skip.is_none()) {
        let Some(rate_per_s) = rates.get(&form.of(&query.query.sql).0) else { continue };
        found += 1;
        if statements.iter().all(|statement| statement.name != query.query.name) {
            statements.push(of_query(query, *rate_per_s));
        }
    }
    let shown = file.display();
    if found == 0 {
        return Err(Failure::input(format!(
            "use the summary {shown} as a workload: none of its {} is a query of this project; take them from the log by \
             `plimsoll regress import --from log`, or write a workload by `plimsoll logs workload`",
            plural(rates.len(), "query")
        )));
    }
    tell(&format!(
        "note: {} of the {} that {shown} tells of are queries of this project; the others aren't in the workload",
        count(found),
        plural(rates.len(), "query")
    ));
    Ok(())
}

fn of_query(query: &CorpusQuery, rate_per_s: f64) -> WorkloadStatement {
    WorkloadStatement {
        name: query.query.name.clone(),
        sql: query.query.sql.clone(),
        parameters: query.sets.iter().map(|set| set.values.clone()).collect(),
        rate_per_s,
        location: query.source.location(query.query.range.clone()),
    }
}

fn of_queries(settings: &Settings, queries: &[CorpusQuery]) -> Result<Vec<WorkloadStatement>, Failure> {
    let rates = &settings.workload.rates;
    if let Some(rate) = rates.iter().find(|rate| queries.iter().all(|query| query.query.name != rate.query)) {
        return Err(no_such_query(settings.queries.as_deref(), queries, rate));
    }
    let mut statements = Vec::new();
    for query in queries.iter().filter(|query| query.skip.is_none()) {
        let rate_per_s = match rates.iter().find(|rate| rate.query == query.query.name) {
            Some(rate) => rate.rate_per_s,
            None => match query.query.directive("rate") {
                Some(rate) => parse_rate(&rate.value).map_err(|why| {
                    let (line, column) = query.source.line_column(rate.range.start);
                    Failure::input(format!("read {}:{line}:{column}: {why}", query.source.name()))
                })?,
                None => continue,
            },
        };
        statements.push(of_query(query, rate_per_s));
    }
    Ok(statements)
}

fn no_such_query(folder: Option<&Path>, queries: &[CorpusQuery], rate: &QueryRate) -> Failure {
    let Location { file, line, column, .. } = &rate.location;
    let name = &rate.query;
    let why = match (folder, nearest(name, queries.iter().map(|query| query.query.name.as_str()))) {
        (None, _) => "rates are of named queries, and [queries] path isn't set".to_owned(),
        (Some(_), Some(near)) => format!("there is no query `{name}`; did you mean `{near}`?"),
        (Some(folder), None) => format!("there is no query `{name}` in {}", folder.display()),
    };
    Failure::input(format!("use {file}:{line}:{column}: {why}"))
}

fn add_file(statements: &mut Vec<WorkloadStatement>, source: &SourceFile) -> Result<(), Failure> {
    let misplaced = |location: &Location, why: &str| {
        let Location { file, line, column, .. } = location;
        Failure::input(format!("read {file}:{line}:{column}: {why}"))
    };
    for statement in read_workload(source).map_err(|error| misplaced(&error.location, &error.why))? {
        if statements.iter().any(|other| other.name == statement.name) {
            let why = format!("a query with a rate is named {} too; rename one of them", statement.name);
            return Err(misplaced(&statement.location, &why));
        }
        statements.push(statement);
    }
    Ok(())
}
