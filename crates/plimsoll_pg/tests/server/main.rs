//! Private servers, tested on real ones: PostgreSQL 15 and 18, as root or an ordinary user.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic, helper functions included")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]

mod cache_folder;
mod concurrency;
mod failures;
mod installation;
mod life;
mod owner_ends;
mod support;
mod sweeping;
