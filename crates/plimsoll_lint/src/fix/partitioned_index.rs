//! An index on a partitioned table: of the parent alone first, of each partition concurrently, then attached.

use plimsoll_sql::Command;
use plimsoll_sql::command::CreateIndex;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::outline::Outline;
use plimsoll_sql::schema::ResolvedName;

use super::Step;
use super::index::included;
use super::made_names::{Of, index_columns, made_name};
use super::site::{Mended, Refusal, Site, because};

pub(super) fn create(site: &Site) -> Result<Mended, Refusal> {
    let Command::CreateIndex(index) = site.command else { return because("it is no CREATE INDEX") };
    let outline = Outline::of(site.sql);
    let table = outline.find(&["on"]).and_then(|on| outline.name_behind(site.sql, on.end));
    let Some(table) = table else { return because("its table isn't found in its text") };
    let parent = site.schema.resolve(&index.table);
    let columns = index_columns(&index.keys, &included(site.sql, &outline));
    let name = index
        .name
        .clone()
        .unwrap_or_else(|| made_name(site.schema, &index.table, &columns, "idx", Of::Index));
    let mut tree =
        Tree { site, index, tail: &site.sql[table.end..], columns, steps: Vec::new(), taken: Vec::new() };
    tree.grow(&parent, &quote_name(&index.table), &name)?;
    let mended = Mended::new("builds each partition's index CONCURRENTLY, then attaches it", tree.steps);
    Ok(match index.if_not_exists {
        true => mended
            .note("IF NOT EXISTS was left out: run again, the statements that succeeded before would fail."),
        false => mended,
    })
}

struct Tree<'a> {
    site: &'a Site<'a>,
    index: &'a CreateIndex,
    /// What the statement says behind the table's name.
    tail: &'a str,
    columns: String,
    steps: Vec<Step>,
    /// Names given to indexes so far.
    taken: Vec<ResolvedName>,
}

impl Tree<'_> {
    /// The steps for a partitioned table whose index has a name.
    fn grow(&mut self, parent: &ResolvedName, sql: &str, name: &str) -> Result<(), Refusal> {
        let unique = if self.index.unique { "UNIQUE " } else { "" };
        let (quoted, tail) = (quote_identifier(name), self.tail);
        self.steps.push(Step::along(format!("CREATE {unique}INDEX {quoted} ON ONLY {sql}{tail}")));
        let own = ResolvedName { schema: parent.schema.clone(), name: name.to_owned() };
        let partitions: Vec<ResolvedName> =
            self.site.schema.partitions(parent).map(|(partition, _)| partition.clone()).collect();
        for partition in &partitions {
            let made = made_name(self.site.schema, partition, &self.columns, "idx", Of::Index);
            let child = ResolvedName { schema: partition.schema.clone(), name: made.clone() };
            if self.taken.contains(&child) {
                return because("two of its partitions' indexes would have the same name");
            }
            self.taken.push(child.clone());
            let table = quote_name(partition);
            if self.site.is_partitioned(partition) {
                self.grow(partition, &table, &made)?;
            } else {
                let made = quote_identifier(&made);
                self.steps.push(Step::outside(format!(
                    "CREATE {unique}INDEX CONCURRENTLY {made} ON {table}{tail}"
                )));
            }
            self.steps.push(Step::along(format!(
                "ALTER INDEX {} ATTACH PARTITION {}",
                quote_name(&own),
                quote_name(&child)
            )));
        }
        Ok(())
    }
}
