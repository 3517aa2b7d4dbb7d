//! The program: what was typed, what it means, one file a verb, and an exit code.
//!
//! Deliberately absent: logic. What a verb does lives in the crates below.

mod advice;
mod alarm_threshold;
mod args;
mod baseline;
mod branch_args;
mod checkout;
mod commands;
mod config;
mod corpus;
mod editor;
mod evaluate_args;
mod exit;
mod follow_args;
mod git;
mod history;
mod init;
mod inputs;
mod kept_run;
mod logs_args;
mod measuring;
mod migration_program;
mod numbers;
mod output;
mod private_database;
mod program;
mod progress;
mod project;
mod query_report;
mod regress_args;
mod seed_command;
mod settings;
mod tapped;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Verb};
use crate::exit::Failure;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // clap prints help to stdout and complaints to stderr, and exits with 0 or 2.
        Err(error) => error.exit(),
    };
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn run(arguments: Arguments) -> Result<u8, Failure> {
    // It waits for its client and not for signals, which end it as they end any program.
    if matches!(arguments.verb, Verb::Lsp) {
        return commands::lsp::run(arguments.config.as_deref());
    }
    if let Verb::KeepBranch { name } = &arguments.verb {
        return commands::branch::keep(name, arguments.config.as_deref());
    }
    // One thread: a private server is tied to the life of the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::environment(format!("start the asynchronous runtime: {why}")))?;
    runtime.block_on(commands::run(arguments))
}
