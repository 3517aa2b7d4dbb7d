//! Runs the server of a copy once, where it reaches nothing, so that its data need no recovery any more, and takes out of
//! its catalogues what would lead elsewhere.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use plimsoll_pg::server::{
    Binaries, DirectoryServer, DirectoryStart, HBA, Network, ServerUser, log_tail, network_can_be_taken,
};
use tokio_postgres::Client;

use super::Place;
use crate::branch::SOCKET_PORT;
use crate::configuration;
use crate::error::{BranchError, file_error};
use crate::manifest::ServerFacts;
use crate::masking::{self, Done, Masked, Request};
use crate::running::{Address, in_words};

/// A base backup under load may have many gigabytes of WAL.
const RECOVERY: Duration = Duration::from_secs(6 * 3600);

/// What the server told.
pub(super) struct Found {
    pub(super) superuser: String,
    pub(super) database: String,
    pub(super) notes: Vec<String>,
    pub(super) masked: Masked,
}

/// In every database. Subscriptions lose their publisher, so that not even dropping one reaches it; foreign servers lose
/// their hosts and the logins to them.
const IN_EACH_DATABASE: &str = "
    SET allow_system_table_mods = on;
    SET session_replication_role = replica;
    DO $$ DECLARE mapping record; BEGIN
        FOR mapping IN SELECT umuser, srvname, usename FROM pg_catalog.pg_user_mappings LOOP
            EXECUTE format('DROP USER MAPPING FOR %s SERVER %I',
                CASE mapping.umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(mapping.usename) END, mapping.srvname);
        END LOOP;
    END $$;
    UPDATE pg_catalog.pg_foreign_server SET srvoptions = ARRAY(
        SELECT option FROM unnest(srvoptions) option
        WHERE split_part(option, '=', 1) NOT IN ('host', 'hostaddr', 'port', 'service', 'passfile', 'servername', 'server', 'address', 'svr', 'url', 'uri')
    ) WHERE srvoptions IS NOT NULL";
/// In one database: these catalogues are shared. Libraries that roles and databases preload may not be installed here, and
/// nobody could log in then. Hashes of production's passwords are of no use here, and worth something to whoever finds them.
const ONCE: &str = "
    SET allow_system_table_mods = on;
    DELETE FROM pg_catalog.pg_db_role_setting WHERE NOT EXISTS (
        SELECT FROM unnest(setconfig) setting WHERE split_part(setting, '=', 1) NOT LIKE '%\\_preload\\_libraries');
    UPDATE pg_catalog.pg_db_role_setting SET setconfig = ARRAY(
        SELECT setting FROM unnest(setconfig) setting WHERE split_part(setting, '=', 1) NOT LIKE '%\\_preload\\_libraries');
    UPDATE pg_catalog.pg_subscription SET subenabled = false, subslotname = NULL, subconninfo = '';
    UPDATE pg_catalog.pg_authid SET rolpassword = NULL WHERE rolpassword IS NOT NULL";

/// Databases that take no connections have to be calmed and masked as well: whoever is superuser in a branch can open them.
/// Those that a DROP DATABASE has left in part can't be.
const OPEN: &str = "UPDATE pg_catalog.pg_database SET datallowconn = true \
     WHERE NOT datallowconn AND datname <> 'template0' AND datconnlimit <> -2 RETURNING datname::text";
const CLOSE: &str = "UPDATE pg_catalog.pg_database SET datallowconn = false WHERE datname::text = ANY ($1)";

/// Catalogues that had secrets, with their OIDs: what was taken out of a row is in the file until the file is written anew.
const HAD_SECRETS: [(&str, u32); 4] =
    [("pg_authid", 1260), ("pg_subscription", 6100), ("pg_foreign_server", 1417), ("pg_user_mapping", 1418)];

