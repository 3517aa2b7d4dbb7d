//! A trunk from what `pg_dump` wrote: loaded once, into a private server.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;

use plimsoll_pg::dump_file::{Form, NamedRoles, NoDump};
use plimsoll_pg::server::{Binaries, PrivateServer, SUPERUSER, StartOptions, Wanted, die_with_us};
use tokio::process::Command;

use super::{Place, Supplied, keep_private};
use crate::error::{BranchError, file_error};
use crate::host::missing_extensions_note;
use crate::manifest::Source;
use crate::running::in_words;

/// As many of the server's complaints as a person reads.
const SHOWN: usize = 5;
/// The database, where the dump names none.
const DATABASE: &str = "plimsoll";

pub(super) async fn take(place: &Place<'_>, path: &Path, wanted: Wanted) -> Result<Supplied, BranchError> {
    let path = path.canonicalize().map_err(|why| refused(path, &why.to_string()))?;
    let form = Form::of(&path).map_err(|why| refused(&path, &why.to_string()))?;
    let binaries = place.host.newest(wanted)?;
    let header = header(&binaries, &path, form).await?;
    let extensions = header.extensions.iter().map(String::as_str);
    let missing = missing_extensions_note(&binaries, place.state.user(), extensions);
    missing.iter().for_each(|note| place.say.say(note.clone()));
    let options = StartOptions {
        temp_root: Some(place.scratch.to_owned()),
        settings: vec![("maintenance_work_mem".to_owned(), "256MB".to_owned())],
        ..StartOptions::new(&place.host.environment, place.host.cache.clone(), place.host.user.clone())
    };
    let start = binaries.clone();
    let server = tokio::task::spawn_blocking(move || PrivateServer::start(&start, &options)).await;
    let server =
        server.map_err(|why| BranchError::Environment(format!("start a private server: {why}")))??;
    place.say.say(format!("loading {}", path.display()));
    let mut notes = Vec::new();
    let database = make_database(&server, &header, &mut notes).await?;
    let said = load(&server, &binaries, &database, &path, form).await?;
    notes.extend(complaints(&said));
    refuse_nothing(&server, &database, &path, &notes).await?;
    for note in &notes {
        place.say.say(note.clone());
    }
    place.say.say("vacuuming and analyzing".to_owned());
    plimsoll_pg::rehearse::analyze(&server, &database, None)
        .await
        .map_err(|why| BranchError::Environment(why.to_string()))?;
    let mut supplied = keep_private(place, server, database, Source::Dump { path })?;
    supplied.notes.extend(missing.into_iter().chain(notes));
    Ok(supplied)
}

fn refused(path: &Path, why: &str) -> BranchError {
    BranchError::Refused(format!("load the dump {}: {why}", path.display()))
}

/// What is looked for in a dump's statements before it is loaded.
#[derive(Debug, Default)]
struct Header {
    create_database: Option<String>,
    roles: NamedRoles,
    extensions: Vec<String>,
    /// How many of pg_dump's scripts, one in another, have begun and not come to their end.
    open: usize,
}

async fn header(binaries: &Binaries, path: &Path, form: Form) -> Result<Header, BranchError> {
    match form {
        Form::Plain => {
            let file = std::fs::File::open(path).map_err(file_error("read", path))?;
            let mut header = Header::default();
            // Rows are in COPY blocks, whose lines end with one of `\.`; they are passed over unread.
            let mut in_rows = false;
            for line in BufReader::new(file).split(b'\n') {
                let line = line.map_err(file_error("read", path))?;
                if in_rows {
                    in_rows = line != b"\\.";
                } else {
                    let line = String::from_utf8_lossy(&line);
                    in_rows = line.starts_with("COPY ") && line.trim_end().ends_with("FROM stdin;");
                    header.look_at(&line);
                }
            }
            if in_rows || header.open > 0 {
                return Err(refused(path, &NoDump::CutOff.to_string()));
            }
            Ok(header)
        }
        Form::Archive => {
            let program = binaries.program("pg_restore");
            let mut command = Command::new(&program);
            command.args(["-C", "-s", "-f", "-"]).arg(path).stdin(Stdio::null()).kill_on_drop(true);
            let output = command.output().await.map_err(file_error("run", &program))?;
            if !output.status.success() {
                return Err(refused(path, String::from_utf8_lossy(&output.stderr).trim()));
            }
            let mut header = Header::default();
            String::from_utf8_lossy(&output.stdout).lines().for_each(|line| header.look_at(line));
            Ok(header)
        }
    }
}

impl Header {
    fn look_at(&mut self, line: &str) {
        match line {
            "-- PostgreSQL database dump" | "-- PostgreSQL database cluster dump" => self.open += 1,
            "-- PostgreSQL database dump complete" | "-- PostgreSQL database cluster dump complete" => {
                self.open = self.open.saturating_sub(1);
            }
            _ => {}
        }
        if line.starts_with("CREATE DATABASE ") && line.ends_with(';') {
            self.create_database.get_or_insert_with(|| line.to_owned());
        }
        if let Some(rest) = line.strip_prefix("CREATE EXTENSION IF NOT EXISTS ") {
            let name = rest.split(' ').next().unwrap_or_default();
            self.extensions.push(name.trim_matches(['"', ';']).to_owned());
        }
        self.roles.look_at(line);
    }
}

