//! A trunk from a running server that isn't ours, by `pg_basebackup`: a primary or a standby.
//!
//! What it runs there: one read-only transaction of SELECTs on catalogues, and a base backup, whose replication slot is
//! temporary. Nothing else.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use plimsoll_core::units::bytes;
use plimsoll_pg::catalogue::{Limits, Session, Target};
use plimsoll_pg::server::{Binaries, ServerUser, WatchedGroup, die_with_us};
use tokio::process::Command;

use super::{Place, Supplied};
use crate::configuration::CARRIED;
use crate::error::{BranchError, file_error};
use crate::host::missing_extensions_note;
use crate::manifest::{ServerFacts, Source};
use crate::masking::Masked;

/// How the server makes the checkpoint that a base backup begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// Over some minutes, as its own checkpoints are.
    Spread,
    /// At once, which takes the server's disk for a while.
    Fast,
}

impl Checkpoint {
    const fn word(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::Fast => "fast",
        }
    }
}

struct Asked {
    major: u32,
    version: String,
    is_standby: bool,
    size: u64,
    settings: Vec<(String, String)>,
    tablespaces: Vec<PathBuf>,
    extensions: Vec<String>,
    unlogged: u64,
}

/// How a base backup is to be taken.
pub(super) struct BaseBackup {
    pub(super) address: String,
    pub(super) limits: Limits,
    pub(super) max_rate: Option<String>,
    pub(super) checkpoint: Checkpoint,
}

pub(super) async fn take(
    place: &Place<'_>,
    target: &Target,
    how: BaseBackup,
) -> Result<Supplied, BranchError> {
    let asked = ask(target, how.limits).await?;
    let binaries = place.host.installation(asked.major)?;
    let mut notes = notes(&asked, &binaries, place.state.user());
    for note in &notes {
        place.say.say(note.clone());
    }
    place.make_data_folder()?;
    // In the data directory, since a snapshot can't be reached by a rename from outside.
    let outside = place.data.join("tablespaces");
    back_up(place, target, &asked, &binaries, &outside, &how).await?;
    bring_in_tablespaces(place, &outside)?;
    let role = if asked.is_standby { "standby" } else { "primary" };
    notes.insert(0, format!("a base backup of a {role}, PostgreSQL {}", asked.version));
    let server = ServerFacts {
        major: asked.major,
        version: binaries.version().to_string(),
        superuser: target.user().to_owned(),
        database: target.database().to_owned(),
        settings: asked.settings,
    };
    let source = Source::Server { url: how.address };
    Ok(Supplied { source, server, notes, masked: Masked::default() })
}

async fn ask(target: &Target, limits: Limits) -> Result<Asked, BranchError> {
    let environment = |why: plimsoll_pg::catalogue::CatalogueError| BranchError::Environment(why.to_string());
    let session = Session::begin(target, limits).await.map_err(environment)?;
    let what = "SELECT current_setting('server_version'), pg_is_in_recovery()::text, \
                (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)::text, \
                (SELECT sum(pg_database_size(oid))::text FROM pg_database WHERE has_database_privilege(oid, 'CONNECT')), \
                (SELECT count(*)::text FROM pg_class WHERE relpersistence = 'u' AND relkind IN ('r', 'm'))";
    let row = session.run("server's version and size", what).await.map_err(environment)?;
    let text = |index: usize| row.first().and_then(|row| row.get(index)).unwrap_or_default().to_owned();
    if text(2) != "true" {
        let why = format!(
            "take a base backup of {}: role {} may not; give it REPLICATION (ALTER ROLE … REPLICATION) and a line `host replication {} …` in pg_hba.conf",
            target.shown(),
            target.user(),
            target.user()
        );
        return Err(BranchError::Environment(why));
    }
    let names: Vec<String> = CARRIED.iter().map(|name| format!("'{name}'")).collect();
    let settings = format!(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name IN ({}) AND source IN ('configuration file', 'command line', \
         'environment variable', 'global') ORDER BY name",
        names.join(", ")
    );
    let pairs = |rows: Vec<tokio_postgres::SimpleQueryRow>| -> Vec<(String, String)> {
        rows.iter().filter_map(|row| Some((row.get(0)?.to_owned(), row.get(1)?.to_owned()))).collect()
    };
    let column = |rows: Vec<tokio_postgres::SimpleQueryRow>| -> Vec<String> {
        rows.iter().filter_map(|row| Some(row.get(0)?.to_owned())).collect()
    };
    let settings = pairs(session.run("settings", &settings).await.map_err(environment)?);
    let query = "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE pg_tablespace_location(oid) LIKE '/%' ORDER BY oid";
    let tablespaces = column(session.run("tablespaces", query).await.map_err(environment)?);
    let query = "SELECT extname FROM pg_extension ORDER BY extname";
    let extensions = column(session.run("extensions", query).await.map_err(environment)?);
    let asked = Asked {
        major: session.major(),
        version: text(0),
        is_standby: text(1) == "true",
        size: text(3).parse().unwrap_or_default(),
        settings,
        tablespaces: tablespaces.into_iter().map(PathBuf::from).collect(),
        extensions,
        unlogged: text(4).parse().unwrap_or_default(),
    };
    session.end().await.map_err(environment)?;
    Ok(asked)
}