/// As above, and masks. `facts` names a superuser and a database that are likely; what is found comes back.
pub(super) async fn recover(
    place: &Place<'_>,
    facts: &ServerFacts,
    request: &Request<'_>,
) -> Result<Found, BranchError> {
    let user = place.state.user();
    let binaries = place.host.installation(facts.major)?;
    let (sockets, _held) = place.state.new_sockets()?;
    let mut settings = configuration::own(&facts.settings);
    // As many as the source had: prepared transactions, and locks, are restored by recovery.
    settings.extend(control_settings(&binaries, place.data));
    if facts.major >= 17 {
        // One on login could refuse ours.
        settings.push(("event_triggers".to_owned(), "off".to_owned()));
    }
    configuration::write_files(place.data, &sockets, &settings, HBA, user)?;
    let log = place.scratch.join("recovery.log");
    let network = if network_can_be_taken() { Network::None } else { Network::Host };
    let start = DirectoryStart {
        binaries: &binaries,
        data: place.data,
        log: &log,
        user,
        recovery: RECOVERY,
        network,
    };
    let server = DirectoryServer::start(start)?;
    let worked = work(place, &server_address(&sockets, &facts.superuser), facts, request).await;
    let found = match worked {
        Err(Unknown) => {
            server.shut_down()?;
            let superuser = superuser_by_single_user(&binaries, place)?;
            let server = DirectoryServer::start(start)?;
            let found = work(place, &server_address(&sockets, &superuser), facts, request).await;
            server.shut_down()?;
            found.map_err(|Unknown| {
                BranchError::Environment(format!(
                    "connect to the copy as {superuser}: it refuses; its log ends: {}",
                    log_tail(&log)
                ))
            })?
        }
        Ok(found) => {
            server.shut_down()?;
            found
        }
    };
    place.state.discard(&sockets)?;
    crate::state::remove_file(&log)?;
    let (mut found, done) = found?;
    empty_wal(&binaries, place.data, user)?;
    masking::finish(&done, place.data)?;
    found.notes.extend(done.notes);
    found.masked = done.masked;
    Ok(found)
}

fn server_address<'a>(sockets: &'a Path, superuser: &'a str) -> Address<'a> {
    Address { sockets, port: SOCKET_PORT, superuser }
}

/// No such role, or no superuser.
struct Unknown;

async fn work(
    place: &Place<'_>,
    address: &Address<'_>,
    facts: &ServerFacts,
    request: &Request<'_>,
) -> Result<Result<(Found, Done), BranchError>, Unknown> {
    let Ok(client) = address.connect("template1").await else { return Err(Unknown) };
    let row = client.query_one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", &[]).await;
    if !row.is_ok_and(|row| row.get(0)) {
        return Err(Unknown);
    }
    Ok(calm_and_mask(place, address, &client, facts, request).await)
}

fn failed(what: &'static str) -> impl FnOnce(tokio_postgres::Error) -> BranchError {
    move |why| BranchError::Environment(format!("{what} in the copy: {}", in_words(&why)))
}

async fn calm_and_mask(
    place: &Place<'_>,
    address: &Address<'_>,
    client: &Client,
    facts: &ServerFacts,
    request: &Request<'_>,
) -> Result<(Found, Done), BranchError> {
    let opened = client.query(OPEN, &[]).await.map_err(failed("open databases"))?;
    let opened: Vec<String> = opened.iter().map(|row| row.get(0)).collect();
    let (found, databases) = calm(address, client, facts).await?;
    let done = masking::mask(address, &databases, request, place.data, place.say).await?;
    client.execute(CLOSE, &[&opened]).await.map_err(failed("close databases"))?;
    Ok((found, done))
}

