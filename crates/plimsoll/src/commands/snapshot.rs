//! `plimsoll snapshot`: what a server's catalogue says, as a text for `[lint] snapshot`.

use std::path::Path;
use std::time::Duration;

use plimsoll_core::SourceFile;
use plimsoll_core::units::{count, plural};
use plimsoll_pg::catalogue::{Bodies, Limits, Target, TargetError, Variables, script, take_snapshot};
use plimsoll_sql::Snapshot;

use crate::args::{ServerAddress, SnapshotArguments};
use crate::exit::{CLEAN, Failure, unless_stopped};
use crate::output::{print, tell, write_file};

pub(crate) async fn run(arguments: &SnapshotArguments) -> Result<u8, Failure> {
    let bodies = if arguments.no_bodies { Bodies::LeftOut } else { Bodies::Read };
    let text = if arguments.sql {
        let Limits { lock, statement, .. } = limits(&arguments.server);
        script(bodies, lock.as_millis(), statement.as_millis())
    } else {
        take(arguments.url.as_deref(), &arguments.server, bodies).await?.source.text().to_owned()
    };
    match arguments.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => write_file(path, &text)?,
        None => print(&text)?,
    }
    Ok(CLEAN)
}

/// Reads a server, and says on stderr beforehand what will be run there.
pub(crate) async fn take(
    url: Option<&str>,
    server: &ServerAddress,
    bodies: Bodies,
) -> Result<Snapshot, Failure> {
    let target = Target::resolve(url, &Variables::read()).map_err(|error| match error {
        TargetError::Address(_) | TargetError::Missing(_) | TargetError::Tls { .. } => Failure::input(error),
    })?;
    tell(&format!(
        "reading the catalogue of {}: one read-only transaction of SELECTs on pg_catalog; no table's rows, no lock above ACCESS SHARE",
        target.shown()
    ));
    let reading =
        async { take_snapshot(&target, limits(server), bodies).await.map_err(Failure::environment) };
    let taken = unless_stopped(reading).await?;
    // As `--output` would name it, so that reports can point at its lines.
    let name = format!("{}.plimsoll", target.database().replace(['/', '\\'], "_"));
    let snapshot = Snapshot::read(SourceFile::new(name, taken.text)).map_err(|error| {
        let (line, why) = (error.location.line, error.why);
        Failure::environment(format!("understand what {} answered, line {line}: {why}", target.shown()))
    })?;
    for unseen in &snapshot.facts.unseen {
        let what = match unseen.count {
            Some(number) => format!("{}: {}", unseen.unseen, count(number)),
            None => unseen.unseen.clone(),
        };
        tell(&format!("note: this role may not see {what}"));
    }
    let unreadable = snapshot.unreadable_statements();
    if unreadable > 0 {
        tell(&format!("note: {} in it can't be read by this program", plural(unreadable, "statement")));
    }
    Ok(snapshot)
}

pub(crate) fn limits(server: &ServerAddress) -> Limits {
    let or = |given: Option<Duration>, default: Duration| given.unwrap_or(default);
    let usual = Limits::default();
    Limits {
        connect: or(server.connect_timeout, usual.connect),
        lock: or(server.lock_timeout, usual.lock),
        statement: or(server.statement_timeout, usual.statement),
    }
}
