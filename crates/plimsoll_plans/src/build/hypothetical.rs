//! What keeps the sizes of a plan branch, and gives new indexes theirs: see the script.

use tokio_postgres::Client;

use super::error::BuildError;
use super::resolve::Catalogue;
use crate::btree::{HIGHEST, leaf, levels, words};
use crate::source::PlanSource;

pub(super) async fn install(
    client: &Client,
    source: &PlanSource,
    catalogue: &Catalogue,
) -> Result<(), BuildError> {
    let failed = BuildError::statement("install the keeper of sizes");
    let heights: Vec<String> = (1..=HIGHEST)
        .map(|height| {
            let (words, levels, leaf) = (hex(&words(height)), hex(&levels(height)), hex(&leaf(height)));
            format!("({height}, '\\x{words}', '\\x{levels}', '\\x{leaf}')")
        })
        .collect();
    let relations: Vec<String> = source
        .relations
        .iter()
        .filter_map(|relation| {
            let found = catalogue.relation(&relation.schema, &relation.name)?;
            let height = relation.index.as_ref().and_then(|index| index.height).unwrap_or_default();
            let (pages, relpages) = (relation.pages, relation.relpages);
            let (tuples, visible) = (relation.reltuples, relation.relallvisible);
            Some(format!("({}, {pages}, {relpages}, {tuples}, {visible}, {height})", found.oid))
        })
        .collect();
    let relations = if relations.is_empty() {
        String::new()
    } else {
        format!("insert into plimsoll.relation values {};", relations.join(","))
    };
    let script = include_str!("hypothetical.sql");
    let (definitions, trigger) = script.split_at(script.find("create event trigger").unwrap_or(script.len()));
    let sql = format!(
        "{definitions} insert into plimsoll.height values {}; {relations} {trigger}",
        heights.join(",")
    );
    client.batch_execute(&sql).await.map_err(failed)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