/// What it found, and the databases.
async fn calm(
    address: &Address<'_>,
    client: &Client,
    facts: &ServerFacts,
) -> Result<(Found, Vec<String>), BranchError> {
    let mut notes = Vec::new();
    let subscriptions: i64 = client
        .query_one("SELECT count(*) FROM pg_subscription", &[])
        .await
        .map_err(failed("look for subscriptions"))?
        .get(0);
    if subscriptions > 0 {
        notes.push(format!("{subscriptions} subscriptions are disabled and have no publisher any more"));
    }
    client.batch_execute(ONCE).await.map_err(failed("take away subscriptions and passwords"))?;
    let databases = client
        .query(
            "SELECT datname FROM pg_database WHERE datallowconn AND datconnlimit <> -2 ORDER BY pg_database_size(oid) DESC, datname",
            &[],
        )
        .await
        .map_err(failed("list databases"))?;
    let databases: Vec<String> = databases.iter().map(|row| row.get(0)).collect();
    for database in &databases {
        let client = address.connect(database).await?;
        end_prepared_transactions(&client, database, &mut notes)
            .await
            .map_err(failed("end prepared transactions"))?;
        client.batch_execute(IN_EACH_DATABASE).await.map_err(failed("take away foreign servers' hosts"))?;
        tell_of_extensions(&client, database, &mut notes).await.map_err(failed("look at extensions"))?;
        tell_of_collations(&client, database, &mut notes).await.map_err(failed("look at collations"))?;
    }
    // Not before: a prepared transaction keeps rows of before from being left out.
    for database in &databases {
        let client = address.connect(database).await?;
        write_secrets_away(&client).await.map_err(failed("write catalogues anew"))?;
    }
    client.batch_execute("CHECKPOINT").await.map_err(failed("write a checkpoint"))?;
    let usual = |name: &&String| !["template0", "template1", "postgres"].contains(&name.as_str());
    let database = databases
        .iter()
        .find(|name| **name == facts.database)
        .or_else(|| databases.iter().find(usual))
        .map_or("postgres", String::as_str);
    let superuser =
        client.query_one("SELECT current_user::text", &[]).await.map_err(failed("ask for the role"))?.get(0);
    let found = Found { superuser, database: database.to_owned(), notes, masked: Masked::default() };
    Ok((found, databases))
}

/// They hold their locks for ever, and nobody is there to end them.
async fn end_prepared_transactions(
    client: &Client,
    database: &str,
    notes: &mut Vec<String>,
) -> Result<(), tokio_postgres::Error> {
    let rows =
        client.query("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()", &[]).await?;
    for row in &rows {
        let name: String = row.get(0);
        client.batch_execute(&format!("ROLLBACK PREPARED '{}'", name.replace('\'', "''"))).await?;
    }
    if !rows.is_empty() {
        notes.push(format!("{} prepared transactions in {database} were rolled back", rows.len()));
    }
    Ok(())
}

/// Passwords of before may be in the statistics as well.
async fn write_secrets_away(client: &Client) -> Result<(), tokio_postgres::Error> {
    let oids: Vec<u32> = HAD_SECRETS.iter().map(|(_, oid)| *oid).collect();
    let statistics = "DELETE FROM pg_catalog.pg_statistic WHERE starelid = ANY ($1)";
    if client.execute(statistics, &[&oids]).await? > 0 {
        client.batch_execute("VACUUM FULL pg_catalog.pg_statistic").await?;
    }
    for (name, oid) in HAD_SECRETS {
        let size = client.query_one("SELECT pg_relation_size($1::oid::regclass)", &[&oid]).await?;
        if size.get::<_, i64>(0) > 0 {
            client.batch_execute(&format!("VACUUM FULL pg_catalog.{name}")).await?;
        }
    }
    Ok(())
}

/// An extension whose files aren't installed here works until something calls it.
async fn tell_of_extensions(
    client: &Client,
    database: &str,
    notes: &mut Vec<String>,
) -> Result<(), tokio_postgres::Error> {
    let query = "SELECT e.extname, e.extversion, a.default_version FROM pg_extension e LEFT JOIN pg_available_extensions a ON a.name = e.extname \
                 WHERE a.default_version IS DISTINCT FROM e.extversion ORDER BY 1";
    for row in client.query(query, &[]).await? {
        let (name, version, here): (String, String, Option<String>) = (row.get(0), row.get(1), row.get(2));
        notes.push(match here {
            None => {
                format!("extension {name} {version} of {database} is not installed here: what uses it fails")
            }
            Some(here) => {
                format!("extension {name} is {version} in {database}, and {here} is installed here")
            }
        });
    }
    Ok(())
}

