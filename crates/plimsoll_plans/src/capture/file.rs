//! A plan source from what `pg_dump` wrote. A private server takes the schema and the statistics, so that its catalogue can be
//! read as a server's is; it has no rows, and it is gone before the plan branch is made.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use plimsoll_pg::catalogue::{Limits, Session, Target, Variables};
use plimsoll_pg::dump_file::{Form, NamedRoles, NoDump};
use plimsoll_pg::server::{Binaries, PrivateServer, SUPERUSER, StartOptions};
use tokio::process::Command;

use super::error::CaptureError;
use super::relations::Pages;
use super::script::{Reader, Script};
use super::{ValuePolicy, read};
use crate::build::{self, BuildError, database, explained, schema};
use crate::source::{
    Database, Extension, FORMAT_VERSION, PlanSource, Role, SchemaEntry, Tablespace, ValuesAre,
};

/// The version from which on servers take statistics, and `pg_dump` writes them.
const FIRST_WITH_STATISTICS: u32 = 18;
/// The database, where the dump names none.
const DATABASE: &str = "plimsoll";
/// Relations whose statistics are loaded in one round trip.
const BATCH: usize = 50;
/// Connections that load statistics.
const CONNECTIONS: usize = 2;

/// A dump's schema and statistics.
#[derive(Debug)]
pub struct Dump {
    path: PathBuf,
    script: Script,
    roles: NamedRoles,
    notes: Vec<String>,
}

impl Dump {
    /// Reads a dump, and its statistics from a second one where that is named. Rows in it are passed over. `binaries` bring
    /// `pg_restore`.
    ///
    /// # Errors
    /// When a file can't be read or is cut off, or there is no schema or no statistics in it.
    pub async fn read(
        path: &Path,
        statistics: Option<&Path>,
        binaries: &Binaries,
    ) -> Result<Self, CaptureError> {
        let mut script = script(path, binaries).await?;
        let mut cut_off = (!script.is_whole).then_some(path);
        if let Some(path) = statistics {
            let second = self::script(path, binaries).await?;
            cut_off = cut_off.or((!second.is_whole).then_some(path));
            script.statistics = second.statistics;
        }
        if script.statistics.is_empty() {
            let why = "there are no statistics in it; `pg_dump --no-data --statistics --create --format=custom`, of PostgreSQL 18 or newer, \
                writes a dump with them, of older servers too; or give what `pg_dump --statistics-only` writes by --statistics";
            return Err(refused(statistics.unwrap_or(path), why));
        }
        if !script.entries.iter().any(|entry| matches!(entry.kind.as_str(), "TABLE" | "MATERIALIZED VIEW")) {
            let why = "there is no table in it; give a dump with the schema to --plans-of, and one with nothing but statistics to --statistics";
            return Err(refused(path, why));
        }
        if let Some(path) = cut_off {
            return Err(refused(path, &NoDump::CutOff.to_string()));
        }
        let mut roles = NamedRoles::default();
        let lines = script.entries.iter().flat_map(|entry| entry.sql.lines());
        lines.chain(script.properties.iter().map(String::as_str)).for_each(|line| roles.look_at(line));
        let notes = notes(&script);
        Ok(Self { path: path.to_owned(), script, roles, notes })
    }

