//! What a statement did, by oids, and how that is put into words.

use std::collections::BTreeSet;
use std::time::Duration;

use plimsoll_core::facts::{
    FurtherFacts, RowsWritten, SequenceMove, ServerMessage, TempFiles, TriggersFired, ValidatedForeignKey,
};
use plimsoll_core::rehearsal::{HeldLock, IndexBuild, LockSpan, Scan, StatementError};

use super::catalog::{Catalog, CatalogEntry};
use super::notices::Told;
use super::photograph::Locks;
use super::sampling::Spans;
use super::waits::Waits;

#[derive(Clone, Default)]
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
    /// When the locks of a statement that commits by itself were seen.
    pub(super) spans: Spans,
    /// Rows inserted, updated, deleted.
    pub(super) written: Vec<(u32, [u64; 3])>,
    pub(super) catalog_rows: u64,
    pub(super) validated: Vec<ValidatedForeignKey>,
    pub(super) sequences: Vec<(u32, SequenceMove)>,
    pub(super) triggers: Vec<TriggersFired>,
    pub(super) temp_files: TempFiles,
    pub(super) messages: Vec<ServerMessage>,
    pub(super) waits: Waits,
}

/// What was known before the statement.
pub(super) struct Known<'a> {
    pub(super) catalog: &'a Catalog,
    /// Oids of relations that existed before the change.
    pub(super) existing: &'a BTreeSet<u32>,
}

impl Deed {
    /// What is known of a statement that wasn't looked at: what the server told of it.
    pub(super) fn of_told(told: Told) -> Self {
        Self { temp_files: told.temp_files, messages: told.messages, ..Self::default() }
    }

    pub(super) fn locks(&self, known: &Known<'_>) -> Vec<HeldLock> {
        let held = self.locks.iter().filter_map(|(oid, mode)| {
            let relation = self.name_of(known, *oid)?;
            let entry = self.entry(known, *oid);
            let name_of = |oid: Option<u32>| oid.and_then(|oid| self.name_of(known, oid));
            Some(HeldLock {
                relation,
                mode: *mode,
                existing: known.existing.contains(oid),
                partition_of: name_of(entry.and_then(|entry| entry.partition_of)),
                index_of: name_of(entry.and_then(|entry| entry.indexed)),
            })
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

    pub(super) fn lock_spans(&self, known: &Known<'_>) -> Vec<LockSpan> {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let spans = self.spans.iter().filter_map(|((oid, mode), (from, to))| {
            let relation = self.name_of(known, *oid)?;
            Some(LockSpan { relation, mode: *mode, from_ms: milliseconds(*from), to_ms: milliseconds(*to) })
        });
        spans.collect()
    }

    /// All but locks, rewrites, scans and builds.
    pub(super) fn further(&self, known: &Known<'_>) -> FurtherFacts {
        let existing = |oid: u32| known.existing.contains(&oid);
        let truncated = self.emptied.iter().copied().filter(|oid| existing(*oid));
        let rows_written = self.written.iter().filter_map(|(oid, [inserted, updated, deleted])| {
            let relation = self.name_of(known, *oid)?;
            Some(RowsWritten { relation, inserted: *inserted, updated: *updated, deleted: *deleted })
        });
        let sequences = self.sequences.iter().filter(|(oid, _)| existing(*oid));
        let mut facts = FurtherFacts {
            truncated: sorted(truncated.filter_map(|oid| self.name_of(known, oid))),
            validated_foreign_keys: self.validated.clone(),
            toast_rewrites: self.toast_rewrites(known),
            index_rewrites: self.index_rewrites(known),
            refreshed: self.refreshed(known),
            rows_written: sorted(rows_written),
            catalog_rows: self.catalog_rows,
            catalog_only: false,
            sequences: sorted(sequences.map(|(_, moved)| moved.clone())),
            triggers: sorted(self.triggers.iter().cloned()),
            temp_files: (self.temp_files.files > 0).then_some(self.temp_files),
            waits: self.waits.clone().events(),
            server_messages: self.messages.clone(),
        };
        facts.catalog_only = facts.catalog_rows > 0
            && self.error.is_none()
            && facts.truncated.is_empty()
            && facts.validated_foreign_keys.is_empty()
            && facts.refreshed.is_empty()
            && facts.rows_written.is_empty()
            && facts.sequences.is_empty()
            && self.rewrites(known).is_empty()
            && self.scans(known).is_empty()
            && self.index_builds(known).iter().all(|build| !build.existing);
        facts
    }

    fn toast_rewrites(&self, known: &Known<'_>) -> Vec<String> {
        let rewritten = self.changed.iter().filter(|(oid, entry)| {
            let before = known.catalog.entries.get(oid).map_or(0, |entry| entry.toast_file);
            let is_another = before != 0 && entry.toast_file != 0 && before != entry.toast_file;
            is_another && known.existing.contains(oid) && !self.emptied.contains(oid)
        });
        sorted(rewritten.filter_map(|(oid, _)| self.name_of(known, *oid)))
    }

    /// ALTER TABLE drops an index that it has to rebuild, and makes one of the same name.
    fn index_rewrites(&self, known: &Known<'_>) -> Vec<String> {
        let was_there = |oid: &u32, name: &str| {
            known.catalog.entries.contains_key(oid)
                || known.catalog.entries.values().any(|entry| entry.name == name)
        };
        let rebuilt = self.with_new_file(known, &['i']).filter(|(oid, entry)| {
            let of_existing = entry.indexed.is_some_and(|table| known.existing.contains(&table));
            let emptied = entry.indexed.is_some_and(|table| self.emptied.contains(&table));
            of_existing && !emptied && was_there(oid, &entry.name)
        });
        sorted(rebuilt.map(|(_, entry)| entry.name.clone()))
    }

    /// A refresh gives a materialized view a new file, or, concurrently, locks it as nothing else does.
    fn refreshed(&self, known: &Known<'_>) -> Vec<String> {
        let by_file = self.with_new_file(known, &['m']).map(|(oid, _)| *oid);
        let by_lock = self.locks.iter().filter(|(oid, mode)| {
            *mode == plimsoll_core::LockMode::Exclusive
                && self.entry(known, *oid).is_some_and(|entry| entry.kind == 'm')
        });
        let oids: BTreeSet<u32> = by_file.chain(by_lock.map(|(oid, _)| *oid)).collect();
        let existing = oids.into_iter().filter(|oid| known.existing.contains(oid));
        sorted(existing.filter_map(|oid| self.name_of(known, oid)))
    }

    fn entry<'a>(&'a self, known: &'a Known<'_>, oid: u32) -> Option<&'a CatalogEntry> {
        let new = || self.changed.iter().find(|(new, _)| *new == oid).map(|(_, entry)| entry);
        known.catalog.entries.get(&oid).or_else(new)
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