/// Another version of the C library or ICU may sort otherwise: indexes on text are then wrong.
async fn tell_of_collations(
    client: &Client,
    database: &str,
    notes: &mut Vec<String>,
) -> Result<(), tokio_postgres::Error> {
    let query = "SELECT datcollversion, pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database() \
                 AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)";
    for row in client.query(query, &[]).await? {
        let (theirs, ours): (Option<String>, Option<String>) = (row.get(0), row.get(1));
        let shown = |version: Option<String>| version.unwrap_or_else(|| "none".to_owned());
        notes.push(format!(
            "{database} was made with collation version {}, and here it is {}: indexes on text may be out of order; REINDEX them in a branch before trusting them",
            shown(theirs),
            shown(ours)
        ));
    }
    Ok(())
}

/// What a running server of the source had, by `pg_controldata`: recovery may need as much.
fn control_settings(binaries: &Binaries, data: &Path) -> Vec<(String, String)> {
    let wanted = [
        ("max_connections setting:", "max_connections"),
        ("max_worker_processes setting:", "max_worker_processes"),
        ("max_prepared_xacts setting:", "max_prepared_transactions"),
        ("max_locks_per_xact setting:", "max_locks_per_transaction"),
    ];
    let said = control_data(binaries, data);
    let value = |label: &str| said.lines().find_map(|line| line.strip_prefix(label)).map(str::trim);
    wanted
        .into_iter()
        .filter_map(|(label, setting)| Some((setting.to_owned(), value(label)?.to_owned())))
        .collect()
}

fn control_data(binaries: &Binaries, data: &Path) -> String {
    let mut command = std::process::Command::new(binaries.program("pg_controldata"));
    command.arg("-D").arg(data).env("LC_ALL", "C").stdin(Stdio::null());
    let output = command.output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// After an orderly shutdown the WAL is of no use: every branch would clone it, and it has rows that are gone from the tables.
fn empty_wal(binaries: &Binaries, data: &Path, user: &ServerUser) -> Result<(), BranchError> {
    let program = binaries.program("pg_resetwal");
    let mut command = std::process::Command::new(&program);
    command.arg("-D").arg(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env("LC_ALL", "C").current_dir("/");
    user.run(&mut command);
    let output = command.output().map_err(file_error("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(BranchError::Environment(format!("replace the WAL of the copy by an empty one: {}", said.trim())))
}

/// Asks a server in single-user mode, which wants no login.
fn superuser_by_single_user(binaries: &Binaries, place: &Place<'_>) -> Result<String, BranchError> {
    use std::io::Write as _;
    let mut command = std::process::Command::new(binaries.program("postgres"));
    command.args(["--single", "-D"]).arg(place.data).arg("template1");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        .env("LC_ALL", "C");
    place.state.user().run(&mut command);
    let mut run = || -> std::io::Result<String> {
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            writeln!(
                input,
                "SELECT rolname FROM pg_authid WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1"
            )?;
        }
        let output = child.wait_with_output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let said = run().map_err(file_error("ask for a superuser in", place.data))?;
    // ` 1: rolname = "admin"	(typeid = 19, …)`
    let name = said
        .lines()
        .find_map(|line| line.split_once("rolname = \"")?.1.split_once("\"\t").map(|(name, _)| name));
    name.map(ToOwned::to_owned).ok_or_else(|| {
        BranchError::Environment(
            "find a superuser that may log in among the copy's roles: there is none".to_owned(),
        )
    })
}