    /// The extensions that it makes.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        named(&self.script, "EXTENSION").filter(|name| *name != "plpgsql")
    }

    /// The major version of the server that was dumped, if that is told.
    #[must_use]
    pub fn major(&self) -> Option<u32> {
        self.script.server_version.map(|version| version / 10_000)
    }

    /// Loads it into a private server of `binaries`, and reads that.
    ///
    /// # Errors
    /// When the installation is older than 18, or its server can't be started or read.
    pub async fn capture(
        self,
        binaries: &Binaries,
        options: &StartOptions,
        values: &ValuePolicy,
    ) -> Result<PlanSource, CaptureError> {
        if binaries.version().major < FIRST_WITH_STATISTICS {
            let why = format!(
                "only servers from PostgreSQL {FIRST_WITH_STATISTICS} on take a dump's statistics, and the newest one here is {}; `plimsoll server install` brings one",
                binaries.version()
            );
            return Err(refused(&self.path, &why));
        }
        let server = PrivateServer::start(binaries, &build::options(options)).map_err(BuildError::Server)?;
        let outline = self.outline();
        // What can't be made here is told by the branch, which is made of the same schema.
        database::create(&server, &outline, &mut Vec::new()).await?;
        let client = server.connect(&outline.database.name).await.map_err(BuildError::Server)?;
        drop(schema::load(&client, &outline).await?);
        let mut notes = self.notes.clone();
        notes.extend(self.load_statistics(&server, &outline.database.name).await?);
        let target = Target::resolve(Some(&server.url(&outline.database.name)), &Variables::default())
            .map_err(|why| refused(&self.path, &why.to_string()))?;
        let session = Session::begin(&target, Limits::default()).await?;
        session.run("settings", "set local timezone = 'UTC'; set local bytea_output = 'hex'").await?;
        let (mut source, links) = read(&session, Pages::OfCatalogue).await?;
        session.end().await?;
        let known = (source.relations, source.columns, source.extended, source.session_settings);
        notes.append(&mut source.left_out);
        source = PlanSource { left_out: notes, ..outline };
        (source.relations, source.columns, source.extended, source.session_settings) = known;
        values.apply(&mut source, &links);
        Ok(source)
    }

    /// All that the dump's statements say without a server.
    fn outline(&self) -> PlanSource {
        let Script { entries, oids, .. } = &self.script;
        let extension = |name: &str| Extension { name: name.to_owned(), version: String::new() };
        let role = |name: &String| Role {
            name: name.clone(),
            superuser: false,
            bypasses_row_security: false,
            member_of: Vec::new(),
        };
        let mut tablespaces: Vec<Tablespace> = Vec::new();
        for name in entries.iter().filter_map(|entry| {
            entry.sql.strip_prefix("SET default_tablespace = ")?.split_once(";\n").map(|(name, _)| name)
        }) {
            let name = name.trim_matches('"').replace("\"\"", "\"");
            if !tablespaces.iter().any(|known| known.name == name) {
                tablespaces.push(Tablespace { name, options: Vec::new() });
            }
        }
        PlanSource {
            format: FORMAT_VERSION,
            server_version: self.script.server_version.unwrap_or(FIRST_WITH_STATISTICS * 10_000),
            page_bytes: u32::try_from(crate::btree::PAGE).unwrap_or_default(),
            values: ValuesAre::Kept,
            database: self.script.database.as_ref().map_or_else(unnamed_database, database_of),
            extensions: self.extensions().map(extension).collect(),
            tablespaces,
            roles: self.roles.0.iter().map(role).collect(),
            settings: Vec::new(),
            session_settings: Vec::new(),
            schema: by_oid(entries, oids),
            relations: Vec::new(),
            columns: Vec::new(),
            extended: Vec::new(),
            boundaries: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Returns what can't be loaded, in words.
    async fn load_statistics(
        &self,
        server: &PrivateServer,
        database: &str,
    ) -> Result<Vec<String>, CaptureError> {
        let client = server.connect(SUPERUSER).await.map_err(BuildError::Server)?;
        let mut failures = Vec::new();
        for property in &self.script.properties {
            if let Err(error) = client.batch_execute(property).await {
                failures.push(format!("{property} {}", explained(&error)));
            }
        }
        let batches: Vec<&[String]> = self.script.statistics.chunks(BATCH).collect();
        let share = |number: usize| {
            let batches: Vec<&[String]> = batches.iter().skip(number).step_by(CONNECTIONS).copied().collect();
            load_batches(server, database, batches)
        };
        let (first, second) = tokio::try_join!(share(0), share(1))?;
        failures.extend(summary(first.into_iter().chain(second).collect()));
        Ok(failures)
    }
}

async fn load_batches(
    server: &PrivateServer,
    database: &str,
    batches: Vec<&[String]>,
) -> Result<Vec<String>, CaptureError> {
    let client = server.connect(database).await.map_err(BuildError::Server)?;
    client
        .batch_execute("set search_path = ''; set client_min_messages = error")
        .await
        .map_err(BuildError::statement("prepare the loading of statistics"))?;
    let mut failures = Vec::new();
    for batch in batches {
        if client.batch_execute(&batch.concat()).await.is_ok() {
            continue;
        }
        for statements in batch {
            if let Err(error) = client.batch_execute(statements).await {
                failures.push(explained(&error));
            }
        }
    }
    Ok(failures)
}

/// Where relations are in the hundreds, one reason is as many as a person reads.
fn summary(failures: Vec<String>) -> Option<String> {
    let first = failures.first()?;
    Some(format!("statistics of {} relations, such as: {first}", failures.len()))
}

fn refused(path: &Path, why: &str) -> CaptureError {
    CaptureError::DumpFile { path: path.to_owned(), why: why.to_owned() }
}

fn named<'a>(script: &'a Script, kind: &'a str) -> impl Iterator<Item = &'a str> {
    script.entries.iter().filter(move |entry| entry.kind == kind).map(|entry| entry.name.as_str())
}

/// What a dump doesn't have, or what isn't taken of it.
fn notes(script: &Script) -> Vec<String> {
    let mut notes = vec![
        "settings of the server that decide plans, such as random_page_cost and work_mem, aren't in a dump: PostgreSQL's own \
         count; give others by --set"
            .to_owned(),
        "the ends of indexes aren't in a dump, nor their heights: the ends of histograms count, and heights are estimated"
            .to_owned(),
    ];
    let mut tell = |is_so: bool, text: &str| notes.extend(is_so.then(|| text.to_owned()));
    tell(script.has_rows, "the dump has rows: only schema and statistics are taken");
    tell(
        script.database.is_none(),
        "the database's name and locale aren't in this dump, which was made without --create: C.UTF-8 is in their place",
    );
    tell(
        script.oids.iter().all(|oid| *oid == 0),
        "the order in which indexes were made, which decides between equal plans, isn't in a plain dump: theirs is that of names; \
         `pg_dump --format=custom` has it",
    );
    tell(
        named(script, "STATISTICS").next().is_some()
            && !script.statistics.iter().any(|calls| calls.contains("pg_restore_extended_stats")),
        "what extended statistics have counted isn't in this dump",
    );
    notes
}

async fn script(path: &Path, binaries: &Binaries) -> Result<Script, CaptureError> {
    if Form::of(path).map_err(|why| refused(path, &why.to_string()))? == Form::Plain {
        let file = std::fs::File::open(path).map_err(|why| refused(path, &why.to_string()))?;
        return read_lines(path, BufReader::new(file));
    }
    // Verbose, for the objects' OIDs.
    let arguments = ["--create", "--no-data", "--statistics", "--verbose", "--file=-"];
    let written = pg_restore(path, binaries, &arguments).await?;
    let mut script = read_lines(path, written.as_slice())?;
    let contents = pg_restore(path, binaries, &["--list"]).await?;
    script.has_rows = String::from_utf8_lossy(&contents).contains(" TABLE DATA ");
    Ok(script)
}

async fn pg_restore(path: &Path, binaries: &Binaries, arguments: &[&str]) -> Result<Vec<u8>, CaptureError> {
    let program = binaries.program("pg_restore");
    let mut command = Command::new(&program);
    command.args(arguments).arg(path).env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|why| {
        refused(path, &format!("run {}: {why}; install PostgreSQL's client programs", program.display()))
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("error:")).collect();
    Err(refused(path, &complaints.join("; ")))
}

fn read_lines(path: &Path, lines: impl BufRead) -> Result<Script, CaptureError> {
    let mut reader = Reader::default();
    for line in lines.split(b'\n') {
        let line = line.map_err(|why| refused(path, &why.to_string()))?;
        match std::str::from_utf8(&line) {
            Ok(line) => reader.line(line),
            Err(_) => return Err(refused(path, "it isn't in UTF-8; make it by `pg_dump --encoding=UTF8`")),
        }
    }
    Ok(reader.end())
}

/// The schema with its indexes in the order in which they were made, where that is known: their OIDs decide between equal plans.
fn by_oid(entries: &[SchemaEntry], oids: &[u32]) -> Vec<SchemaEntry> {
    let is_index = |entry: &SchemaEntry| matches!(entry.kind.as_str(), "INDEX" | "CONSTRAINT");
    let mut indexes: Vec<(u32, &SchemaEntry)> =
        oids.iter().copied().zip(entries).filter(|(_, entry)| is_index(entry)).collect();
    indexes.sort_by_key(|(oid, _)| *oid);
    let mut indexes = indexes.into_iter().map(|(_, entry)| entry);
    let in_place = |entry| if is_index(entry) { indexes.next() } else { Some(entry) };
    entries.iter().filter_map(in_place).cloned().collect()
}

fn unnamed_database() -> Database {
    Database {
        name: DATABASE.to_owned(),
        encoding: "UTF8".to_owned(),
        collate: "C.UTF-8".to_owned(),
        ctype: "C.UTF-8".to_owned(),
        provider: "c".to_owned(),
        locale: None,
    }
}

/// What `CREATE DATABASE` says, as `pg_dump` writes it.
fn database_of(entry: &SchemaEntry) -> Database {
    let value = |name: &str| {
        let (_, rest) = entry.sql.split_once(&format!(" {name} = "))?;
        let (value, _) = rest
            .strip_prefix('\'')
            .map_or_else(|| rest.split_once([' ', ';']), |rest| rest.split_once('\''))?;
        Some(value.to_owned())
    };
    let usual = unnamed_database();
    let locale = value("LOCALE");
    let provider = match value("LOCALE_PROVIDER").as_deref() {
        Some("icu") => "i",
        Some("builtin") => "b",
        _ => "c",
    };
    let own = value("ICU_LOCALE").or_else(|| value("BUILTIN_LOCALE")).or_else(|| locale.clone());
    Database {
        name: entry.name.clone(),
        encoding: value("ENCODING").unwrap_or(usual.encoding),
        collate: value("LC_COLLATE").or_else(|| locale.clone()).unwrap_or(usual.collate),
        ctype: value("LC_CTYPE").or(locale).unwrap_or(usual.ctype),
        provider: provider.to_owned(),
        locale: own.filter(|_| provider != "c"),
    }
}
