//! Queries from `pg_stat_statements` of a server that isn't ours: one read-only transaction, within time limits.

use plimsoll_core::units::{count, plural};
use plimsoll_pg::catalogue::{Session, Target, Variables};
use plimsoll_sql::NormalForm;

use super::Found;
use super::statistics::fill;
use crate::commands::snapshot::limits;
use crate::corpus::saved::{SavedQuery, name_of_text, touches_rows};
use crate::exit::{Failure, unless_stopped};
use crate::output::tell;
use crate::regress_args::ImportArguments;

/// The schema that the extension's view is in, and whether the role may see other roles' texts.
const EXTENSION: &str = "select pg_catalog.quote_ident(n.nspname) from pg_catalog.pg_extension e \
                         join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'";

/// What stands for the text of another role's statement.
const UNSEEN: &str = "<insufficient privilege>";

/// Types whose literals are written behind the type's name, where a parameter can't stand.
const NAMED_LITERALS: [&str; 6] = ["interval", "date", "time", "timestamp", "timestamptz", "timetz"];

pub(super) async fn read(arguments: &ImportArguments) -> Result<Found, Failure> {
    let target = Target::resolve(Some(&arguments.source), &Variables::read()).map_err(Failure::input)?;
    let values =
        if arguments.values { " and, for values, pg_stats, which holds values of its rows" } else { "" };
    tell(&format!(
        "reading pg_stat_statements of {}: one read-only transaction of SELECTs on that view{values}; no lock above ACCESS SHARE",
        target.shown()
    ));
    unless_stopped(within(&target, arguments)).await
}

async fn within(target: &Target, arguments: &ImportArguments) -> Result<Found, Failure> {
    let session = Session::begin(target, limits(&arguments.server)).await.map_err(Failure::environment)?;
    let extension = session.run("extensions", EXTENSION).await.map_err(Failure::environment)?;
    let Some(schema) = extension.first().and_then(|row| row.get(0)) else {
        return Err(Failure::environment(format!(
            "read pg_stat_statements of {}: the extension isn't in this database; have `shared_preload_libraries` name it and run \
             CREATE EXTENSION pg_stat_statements, or name the database that has it",
            target.shown()
        )));
    };
    let sql = format!(
        "select s.query, pg_catalog.sum(s.calls)::bigint, pg_catalog.sum(s.total_exec_time) from {schema}.pg_stat_statements s \
         where s.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) \
         and s.query is not null group by 1 having pg_catalog.sum(s.calls) >= {} order by 3 desc, 1",
        arguments.min_calls
    );
    let rows = session.run("statements", &sql).await.map_err(Failure::environment)?;
    let mut found = Found::default();
    let (mut unseen, mut left) = (0, 0);
    let mut form = NormalForm::default();
    for row in rows {
        let (Some(text), Some(calls), Some(ms)) = (row.get(0), row.get(1), row.get(2)) else { continue };
        if text == UNSEEN {
            unseen += 1;
            continue;
        }
        let fingerprint = form.of(text).to_string();
        // What another database tool, or this one, has asked the catalogue isn't the service's.
        if !touches_rows(form.text()) || reads_catalogue_alone(form.text()) {
            continue;
        }
        if found.queries.len() >= arguments.top {
            left += 1;
            continue;
        }
        let calls: u64 = calls.parse().unwrap_or_default();
        let ms: f64 = ms.parse().unwrap_or_default();
        let mean = plimsoll_core::units::duration_ms(ms / calls.max(1) as f64);
        found.queries.push(SavedQuery {
            name: name_of_text(form.text(), &fingerprint),
            remark: format!(
                "Seen {} by pg_stat_statements, {mean} each; fingerprint {fingerprint}.",
                plural(calls as usize, "time")
            ),
            directives: Vec::new(),
            sql: with_casts(text),
            sets: Vec::new(),
        });
    }
    if arguments.values {
        for query in &mut found.queries {
            fill(&session, query).await.map_err(Failure::environment)?;
        }
    }
    session.end().await.map_err(Failure::environment)?;
    if found.queries.is_empty() {
        return Err(Failure::input(format!(
            "take queries from {}: pg_stat_statements has none of this database that reads or writes rows{}",
            target.shown(),
            if unseen > 0 { " and that this role may see: it needs pg_read_all_stats" } else { "" }
        )));
    }
    if left > 0 {
        let shown = count(arguments.top as u64);
        found.notes.push(format!("The {shown} that took the most time; --top takes more."));
    }
    if unseen > 0 {
        found
            .notes
            .push("The role may not see statements of other roles: it needs pg_read_all_stats.".to_owned());
    }
    Ok(found)
}

/// Whether a normal form names relations of the system alone.
fn reads_catalogue_alone(text: &str) -> bool {
    let words: Vec<&str> = text.split([' ', '(', ',', ')']).collect();
    let behind =
        |pair: &[&str]| matches!(pair[0], "from" | "join" | "into" | "update").then(|| pair[1].to_owned());
    let relations: Vec<String> =
        words.windows(2).filter_map(behind).filter(|name| !name.is_empty() && name != "select").collect();
    let of_system = |name: &String| {
        let own = name.rsplit('.').next().unwrap_or_default();
        name.starts_with("information_schema.") || own.starts_with("pg_")
    };
    !relations.is_empty() && relations.iter().all(of_system)
}

/// `interval $1` is no SQL: the view has put a parameter in the place of a literal whose type stands before it.
fn with_casts(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let end = at + 1 + digits;
        let before = rest[..at].trim_end();
        let start =
            before.rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '.');
        let word_start = start.map_or(0, |at| at + 1);
        let word_start = before.ceil_char_boundary(word_start);
        let word = before[word_start..].to_ascii_lowercase();
        if digits > 0 && before.len() < at && NAMED_LITERALS.contains(&word.as_str()) {
            written.push_str(&rest[..word_start]);
            written.push_str(&format!("{}::{word}", &rest[at..end]));
        } else {
            written.push_str(&rest[..end]);
        }
        rest = &rest[end..];
    }
    written + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_behind_a_types_name_are_casts() {
        assert_eq!(
            with_casts("select now() - interval $1, date $2 from é$x where a = $3 and update = $4"),
            "select now() - $1::interval, $2::date from é$x where a = $3 and update = $4"
        );
        assert_eq!(with_casts("select $1 where candidate $2"), "select $1 where candidate $2");
    }

    #[test]
    fn the_systems_relations_are_nobodys_service() {
        assert!(reads_catalogue_alone("select $1 from pg_catalog.pg_class c join pg_namespace n on true"));
        assert!(!reads_catalogue_alone("select $1 from pg_class c join ships on true"));
        assert!(!reads_catalogue_alone("select now()"));
    }
}
