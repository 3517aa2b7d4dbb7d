//! The verbs, one file each.

pub(crate) mod branch;
pub(crate) mod check;
mod evaluate;
mod explain;
mod fix;
mod import;
mod label;
mod lint;
mod lint_schema;
mod logs;
pub(crate) mod lsp;
mod plans;
mod pool;
mod regress;
mod rule;
mod rules;
mod server;
mod snapshot;
pub(crate) mod trunk;
mod watch;

use plimsoll_history::Judgement;

use crate::args::{Arguments, Verb};
use crate::exit::Failure;
use crate::init;

/// Runs the verb and returns the exit code.
pub(crate) async fn run(arguments: Arguments) -> Result<u8, Failure> {
    let Arguments { config, color, verb } = arguments;
    let config = config.as_deref();
    match verb {
        Verb::Init(arguments) => init::run(&arguments),
        Verb::Check(arguments) => check::run(&arguments, config, color, check::Parts::All).await,
        Verb::Rehearse(arguments) => {
            check::run(&arguments, config, color, check::Parts::RehearsalAlone).await
        }
        Verb::Fix(arguments) => fix::run(&arguments, config).await,
        Verb::Lint(arguments) if arguments.schema.is_some() => {
            lint_schema::run(arguments, config, color).await
        }
        Verb::Lint(arguments) => lint::run(&arguments, config, color),
        Verb::Explain(arguments) => explain::run(&arguments, config, color).await,
        Verb::Snapshot(arguments) => snapshot::run(&arguments).await,
        Verb::Trunk(arguments) => trunk::run(&arguments, config).await,
        Verb::Branch(arguments) => branch::run(&arguments, config).await,
        Verb::KeepBranch { name } => branch::keep(&name, config),
        Verb::Lsp => lsp::run(config),
        Verb::Server(arguments) => server::run(&arguments, config).await,
        Verb::Logs(arguments) => logs::run(&arguments, color).await,
        Verb::Watch(arguments) => watch::run(&arguments, config, color).await,
        Verb::Evaluate(arguments) => evaluate::run(&arguments, config, color),
        Verb::Regress(arguments) => regress::run(&arguments, config, color).await,
        Verb::Confirm(arguments) => label::run(&arguments, Judgement::Confirmed, config),
        Verb::Dismiss(arguments) => label::run(&arguments, Judgement::Dismissed, config),
        Verb::Rule(arguments) => rule::run(&arguments, config),
        Verb::Rules => rules::run(config),
    }
}
