//! `plimsoll regress plans`: plans and costs alone, on plan branches, which have production's statistics and no rows.

use std::path::Path;

use plimsoll_branch::{Lifetime, NewPlanBranch, on_plan_branch};
use plimsoll_core::{Report, Thresholds};
use plimsoll_regress::compare::Context;
use plimsoll_regress::{Comparison, Outcome, compare, compare_plans};

use super::sides::judged;
use super::test::concluded;
use super::{chosen, skipped, sources, whole_corpus};
use crate::args::{ColorChoice, ReportArguments};
use crate::branch_args::BranchCreate;
use crate::commands::branch::{Workshop, failure};
use crate::commands::plans::source;
use crate::commands::trunk::{now, without_password};
use crate::corpus::CorpusQuery;
use crate::exit::{Failure, unless_stopped};
use crate::measuring::{Bed, Statistics, Way, measure_corpus};
use crate::output::{exit_code, write_reports};
use crate::progress::Progress;
use crate::project::Project;
use crate::regress_args::PlansArguments;
use crate::settings::Settings;

/// `plimsoll regress plans`.
pub(super) async fn run(
    arguments: &PlansArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let settings = Settings::load(config, None)?;
    let corpus = chosen(whole_corpus(&settings)?, &arguments.selection)?;
    let shop = Workshop::open(config)?;
    let report = unless_stopped(compared(&shop, &settings, arguments, &corpus)).await?;
    write_reports(&report, &sources(&corpus), &arguments.output, color)?;
    Ok(exit_code(&report, arguments.fail_on))
}

async fn compared(
    shop: &Workshop,
    settings: &Settings,
    arguments: &PlansArguments,
    corpus: &[CorpusQuery],
) -> Result<Report, Failure> {
    let progress = Progress::new();
    progress.step(format!("reading {}", without_password(&arguments.of)));
    let asked = branch_create(arguments)?;
    let of = source(shop, &asked, &arguments.of).await?;
    let left_out = of.left_out.clone();
    let database = of.database.name.clone();
    let mut notes = vec![format!(
        "Plans and costs alone were compared, on plan branches of {}: nothing was run, and no rows are needed.",
        without_password(&arguments.of)
    )];
    notes.extend(left_out);
    let old = bed(shop, arguments, of, arguments.postgres, "before", &database, &progress).await?;
    let before = measure_corpus(&old, corpus, settings, 0, Way::Planned, &progress).await?;
    let after = match arguments.to {
        Some(major) => {
            let of = source(
                shop,
                &BranchCreate { postgres: Some(major), ..branch_create(arguments)? },
                &arguments.of,
            )
            .await?;
            let new = bed(shop, arguments, of, Some(major), "after", &database, &progress).await?;
            let versions = (old.server.server_version(), new.server.server_version());
            notes.push(format!("Compared PostgreSQL {} with {}.", versions.0.text, versions.1.text));
            measure_corpus(&new, corpus, settings, 0, Way::Planned, &progress).await?
        }
        None => {
            let project = Project::load(
                settings,
                &ReportArguments { base: arguments.base.clone(), ..ReportArguments::new() },
            )?;
            project.require_runnable()?;
            let note = old.run_new(&project, Statistics::Kept, &progress).await?;
            notes.push(note.unwrap_or_else(|| {
                "No migration is new: the plans before and after are the same state's. --to compares with another version.".to_owned()
            }));
            measure_corpus(&old, corpus, settings, 0, Way::Planned, &progress).await?
        }
    };
    notes.extend(skipped(corpus));
    Ok(concluded(judged(corpus, &before, &after, compare_what_was_planned), notes))
}

/// What `branch create --plans-of` would be asked for.
fn branch_create(arguments: &PlansArguments) -> Result<BranchCreate, Failure> {
    let crate::args::ServerAddress { connect_timeout, lock_timeout, statement_timeout } = arguments.server;
    Ok(BranchCreate {
        name: "plans".parse().map_err(Failure::environment)?,
        from: None,
        plans_of: Some(arguments.of.clone()),
        statistics: arguments.statistics.clone(),
        values: arguments.values.clone(),
        postgres: arguments.postgres,
        server: crate::args::ServerAddress { connect_timeout, lock_timeout, statement_timeout },
        ttl: None,
        exec: Vec::new(),
        port: None,
        settings: Vec::new(),
        require_masking: false,
        mechanism: None,
    })
}

/// A plan branch that goes with this program.
async fn bed(
    shop: &Workshop,
    arguments: &PlansArguments,
    source: plimsoll_plans::PlanSource,
    major: Option<u32>,
    side: &str,
    database: &str,
    progress: &Progress,
) -> Result<Bed, Failure> {
    progress.step("making a plan branch");
    let name = format!("plans-{side}-{}-{}", std::process::id(), now().0);
    let new = NewPlanBranch {
        name: name.parse().map_err(Failure::environment)?,
        source,
        of: without_password(&arguments.of),
        major,
        lifetime: Lifetime::WithProgram,
        port: None,
        settings: Vec::new(),
        now: now(),
    };
    let (server, _) = on_plan_branch(&shop.state, &shop.host, &shop.keeper, &new).await.map_err(failure)?;
    Ok(Bed { server, database: database.to_owned(), notes: Vec::new() })
}

/// Plans alone are compared, where there are two.
fn compare_what_was_planned(
    (old, before): (&Outcome, Context),
    (new, after): (&Outcome, Context),
    thresholds: &Thresholds,
) -> Comparison {
    match (old, new) {
        (Outcome::Ran(old), Outcome::Ran(new)) => compare_plans((old, before), (new, after), thresholds),
        _ => compare((old, before), (new, after), thresholds),
    }
}
