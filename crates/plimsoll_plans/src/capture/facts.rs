//! What the server and the database are, apart from relations.

use plimsoll_pg::catalogue::Session;

use super::error::CaptureError;
use super::row::Row;
use crate::pseudonyms::{Links, Types};
use crate::source::{Database, Extension, Role, SessionSettings, Tablespace};

/// Settings that the planner looks at, beside the server's category "Query Tuning".
const PLANNER_SETTINGS: &str = "(category like 'Query Tuning%' or name in ('work_mem', 'hash_mem_multiplier', \
    'effective_io_concurrency', 'max_parallel_workers_per_gather', 'max_parallel_workers', \
    'parallel_leader_participation', 'jit', 'array_nulls'))";

/// Settings of sessions that a plan branch needs too. Others can hold secrets.
const SESSION_SETTINGS: [&str; 5] = ["search_path", "timezone", "datestyle", "intervalstyle", "row_security"];

pub(super) struct Server {
    pub(super) version: u32,
    pub(super) page_bytes: u32,
}

pub(super) async fn server(session: &Session<'_>) -> Result<Server, CaptureError> {
    let sql = "select current_setting('server_version_num'), current_setting('block_size')";
    let servers = rows(session, "server's version", sql, |row| {
        Ok(Server { version: row.number(0)?, page_bytes: row.number(1)? })
    })
    .await?;
    one(servers, "server's version")
}

pub(super) async fn database(session: &Session<'_>) -> Result<Database, CaptureError> {
    let provider = if session.major() >= 15 { "datlocprovider" } else { "'c'" };
    let locale = match session.major() {
        17.. => "datlocale",
        15 | 16 => "daticulocale",
        _ => "null",
    };
    let sql = format!(
        "select datname, pg_encoding_to_char(encoding), datcollate, datctype, {provider}, {locale} \
         from pg_database where datname = current_database()"
    );
    let databases = rows(session, "database", &sql, |row| {
        Ok(Database {
            name: row.text(0)?,
            encoding: row.text(1)?,
            collate: row.text(2)?,
            ctype: row.text(3)?,
            provider: row.text(4)?,
            locale: row.optional(5).map(ToOwned::to_owned),
        })
    })
    .await?;
    one(databases, "database")
}

pub(super) async fn extensions(session: &Session<'_>) -> Result<Vec<Extension>, CaptureError> {
    let sql = "select extname, extversion from pg_extension where extname <> 'plpgsql' order by 1";
    rows(session, "extensions", sql, |row| Ok(Extension { name: row.text(0)?, version: row.text(1)? })).await
}

pub(super) async fn tablespaces(session: &Session<'_>) -> Result<Vec<Tablespace>, CaptureError> {
    let sql =
        "select spcname, coalesce(spcoptions, '{}') from pg_tablespace where spcname !~ '^pg_' order by 1";
    rows(session, "tablespaces", sql, |row| {
        Ok(Tablespace { name: row.text(0)?, options: row.elements(1)?.unwrap_or_default() })
    })
    .await
}

pub(super) async fn roles(session: &Session<'_>) -> Result<Vec<Role>, CaptureError> {
    let sql = "select rolname, rolsuper, rolbypassrls, array(select g.rolname::text from pg_auth_members m \
        join pg_roles g on g.oid = m.roleid where m.member = r.oid order by 1) \
        from pg_roles r where rolname !~ '^pg_' order by 1";
    rows(session, "roles", sql, |row| {
        Ok(Role {
            name: row.text(0)?,
            superuser: row.is_true(1),
            bypasses_row_security: row.is_true(2),
            member_of: row.elements(3)?.unwrap_or_default(),
        })
    })
    .await
}

pub(super) async fn settings(session: &Session<'_>) -> Result<Vec<(String, String)>, CaptureError> {
    // What this role's sessions begin with is told apart by its own entries: the others get the server's.
    let sql = format!(
        "select name, case when source in ('user', 'database user') then boot_val else reset_val end from pg_settings \
         where {PLANNER_SETTINGS} and context <> 'internal' order by 1"
    );
    rows(session, "settings", &sql, |row| Ok((row.text(0)?, row.optional(1).unwrap_or_default().to_owned())))
        .await
}

