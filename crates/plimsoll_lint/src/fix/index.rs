//! Statements about indexes and materialized views that have a form with `CONCURRENTLY`.

use plimsoll_sql::Command;
use plimsoll_sql::command::{ObjectKind, ReindexTarget};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::outline::Outline;
use plimsoll_sql::schema::RelationKind;

use super::made_names::{Of, index_columns, made_name};
use super::site::{Mended, Refusal, Site, because};
use super::{Run, Step};

/// `CREATE INDEX` to `CREATE INDEX CONCURRENTLY`, with the name that PostgreSQL would give it.
pub(super) fn create(site: &Site) -> Result<Mended, Refusal> {
    let Command::CreateIndex(index) = site.command else { return because("it is no CREATE INDEX") };
    let mut behind = " CONCURRENTLY".to_owned();
    let outline = Outline::of(site.sql);
    if index.name.is_none() {
        let columns = index_columns(&index.keys, &included(site.sql, &outline));
        let name = made_name(site.schema, &index.table, &columns, "idx", Of::Index);
        behind.push_str(&format!(" {}", quote_identifier(&name)));
    }
    let (head, tail) = site.sql.split_at(index.index_word.end.min(site.sql.len()));
    let mended =
        Mended::new("builds the index CONCURRENTLY", vec![Step::outside(format!("{head}{behind}{tail}"))]);
    Ok(match (&index.name, index.if_not_exists) {
        (Some(name), true) => mended.note(format!(
            "A failed build leaves an invalid index, which IF NOT EXISTS takes for the index: then run DROP INDEX CONCURRENTLY IF \
             EXISTS {} before it runs again.",
            quote_identifier(name)
        )),
        _ => mended,
    })
}

/// The columns behind INCLUDE.
pub(super) fn included(sql: &str, outline: &Outline) -> Vec<String> {
    let Some(list) = outline.find(&["include"]).and_then(|at| outline.parenthesized_behind(at.end)) else {
        return Vec::new();
    };
    let list = &sql[list.start + 1..list.end - 1];
    list.split(',')
        .map(|column| {
            let column = column.trim();
            match column.strip_prefix('"').and_then(|column| column.strip_suffix('"')) {
                Some(quoted) => quoted.replace("\"\"", "\""),
                None => column.to_lowercase(),
            }
        })
        .collect()
}

/// `DROP INDEX` to one `DROP INDEX CONCURRENTLY` for each index.
pub(super) fn drop(site: &Site) -> Result<Mended, Refusal> {
    let Command::Drop(drop) = site.command else { return because("it is no DROP INDEX") };
    if drop.kind != ObjectKind::Index {
        return because("it drops no index");
    }
    if drop.cascade {
        return because("DROP INDEX CONCURRENTLY knows no CASCADE: drop what depends on the index first");
    }
    let on_partitioned = |table: &plimsoll_sql::ObjectName| {
        site.relation(table).is_some_and(|known| known.kind == RelationKind::PartitionedTable)
    };
    if drop.names.iter().filter_map(|name| site.schema.table_of_index(name)).any(on_partitioned) {
        return because(
            "an index of a partitioned table can't be dropped concurrently: give the lock a lock_timeout",
        );
    }
    let if_exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let one = |name| Step::outside(format!("DROP INDEX CONCURRENTLY {if_exists}{}", quote_name(name)));
    Ok(Mended::new("drops the index CONCURRENTLY", drop.names.iter().map(one).collect()))
}

/// What PostgreSQL refuses in a transaction, out of it.
pub(super) fn outside(site: &Site) -> Result<Mended, Refusal> {
    Ok(Mended::new("takes it out of the transaction", vec![Step::outside(site.sql)]))
}

/// `REINDEX` to `REINDEX … CONCURRENTLY`.
pub(super) fn reindex(site: &Site) -> Result<Mended, Refusal> {
    let Command::Reindex { target, .. } = site.command else { return because("it is no REINDEX") };
    if *target == ReindexTarget::System {
        return because("system catalogs can't be reindexed concurrently");
    }
    let outline = Outline::of(site.sql);
    let word = ["index", "table", "schema", "database"].iter().filter_map(|word| outline.find(&[word]));
    let Some(at) = word.map(|found| found.end).min() else { return because("it says nothing to reindex") };
    let (head, tail) = site.sql.split_at(at);
    Ok(Mended::new("reindexes CONCURRENTLY", vec![Step::outside(format!("{head} CONCURRENTLY{tail}"))]))
}

/// `REFRESH MATERIALIZED VIEW` to `… CONCURRENTLY`, where a unique index of columns lets it.
pub(super) fn refresh(site: &Site) -> Result<Mended, Refusal> {
    let Command::Refresh { name, with_data, .. } = site.command else { return because("it is no REFRESH") };
    let usable = site.relation(name).is_some_and(|known| {
        known.indexes.iter().any(|index| {
            index.unique && index.valid && !index.partial && index.keys.iter().all(|key| key.column.is_some())
        })
    });
    if !usable {
        return because(
            "CONCURRENTLY needs a unique index of columns on the materialized view: build one first, concurrently",
        );
    }
    let Some(view) = Outline::of(site.sql).find(&["materialized", "view"]).filter(|_| *with_data) else {
        return because("REFRESH … WITH NO DATA has no concurrent form");
    };
    let (head, tail) = site.sql.split_at(view.end);
    let step = Step { sql: format!("{head} CONCURRENTLY{tail}"), run: Run::Along };
    Ok(Mended::new("refreshes CONCURRENTLY", vec![step]))
}
