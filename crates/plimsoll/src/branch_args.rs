//! What was typed behind `plimsoll trunk` and `plimsoll branch`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use plimsoll_branch::Name;
use plimsoll_branch::mechanism::Kind;
use plimsoll_core::units::parse_bytes;

use crate::args::{ServerAddress, duration};

#[derive(Debug, Args)]
pub(crate) struct TrunkArguments {
    #[command(subcommand)]
    pub(crate) action: TrunkAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrunkAction {
    /// Take a copy: of a running server, a stopped server's data directory, a dump, another trunk, or of this project's
    /// schema, migrations and seed
    Create(TrunkCreate),
    /// Take a trunk's copy anew; branches that were cut from it stay as they are
    Refresh(TrunkRefresh),
    /// List the trunks
    List(ListArguments),
    /// Remove trunks; their branches stay
    Drop {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<Name>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TrunkCreate {
    /// Its name: letters, digits, _ and -
    #[arg(value_name = "NAME")]
    pub(crate) name: Name,
    /// Where the copy comes from: a server (postgres://role@host/database, or key=value pairs), by pg_basebackup; the data
    /// directory of a stopped server; what pg_dump wrote (custom, directory, tar or plain); or a trunk's name [default:
    /// this project's own schema, migrations and seed, as plimsoll.toml names them]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) from: Option<String>,
    /// Of this project's migrations, run only those before this one
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub(crate) before: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) how: TrunkHow,
    /// The major version of the server, for a dump or for the project's scripts [default: the newest found]
    #[arg(long, value_name = "MAJOR")]
    pub(crate) postgres: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct TrunkRefresh {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: Name,
    /// Another source than it was taken from
    #[arg(long, value_name = "SOURCE")]
    pub(crate) from: Option<String>,
    #[command(flatten)]
    pub(crate) how: TrunkHow,
}

#[derive(Debug, Args)]
pub(crate) struct TrunkHow {
    /// Read no more than this from a running server in a second, in kB or with M, such as 20M
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) max_rate: Option<String>,
    /// Ask a running server for a checkpoint at once, instead of waiting for its next one: quicker, and more work for its
    /// disk
    #[arg(long)]
    pub(crate) fast_checkpoint: bool,
    /// Refuse where a column that looks personal has no masking rule, or nothing is masked at all
    #[arg(long)]
    pub(crate) require_masking: bool,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Terminal,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct BranchArguments {
    #[command(subcommand)]
    pub(crate) action: BranchAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BranchAction {
    /// Make a branch and start its server
    Create(BranchCreate),
    /// Write down a server's schema and its planner's statistics, read-only, for a plan branch elsewhere
    Capture(CaptureArguments),
    /// List the branches
    List(ListArguments),
    /// Print a branch's address; starts its server if it doesn't run
    Url {
        /// Its name
        #[arg(value_name = "NAME")]
        name: Name,
        /// Another database than the trunk's main one
        #[arg(long, short, value_name = "DATABASE")]
        database: Option<String>,
    },
    /// Run psql on a branch; starts its server if it doesn't run
    Psql {
        /// Its name
        #[arg(value_name = "NAME")]
        name: Name,
        /// What follows is for psql
        #[arg(last = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
    /// Give a branch again what its parent has now
    Reset {
        /// Its name
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Say how a branch differs from its parent: the schema, and how many rows each table has
    Diff {
        /// Its name
        #[arg(value_name = "NAME")]
        name: Name,
    },
    /// Stop a branch's server; the branch stays
    Stop {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<Name>,
    },
    /// Stop branches and remove them
    Drop {
        /// Their names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<Name>,
    },
    /// Remove what killed programs have left, and branches whose time is over
    Gc,
    /// Say by which mechanisms this machine can make branches, measured
    Doctor,
    /// Keep branches ready, for test suites say, until this command ends
    Pool(PoolArguments),
    /// Take a branch that a pool has ready, in milliseconds; print its address
    Take(TakeArguments),
    /// Tell of the yard, a file system of our own that clones files; make it, or remove it; as root, mount it
    Yard(YardArguments),
}

#[derive(Debug, Args)]
pub(crate) struct PoolArguments {
    /// Its name; its branches are called NAME-1 and so on
    #[arg(value_name = "NAME")]
    pub(crate) name: Name,
    /// So many are ready; one that is taken is replaced
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) size: u16,
    /// The trunk or the branch to cut them from [default: the only trunk]
    #[arg(long, value_name = "TRUNK|BRANCH")]
    pub(crate) from: Option<Name>,
    /// Keep databases of one branch ready instead, called NAME_2 and so on: less memory, quicker, and not apart from each other
    /// in roles, in WAL and when the server crashes
    #[arg(long)]
    pub(crate) databases: bool,
    /// Run this program, which can take branches; the pool ends with it, and its exit code is ours. All that follows is the
    /// program's
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) exec: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct TakeArguments {
    /// The pool's name
    #[arg(value_name = "NAME")]
    pub(crate) name: Name,
    /// Remove the branch after this time, such as 30min [default: with its pool]
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "exec")]
    pub(crate) ttl: Option<Duration>,
    /// Run this program with DATABASE_URL, PGHOST, PGPORT, PGUSER and PGDATABASE set, and remove the branch when it ends; its
    /// exit code is ours. All that follows is the program's
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) exec: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct YardArguments {
    /// Make it: a sparse image that can grow to this size, such as 50GB, in which trunks and branches then are
    #[arg(long, value_name = "SIZE", value_parser = size, conflicts_with = "remove")]
    pub(crate) size: Option<u64>,
    /// Unmount and remove it; no trunks and branches may be in it
    #[arg(long)]
    pub(crate) remove: bool,
}

/// What becomes of the values in a server's statistics.
#[derive(Clone, Debug, Args)]
pub(crate) struct CapturedValues {
    /// Take the values in the server's statistics as they are, which are values of its rows, instead of pseudonyms
    #[arg(long)]
    pub(crate) keep_values: bool,
    /// Take the values of this column as they are (repeatable)
    #[arg(long, value_name = "SCHEMA.TABLE.COLUMN", conflicts_with = "keep_values")]
    pub(crate) keep_column: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CaptureArguments {
    /// The server: a URL, key=value pairs, or a database's name; without it, PGHOST, PGDATABASE and the other PG variables
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The file, written whole or not at all
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) values: CapturedValues,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}

#[derive(Debug, Args)]
pub(crate) struct BranchCreate {
    /// Its name: letters, digits, _ and -
    #[arg(value_name = "NAME")]
    pub(crate) name: Name,
    /// The trunk or the branch to cut it from, or the URL of a private server such as `plimsoll server` prints [default: the
    /// only trunk]
    #[arg(long, value_name = "TRUNK|BRANCH|URL")]
    pub(crate) from: Option<String>,
    /// Make a plan branch: the schema of this server, or of a capture or a dump of one, and its planner's statistics, and no
    /// rows. Dumps with statistics are made by `pg_dump --no-data --statistics` of PostgreSQL 18 or newer
    #[arg(long, value_name = "URL|FILE", conflicts_with_all = ["from", "mechanism"])]
    pub(crate) plans_of: Option<String>,
    /// Another dump, which has the statistics: what `pg_dump --statistics-only` writes
    #[arg(long, value_name = "FILE", requires = "plans_of")]
    pub(crate) statistics: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) values: CapturedValues,
    /// The major version of a plan branch's server [default: that of its source]
    #[arg(long, value_name = "MAJOR", requires = "plans_of")]
    pub(crate) postgres: Option<u32>,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    /// Remove it after this time, such as 30min or 2h
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "exec")]
    pub(crate) ttl: Option<Duration>,
    /// Run this program with DATABASE_URL, PGHOST, PGPORT, PGUSER and PGDATABASE set, and remove the branch when it ends; its
    /// exit code is ours. All that follows is the program's
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) exec: Vec<OsString>,
    /// Also listen on this port of 127.0.0.1, with a password; without a number, on a free one. The branch can then reach
    /// the network
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0", require_equals = true)]
    pub(crate) port: Option<u16>,
    /// Give the server this setting (repeatable)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
    /// Refuse to cut it from a trunk that isn't masked, or has columns that look personal and have no rule
    #[arg(long, conflicts_with = "plans_of")]
    pub(crate) require_masking: bool,
    /// How to make it: btrfs-snapshot, block-clone, fuse, overlay or copy [default: the best that the machine offers]
    #[arg(long, value_name = "MECHANISM")]
    pub(crate) mechanism: Option<Kind>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as work_mem=64MB")?;
    if name.is_empty() {
        return Err("the name is empty: write NAME=VALUE, such as work_mem=64MB".into());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn size(text: &str) -> Result<u64, String> {
    parse_bytes(text).ok_or_else(|| "write a size as PostgreSQL does, such as 50GB".to_owned())
}

fn rate(text: &str) -> Result<String, String> {
    let digits = text.trim_end_matches(['k', 'M']);
    let unit = if text.ends_with('M') { 1024 } else { 1 };
    let kilobytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    // Within pg_basebackup's own limits.
    let is_rate =
        text.len() <= digits.len() + 1 && kilobytes.is_some_and(|rate| (32..=1024 * 1024).contains(&rate));
    let wanted = "write kilobytes a second, or with M, such as 20M: at least 32, at most 1024M";
    if is_rate { Ok(text.to_owned()) } else { Err(wanted.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_pg_basebackups() {
        for good in ["32", "500k", "20M"] {
            assert_eq!(rate(good).as_deref(), Ok(good));
        }
        for bad in ["", "M", "0", "31", "1025M", "20G", "20kM", "x"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