/// Makes the dump's roles and its database, in its own locale where this machine has it.
async fn make_database(
    server: &PrivateServer,
    header: &Header,
    notes: &mut Vec<String>,
) -> Result<String, BranchError> {
    let client = server.connect(SUPERUSER).await?;
    for role in &header.roles.0 {
        let quoted = role.replace('"', "\"\"");
        client.batch_execute(&format!("CREATE ROLE \"{quoted}\"")).await.map_err(|why| {
            BranchError::Environment(format!("create role {role} on the private server: {}", in_words(&why)))
        })?;
    }
    if let Some(statement) = &header.create_database {
        match client.batch_execute(statement).await {
            Ok(()) => {
                let query = "SELECT datname::text FROM pg_database ORDER BY oid DESC LIMIT 1";
                let made = client.query_one(query, &[]).await;
                return made
                    .map(|row| row.get(0))
                    .map_err(|why| BranchError::Environment(format!("list databases: {}", in_words(&why))));
            }
            Err(why) => notes.push(format!(
                "the dump's database has another locale or encoding, which this machine doesn't have ({}): text is sorted by C",
                in_words(&why)
            )),
        }
    }
    server.create_database(DATABASE).await?;
    Ok(DATABASE.to_owned())
}

/// Returns what the program said on standard error.
async fn load(
    server: &PrivateServer,
    binaries: &Binaries,
    database: &str,
    path: &Path,
    form: Form,
) -> Result<String, BranchError> {
    let program = binaries.program(if form == Form::Plain { "psql" } else { "pg_restore" });
    let mut command = std::process::Command::new(&program);
    match form {
        Form::Plain => command.args(["-X", "-q", "-v", "ON_ERROR_STOP=0", "-d", database, "-f"]).arg(path),
        Form::Archive if path.is_dir() => command.args(["-j", "2", "-d", database]).arg(path),
        Form::Archive if is_custom(path) => command.args(["-j", "2", "-d", database]).arg(path),
        Form::Archive => command.args(["-d", database]).arg(path),
    };
    server.environment(database).apply(&mut command);
    command.env("LC_ALL", "C");
    die_with_us(&mut command, rustix::process::Signal::TERM);
    let mut command = Command::from(command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = command.output().await.map_err(file_error("run", &program))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let went_on = output.status.success() || said.contains("errors ignored on restore");
    if went_on && server.is_alive() {
        Ok(said)
    } else if said.contains("No space left on device") {
        let why = format!("load the dump {}: no space is left: {}", path.display(), said.trim());
        Err(BranchError::Environment(why))
    } else {
        Err(refused(path, said.trim()))
    }
}

/// What isn't a dump at all is SQL that fails, to psql.
async fn refuse_nothing(
    server: &PrivateServer,
    database: &str,
    path: &Path,
    notes: &[String],
) -> Result<(), BranchError> {
    // 16384 is the first OID of what isn't PostgreSQL's own. A script with databases of its own has more than the one made here.
    let query = "SELECT EXISTS (SELECT FROM pg_class WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_proc WHERE oid >= 16384) \
                 OR EXISTS (SELECT FROM pg_type WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384) \
                 OR EXISTS (SELECT FROM pg_extension WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_largeobject_metadata) \
                 OR (SELECT count(*) FROM pg_database WHERE oid >= 16384) > 1";
    let looked = server.connect(database).await?.query_one(query, &[]).await;
    let holds_something: bool = looked
        .map_err(|why| BranchError::Environment(format!("look at what was loaded: {}", in_words(&why))))?
        .get(0);
    if holds_something {
        return Ok(());
    }
    let complaint = notes.first().map_or_else(String::new, |note| format!(" ({note})"));
    Err(refused(
        path,
        &format!("nothing of it became a table or anything else{complaint}; is it what pg_dump wrote?"),
    ))
}

fn is_custom(path: &Path) -> bool {
    let mut first = [0; 5];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first == *b"PGDMP"
}

fn complaints(said: &str) -> Vec<String> {
    // Roles and the database are made before, and all is in one tablespace.
    let is_expected = |line: &str| {
        line.contains("\"default_tablespace\"")
            || line.ends_with(" already exists")
                && (line.contains("ERROR:  role ") || line.contains("ERROR:  database "))
    };
    let errors: Vec<&str> = said
        .lines()
        .filter(|line| (line.contains("ERROR:") || line.contains("error:")) && !is_expected(line))
        .collect();
    let mut told: Vec<String> =
        errors.iter().take(SHOWN).map(|line| format!("not loaded: {}", line.trim())).collect();
    if errors.len() > SHOWN {
        told.push(format!("not loaded: {} more errors of this kind", errors.len() - SHOWN));
    }
    told
}