pub(super) async fn session_settings(
    session: &Session<'_>,
    left_out: &mut Vec<String>,
) -> Result<Vec<SessionSettings>, CaptureError> {
    let sql = "select r.rolname, s.setdatabase <> 0, s.setconfig from pg_db_role_setting s \
        left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase \
        where (s.setdatabase = 0 or d.datname = current_database()) and (s.setrole = 0 or r.rolname is not null) order by 1, 2";
    let mut all = rows(session, "settings of roles", sql, |row| {
        Ok(SessionSettings {
            role: row.optional(0).map(ToOwned::to_owned),
            in_database: row.is_true(1),
            settings: row.elements(2)?.unwrap_or_default(),
        })
    })
    .await?;
    let sql = format!("select name from pg_settings where {PLANNER_SETTINGS}");
    let planner = rows(session, "settings", &sql, |row| row.text(0)).await?;
    let mut dropped = Vec::new();
    for settings in &mut all {
        settings.settings.retain(|setting| {
            let name = setting.split('=').next().unwrap_or_default();
            let is_wanted = planner.iter().any(|known| known == name)
                || SESSION_SETTINGS.iter().any(|known| known.eq_ignore_ascii_case(name));
            if !is_wanted {
                dropped.push(name.to_owned());
            }
            is_wanted
        });
    }
    all.retain(|settings| !settings.settings.is_empty());
    dropped.sort();
    dropped.dedup();
    if !dropped.is_empty() {
        left_out.push(format!(
            "settings of roles and of the database that decide no plan: {}",
            dropped.join(", ")
        ));
    }
    Ok(all)
}

/// Types, and columns that hold each other's values: by a foreign key, or as a partition's and its parent's.
pub(super) async fn links(session: &Session<'_>) -> Result<Links, CaptureError> {
    let sql = "select n.nspname, c.relname, a.attname, fn.nspname, fc.relname, fa.attname from pg_constraint k \
        join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace \
        join pg_class fc on fc.oid = k.confrelid join pg_namespace fn on fn.oid = fc.relnamespace \
        cross join lateral unnest(k.conkey, k.confkey) as key(own, foreign_one) \
        join pg_attribute a on a.attrelid = c.oid and a.attnum = key.own \
        join pg_attribute fa on fa.attrelid = fc.oid and fa.attnum = key.foreign_one where k.contype = 'f' \
        union all select n.nspname, c.relname, a.attname, fn.nspname, fc.relname, fa.attname from pg_inherits i \
        join pg_class c on c.oid = i.inhrelid and c.relkind in ('r', 'p', 'f') join pg_namespace n on n.oid = c.relnamespace \
        join pg_class fc on fc.oid = i.inhparent join pg_namespace fn on fn.oid = fc.relnamespace \
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
        join pg_attribute fa on fa.attrelid = fc.oid and fa.attname = a.attname and fa.attnum > 0";
    let columns = rows(session, "foreign keys and partitions", sql, |row| {
        Ok(((row.text(0)?, row.text(1)?, row.text(2)?), (row.text(3)?, row.text(4)?, row.text(5)?)))
    })
    .await?;
    let sql = "select format_type(t.oid, null), format_type(rngsubtype, null) from pg_type t \
        left join pg_range r on r.rngtypid = t.oid where typtype in ('e', 'r')";
    let named =
        rows(session, "types", sql, |row| Ok((row.text(0)?, row.optional(1).map(ToOwned::to_owned)))).await?;
    let mut types = Types::default();
    for (name, subtype) in named {
        match subtype {
            Some(subtype) => drop(types.ranges.insert(name, subtype)),
            None => drop(types.enums.insert(name)),
        }
    }
    Ok(Links { columns, types })
}

async fn rows<T>(
    session: &Session<'_>,
    what: &'static str,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Result<T, CaptureError>,
) -> Result<Vec<T>, CaptureError> {
    let rows = session.run(what, sql).await?;
    rows.iter().map(|row| read(&Row { what, row })).collect()
}

fn one<T>(rows: Vec<T>, what: &'static str) -> Result<T, CaptureError> {
    let none = || CaptureError::Unexpected {
        what,
        server_part: "the server".to_owned(),
        why: "there is no row".to_owned(),
    };
    rows.into_iter().next().ok_or_else(none)
}
