//! What a statement did, by oids, and how that is put into words.

use std::collections::BTreeSet;
use std::time::Duration;

use plimsoll_core::rehearsal::{HeldLock, IndexBuild, Scan, StatementError};

use super::catalog::{Catalog, CatalogEntry};
use super::photograph::Locks;

#[derive(Default)]
pub(super) struct Deed {
    pub(super) duration: Duration,
    /// Locks that its transaction didn't hold before.
    pub(super) locks: Locks,
    /// Relations that it read in full, with the rows of one scan.
    pub(super) scans: Vec<(u32, u64)>,
    /// Relations that are new, renamed or have another file.
    pub(super) changed: Vec<(u32, CatalogEntry)>,
    /// Tables with a new file and no row in it: they were truncated.
    pub(super) emptied: BTreeSet<u32>,
    pub(super) wal_bytes: u64,
    pub(super) lock_timeout_ms: u64,
    pub(super) error: Option<StatementError>,
}

/// What was known before the statement.
pub(super) struct Known<'a> {
    pub(super) catalog: &'a Catalog,
    /// Oids of relations that existed before the change.
    pub(super) existing: &'a BTreeSet<u32>,
}

impl Deed {
    pub(super) fn locks(&self, known: &Known<'_>) -> Vec<HeldLock> {
        let held = self.locks.iter().filter_map(|(oid, mode)| {
            let relation = self.name_of(known, *oid)?;
            Some(HeldLock { relation, mode: *mode, existing: known.existing.contains(oid) })
        });
        sorted(held)
    }

    pub(super) fn scans(&self, known: &Known<'_>) -> Vec<Scan> {
        // TRUNCATE "scans" its new, empty file for each index.
        let told = |oid: &u32| known.existing.contains(oid) && !self.emptied.contains(oid);
        sorted(self.scans.iter().filter(|(oid, _)| told(oid)).filter_map(|(oid, rows)| {
            Some(Scan { relation: known.catalog.name(*oid)?.to_owned(), rows: *rows })
        }))
    }

    pub(super) fn rewrites(&self, known: &Known<'_>) -> Vec<String> {
        let told = |oid: &u32| known.existing.contains(oid) && !self.emptied.contains(oid);
        sorted(
            self.with_new_file(known, &['r', 'm'])
                .filter(|(oid, _)| told(oid))
                .filter_map(|(oid, _)| known.catalog.name(*oid).map(ToOwned::to_owned)),
        )
    }

    pub(super) fn index_builds(&self, known: &Known<'_>) -> Vec<IndexBuild> {
        let builds = self.with_new_file(known, &['i']).filter_map(|(_, entry)| {
            let indexed = entry.indexed.filter(|table| !self.emptied.contains(table))?;
            Some(IndexBuild {
                index: entry.name.clone(),
                relation: self.name_of(known, indexed).unwrap_or_default(),
                existing: known.existing.contains(&indexed),
            })
        });
        let mut builds: Vec<IndexBuild> = builds.collect();
        builds.sort_by(|a, b| (&a.relation, &a.index).cmp(&(&b.relation, &b.index)));
        builds
    }

    /// Relations from name to name.
    pub(super) fn renames(&self, known: &Known<'_>) -> Vec<(String, String)> {
        let names =
            self.changed.iter().filter_map(|(oid, entry)| Some((known.catalog.name(*oid)?, &entry.name)));
        names.filter(|(old, new)| old != new).map(|(old, new)| (old.to_owned(), new.clone())).collect()
    }

    fn with_new_file<'a>(
        &'a self,
        known: &'a Known<'_>,
        kinds: &'a [char],
    ) -> impl Iterator<Item = &'a (u32, CatalogEntry)> {
        let is_new = |entry: &CatalogEntry| entry.file != 0 && !known.catalog.files.contains(&entry.file);
        self.changed.iter().filter(move |(_, entry)| kinds.contains(&entry.kind) && is_new(entry))
    }

    /// A relation goes by the name that it had before the statement.
    fn name_of(&self, known: &Known<'_>, oid: u32) -> Option<String> {
        let new = || self.changed.iter().find(|(new, _)| *new == oid).map(|(_, entry)| entry.name.as_str());
        known.catalog.name(oid).or_else(new).map(ToOwned::to_owned)
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}
