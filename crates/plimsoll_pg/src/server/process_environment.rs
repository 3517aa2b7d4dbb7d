//! The environment that PostgreSQL's own programs run in.
//!
//! Only what they need to find their libraries gets through. `PGPORT`, `PGDATESTYLE`,
//! `PGOPTIONS`, `TZ` and the like would otherwise change the server behind our back.

use std::process::Command;

/// Variables that say where libraries and locales are; absent ones stay absent.
const KEPT: [&str; 5] =
    ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LOCALE_ARCHIVE"];

/// Clears the command's environment down to what a PostgreSQL program needs.
pub(super) fn isolate(command: &mut Command) {
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // With TZ set, initdb doesn't try out every time zone file to guess the local one.
    command.env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
}
