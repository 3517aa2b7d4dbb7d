//! The built program from end to end, on real servers: PostgreSQL 15 and 18.
//!
//! `make test` installs what these tests need. One binary, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic, helper functions included")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]

mod bad_environment;
mod bad_input;
mod blocked;
mod branch_faults;
mod branches;
mod clients;
mod concurrently;
mod contract;
mod corpus;
mod django;
mod evaluate;
mod evidence;
mod explain;
mod fix;
mod gathered;
mod history;
mod import;
mod init;
mod interruption;
mod layouts;
mod lint_config;
mod lint_import;
mod lint_inputs;
mod lint_output;
mod lint_schema;
mod logins;
mod logs;
mod logs_follow;
mod logs_formats;
mod logs_page;
mod logs_position;
mod logs_uses;
mod lsp;
mod masking;
mod newness;
mod packages;
mod pgbench;
mod pipelines;
mod plan_branches;
mod pools;
mod production;
mod program_load;
mod programs;
mod project;
mod regress;
mod regress_record;
mod regress_sides;
mod report;
mod served;
mod small_disk;
mod snapshot;
mod state_before;
mod stateful;
mod suggest;
mod tap_faults;
mod templates;
mod terminal;
mod tokio_client;
mod trunks;
mod watch;
mod yard;