/// What will be different or missing, before anything starts.
fn notes(asked: &Asked, binaries: &Binaries, user: &ServerUser) -> Vec<String> {
    let mut notes = Vec::new();
    let theirs = asked.version.split_whitespace().next().unwrap_or_default();
    let ours = binaries.version().to_string();
    if theirs != ours {
        notes.push(format!("the source is PostgreSQL {theirs}, branches run {ours}"));
    }
    notes.extend(missing_extensions_note(binaries, user, asked.extensions.iter().map(String::as_str)));
    if asked.unlogged > 0 {
        notes.push(format!(
            "{} unlogged tables will be empty: a base backup doesn't have their rows",
            asked.unlogged
        ));
    }
    notes
}

async fn back_up(
    place: &Place<'_>,
    target: &Target,
    asked: &Asked,
    binaries: &Binaries,
    outside: &Path,
    how: &BaseBackup,
) -> Result<(), BranchError> {
    let BaseBackup { max_rate, checkpoint, .. } = how;
    let program = binaries.program("pg_basebackup");
    let mut command = std::process::Command::new(&program);
    command.arg("-D").arg(place.data).args(["-X", "stream", "-w", "--no-sync", "--no-manifest"]);
    command.args(["-c", checkpoint.word(), "-l", "plimsoll trunk"]);
    if let Some(rate) = max_rate {
        command.arg(format!("--max-rate={rate}"));
    }
    for (number, tablespace) in asked.tablespaces.iter().enumerate() {
        // An equals sign separates the two.
        let escaped = tablespace.to_string_lossy().replace('=', "\\=");
        command.arg("-T").arg(format!("{escaped}={}", outside.join(number.to_string()).display()));
    }
    target.environment().apply(&mut command);
    // Its sessions are replication sessions: what makes others read-only isn't known there.
    command.env_remove("PGOPTIONS").env("LC_ALL", "C").current_dir("/");
    let waiting = match *checkpoint {
        Checkpoint::Spread => {
            "; it begins with the server's next checkpoint, which may take some minutes (--fast-checkpoint asks for one now)"
        }
        Checkpoint::Fast => "",
    };
    place.say.say(format!(
        "running pg_basebackup on {}: about {}{}{waiting}",
        target.shown(),
        bytes(asked.size),
        max_rate.as_ref().map_or_else(String::new, |rate| format!(", at most {rate} a second"))
    ));
    die_with_us(&mut command, rustix::process::Signal::TERM);
    let mut command = Command::from(command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.process_group(0).spawn().map_err(file_error("run", &program))?;
    let _group = WatchedGroup::of(child.id()).map_err(file_error("watch over", &program))?;
    let output = child.wait_with_output().await.map_err(file_error("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(BranchError::Environment(format!("take a base backup of {}: {}", target.shown(), said.trim())))
}

/// Puts what is in other folders into the data directory, where the links to it are. PostgreSQL calls that tablespaces in
/// place.
fn bring_in_tablespaces(place: &Place<'_>, outside: &Path) -> Result<(), BranchError> {
    let links = place.data.join("pg_tblspc");
    for entry in std::fs::read_dir(&links).map_err(file_error("read", &links))? {
        let link = entry.map_err(file_error("read", &links))?.path();
        let Ok(leads_to) = std::fs::read_link(&link) else { continue };
        if !leads_to.starts_with(outside) {
            let why = format!("bring in tablespace {}: it leads to {}", link.display(), leads_to.display());
            return Err(BranchError::Environment(why));
        }
        std::fs::remove_file(&link).map_err(file_error("remove", &link))?;
        std::fs::rename(&leads_to, &link).map_err(file_error("make", &link))?;
    }
    crate::state::remove_tree(outside)?;
    own_all(place)
}

/// `pg_basebackup` ran as we do; the server may be another user's.
fn own_all(place: &Place<'_>) -> Result<(), BranchError> {
    let user = place.state.user();
    if user.name().is_none() {
        return Ok(());
    }
    let mut folders = vec![place.data.to_owned()];
    while let Some(folder) = folders.pop() {
        user.own(&folder).map_err(file_error("give away", &folder))?;
        for entry in std::fs::read_dir(&folder).map_err(file_error("read", &folder))? {
            let entry = entry.map_err(file_error("read", &folder))?;
            if entry.file_type().map_err(file_error("look at", &entry.path()))?.is_dir() {
                folders.push(entry.path());
            } else {
                user.own(&entry.path()).map_err(file_error("give away", &entry.path()))?;
            }
        }
    }
    Ok(())
}
