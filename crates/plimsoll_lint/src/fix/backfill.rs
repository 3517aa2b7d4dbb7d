//! `UPDATE` and `DELETE` of a whole table, in batches that each are a transaction.

use plimsoll_sql::Command;
use plimsoll_sql::command::{Modify, ModifyKind};
use plimsoll_sql::outline::{Outline, PartKind};

use super::batches::{self, single_key};
use super::site::{Mended, Refusal, Site, because};

pub(super) fn in_batches(site: &Site) -> Result<Mended, Refusal> {
    let Command::Modify(modify) = site.command else { return because("it writes no rows itself") };
    if !matches!(modify.kind, ModifyKind::Update | ModifyKind::Delete) {
        return because(
            "only UPDATE and DELETE are put into batches: split it by ranges of its source's key",
        );
    }
    let outline = Outline::of(site.sql);
    let begins = |word: &str| outline.find(&[word]).is_some_and(|found| found.start == 0);
    let plain = match modify.kind {
        ModifyKind::Update => begins("update") && !outline.has("from"),
        _ => begins("delete") && !outline.has("using"),
    };
    if !plain || ["returning", "only", "with"].iter().any(|word| outline.has(word)) {
        return because("it joins, returns or leaves out more than a batch can: write the batches by hand");
    }
    let own = site.schema.resolve(&modify.table);
    if modify.reads.iter().any(|read| site.schema.resolve(read) == own) {
        return because("it reads the table that it writes, which would change between batches");
    }
    let key = site.relation(&modify.table).and_then(single_key);
    if key.is_some_and(|key| assigns(site.sql, &outline, key)) {
        return because("it changes the primary key, by which the batches would go");
    }
    let found = outline.find(&["where"]);
    let write = site.sql[..found.as_ref().map_or(site.sql.len(), |found| found.start)].trim_end();
    let condition = found.map(|found| site.sql[found.end..].trim());
    if [Some(write), condition].into_iter().flatten().any(|part| part.contains("--")) {
        return because("it holds a comment, behind which a batch's condition would be lost");
    }
    let step = batches::in_batches(site, &modify.table, write, condition)?;
    Ok(Mended::new("writes in batches, each a transaction of its own", vec![step]).note(run_again(modify)))
}

fn run_again(modify: &Modify) -> &'static str {
    match modify.kind {
        ModifyKind::Delete => "Stopped on its way, it can run again.",
        _ => {
            "Stopped on its way, it has committed the batches before: run again, it writes their rows once more."
        }
    }
}

/// Whether a SET list assigns to a column.
fn assigns(sql: &str, outline: &Outline, column: &str) -> bool {
    let Some(set) = outline.find(&["set"]) else { return false };
    let is_column = |text: &str| text.trim_matches('"') == column || text.to_lowercase() == column;
    outline.parts().windows(2).any(|pair| {
        let [name, sign] = pair else { return false };
        let assigned = name.range.start >= set.end && &sql[sign.range.clone()] == "=";
        let text = &sql[name.range.clone()];
        assigned
            && match name.kind {
                PartKind::Parenthesized => {
                    text[1..text.len() - 1].split(',').any(|one| is_column(one.trim()))
                }
                _ => is_column(text),
            }
    })
}
