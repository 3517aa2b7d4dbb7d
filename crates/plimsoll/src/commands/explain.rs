//! `plimsoll explain`: plans from a file, a log, or a server, with each node's own figures and advice.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::plan::Plan;
use plimsoll_pg::catalogue::{Target, Variables};
use plimsoll_pg::explain::{ExplainError, Run, explain_privately, explain_there};
use plimsoll_report::{PlanFormat, ShownPlan, Together, render_plans};

use super::check::ground::Ground;
use super::snapshot::limits;
use crate::args::{ColorChoice, ExplainArguments, ReportArguments};
use crate::exit::{CLEAN, Failure, unless_stopped};
use crate::inputs::read_text;
use crate::output::{print, tell, terminal, write_file};
use crate::private_database::{Rows, bring_to_state_before, start};
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::{Settings, current_folder};

/// How long a query may run on a server of our own.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) async fn run(
    arguments: &ExplainArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let mut plans = match query(arguments)? {
        Some(query) => unless_stopped(explained(arguments, &query, config)).await?,
        None => of_file(arguments.file.as_deref(), arguments.log.as_deref())?,
    };
    let mut together = Together::Apart;
    if let Some(other) = &arguments.compare {
        let second = of_file(Some(other), None)?;
        if plans.len() > 1 || second.len() > 1 {
            tell("note: the first plans of both are compared");
        }
        plans.truncate(1);
        plans.extend(second.into_iter().take(1));
        together = Together::Compared;
    }
    let (colour, width) = terminal(color);
    let rendered = |format: PlanFormat| render_plans(format, &plans, together, colour, width);
    match &arguments.output {
        Some(path) => write_file(path, &rendered(arguments.format))?,
        None => print(&rendered(arguments.format))?,
    }
    Ok(CLEAN)
}

/// The statement that is to be run.
fn query(arguments: &ExplainArguments) -> Result<Option<String>, Failure> {
    let query = match (&arguments.query, &arguments.query_file) {
        (Some(query), _) => query.clone(),
        (None, Some(path)) => read_text(path, &current_folder()?)?,
        (None, None) => return Ok(None),
    };
    if query.trim().trim_end_matches(';').trim().is_empty() {
        return Err(Failure::input("explain the query: it is empty"));
    }
    Ok(Some(query))
}

fn of_file(file: Option<&Path>, log: Option<&Path>) -> Result<Vec<ShownPlan>, Failure> {
    let path: PathBuf = log.or(file).unwrap_or(Path::new("-")).to_owned();
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let text = if is_stdin {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|why| Failure::environment(format!("read standard input: {why}")))?;
        // A log can hold whatever a client sent.
        String::from_utf8_lossy(&bytes).into_owned()
    } else if log.is_some() {
        let bytes = std::fs::read(&path).map_err(|why| Failure::input(format!("read {name}: {why}")))?;
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        read_text(&path, &current_folder()?)?
    };
    if log.is_some() || plimsoll_explain::is_log(&text) {
        return of_log(&name, &text);
    }
    let plans = plimsoll_explain::read(&text).map_err(|error| {
        Failure::input(format!("read {name}:{}:{}: {}", error.line, error.column, error.message))
    })?;
    let several = plans.len() > 1;
    let titled = plans.into_iter().enumerate().map(|(index, plan)| {
        let title = if several { format!("{name}, plan {}", index + 1) } else { name.clone() };
        ShownPlan { title, plan }
    });
    Ok(titled.collect())
}

fn of_log(name: &str, text: &str) -> Result<Vec<ShownPlan>, Failure> {
    let found = plimsoll_explain::from_log(text);
    for error in &found.unreadable {
        tell(&format!("note: {name}:{}:{}: {}", error.line, error.column, error.message));
    }
    if found.plans.is_empty() {
        return Err(Failure::input(format!(
            "read {name}: no plan of auto_explain is in it; set auto_explain.log_min_duration on the server"
        )));
    }
    let titled = found.plans.into_iter().map(|logged| {
        let plan =
            Plan { execution_ms: logged.plan.execution_ms.or(Some(logged.duration_ms)), ..logged.plan };
        ShownPlan { title: format!("{name}:{}", logged.line), plan }
    });
    Ok(titled.collect())
}

async fn explained(
    arguments: &ExplainArguments,
    query: &str,
    config: Option<&Path>,
) -> Result<Vec<ShownPlan>, Failure> {
    let (title, text) = match &arguments.url {
        Some(url) => there(arguments, url, query).await?,
        None => ours(arguments, query, config).await?,
    };
    let plans = plimsoll_explain::read(&text)
        .map_err(|error| Failure::environment(format!("understand what EXPLAIN answered: {error}")))?;
    let with_query = |plan: Plan| ShownPlan {
        title: title.clone(),
        plan: Plan { query: Some(query.trim().to_owned()), ..plan },
    };
    Ok(plans.into_iter().map(with_query).collect())
}

/// On a server that isn't ours: what will be run there is said beforehand.
async fn there(arguments: &ExplainArguments, url: &str, query: &str) -> Result<(String, String), Failure> {
    let target = Target::resolve(Some(url), &Variables::read()).map_err(Failure::input)?;
    let (run, word) = if arguments.analyze {
        (Run::Analyze, "EXPLAIN (ANALYZE), which runs the query,")
    } else {
        (Run::Plan, "EXPLAIN, which doesn't run the query,")
    };
    tell(&format!("runs {word} on {} in a read-only transaction", target.shown()));
    let text = explain_there(&target, limits(&arguments.server), run, query).await.map_err(failed)?;
    Ok((target.shown().to_owned(), text))
}

/// On a private server in the project's state, or on a branch of a trunk.
async fn ours(
    arguments: &ExplainArguments,
    query: &str,
    config: Option<&Path>,
) -> Result<(String, String), Failure> {
    let ground = arguments.on.as_ref().map(|trunk| Ground::of(trunk, config)).transpose()?;
    let major = ground.as_ref().map(Ground::major).or(arguments.postgres);
    let settings = Settings::load(config, major)?;
    let progress = Progress::new();
    progress.step("starting a private server");
    let (server, database, title) = match &ground {
        Some(ground) => {
            let (server, _) = ground.start("explain", &settings, 0).await?;
            (server, ground.database().to_owned(), "a branch of the trunk")
        }
        None => {
            settings.require_rehearsable()?;
            let server = start(&settings, 0).await?;
            let all = ReportArguments { all: true, ..ReportArguments::new() };
            let project = Project::load(&settings, &all)?.with_all_earlier();
            bring_to_state_before(&server, &settings.database, &project, &settings, Rows::Seeded, &progress)
                .await?;
            (server, settings.database.clone(), "a private server")
        }
    };
    progress.step("running the query");
    let timeout = arguments.server.statement_timeout.unwrap_or(PATIENCE);
    let major = server.server_version().major;
    let text = explain_privately(&server, major, &database, query, timeout).await.map_err(failed)?;
    Ok((format!("{title}, PostgreSQL {major}"), text))
}

fn failed(error: ExplainError) -> Failure {
    match error {
        ExplainError::Refused(_) => Failure::input(error),
        ExplainError::Server(_) | ExplainError::Foreign(_) => Failure::environment(error),
    }
}
