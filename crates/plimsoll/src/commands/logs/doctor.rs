//! `plimsoll logs doctor`: what a server's settings let its log tell.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_logs::doctor::{Directive, Known, SETTINGS, directives, doctor};
use plimsoll_pg::catalogue::{Session, Target, Variables};
use plimsoll_report::render_log_doctor;

use crate::args::ColorChoice;
use crate::commands::snapshot::limits;
use crate::exit::{CLEAN, Failure, unless_stopped};
use crate::logs_args::DoctorArguments;
use crate::output::{print, tell, write_file};

/// Files that include each other deeper than that are refused, as the server does.
const DEEPEST: usize = 10;

pub(super) async fn run(arguments: &DoctorArguments, color: ColorChoice) -> Result<u8, Failure> {
    let known = match arguments.source.as_deref().filter(|source| Path::new(source).is_file()) {
        Some(file) => of_file(Path::new(file))?,
        None => unless_stopped(of_server(arguments)).await?,
    };
    let text = render_log_doctor(&doctor(&known), super::text_format(arguments.format, color));
    match &arguments.output {
        Some(path) => write_file(path, &text)?,
        None => print(&text)?,
    }
    Ok(CLEAN)
}

fn of_file(file: &Path) -> Result<Known, Failure> {
    let mut settings = BTreeMap::new();
    read(file, &mut settings, 0)?;
    // What ALTER SYSTEM has set is read last.
    let by_system = file.with_file_name("postgresql.auto.conf");
    if by_system.is_file() && by_system != file {
        read(&by_system, &mut settings, 0)?;
    }
    let major = std::fs::read_to_string(file.with_file_name("PG_VERSION")).ok();
    let major = major.and_then(|major| major.trim().parse().ok());
    Ok(Known { source: file.display().to_string(), major, settings, is_file: true, transactions_per_s: None })
}

fn read(file: &Path, settings: &mut BTreeMap<String, String>, depth: usize) -> Result<(), Failure> {
    let shown = file.display();
    if depth > DEEPEST {
        return Err(Failure::input(format!("read {shown}: files include each other too deeply")));
    }
    let bytes = std::fs::read(file).map_err(|why| Failure::input(format!("read {shown}: {why}")))?;
    let text = String::from_utf8_lossy(&bytes);
    let read_lines = directives(&text);
    for directive in read_lines.map_err(|why| Failure::input(format!("read {shown}: {why}")))? {
        let beside = |name: &str| file.parent().unwrap_or(Path::new("")).join(name);
        match directive {
            Directive::Set(name, value) => {
                settings.insert(name, value);
            }
            Directive::Include(name, true) if !beside(&name).is_file() => {}
            Directive::Include(name, _) => read(&beside(&name), settings, depth + 1)?,
            Directive::IncludeFolder(name) => {
                for file in files_of(&beside(&name))? {
                    read(&file, settings, depth + 1)?;
                }
            }
        }
    }
    Ok(())
}

/// The files of an included folder: those that end in `.conf` and don't begin with a dot, by name.
fn files_of(folder: &Path) -> Result<Vec<std::path::PathBuf>, Failure> {
    let failed =
        |why: std::io::Error| Failure::input(format!("read the included folder {}: {why}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".conf") && !name.starts_with('.') {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

async fn of_server(arguments: &DoctorArguments) -> Result<Known, Failure> {
    let source = arguments.source.as_deref();
    if let Some(file) = source.filter(|source| source.ends_with(".conf")) {
        return Err(Failure::input(format!("read {file}: there is no such file")));
    }
    let target = Target::resolve(source, &Variables::read()).map_err(Failure::input)?;
    tell(&format!(
        "reading the settings of {}: one read-only transaction of SELECTs on pg_settings and pg_stat_database; no lock above ACCESS SHARE",
        target.shown()
    ));
    let session = Session::begin(&target, limits(&arguments.server)).await.map_err(Failure::environment)?;
    let names: Vec<String> = SETTINGS.iter().map(|name| format!("'{name}'")).collect();
    let sql = format!(
        "select name, pg_catalog.current_setting(name) from pg_catalog.pg_settings where name in ({})",
        names.join(", ")
    );
    let rows = session.run("settings", &sql).await.map_err(Failure::environment)?;
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let settings: BTreeMap<String, String> =
        rows.iter().map(|row| (text(row.get(0)), text(row.get(1)))).collect();
    // Over less than a minute there is no rate to speak of.
    let activity = "select pg_catalog.current_setting('server_version_num')::int / 10000, \
                    case when told.seconds >= 60 then told.transactions / told.seconds end from (select \
                    pg_catalog.sum(xact_commit + xact_rollback) as transactions, extract(epoch from pg_catalog.now() - \
                    coalesce(pg_catalog.max(stats_reset), pg_catalog.pg_postmaster_start_time())) as seconds \
                    from pg_catalog.pg_stat_database) told";
    let rows = session.run("activity", activity).await.map_err(Failure::environment)?;
    session.end().await.map_err(Failure::environment)?;
    let get = |column: usize| rows.first().and_then(|row| row.get(column));
    if !settings.contains_key("shared_preload_libraries") {
        tell(
            "note: this role may not see shared_preload_libraries and session_preload_libraries: it needs pg_read_all_settings",
        );
    }
    Ok(Known {
        source: target.shown().to_string(),
        major: get(0).and_then(|major| major.parse().ok()),
        settings,
        is_file: false,
        transactions_per_s: get(1).and_then(|rate| rate.parse().ok()),
    })
}
