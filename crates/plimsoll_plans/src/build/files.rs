//! Lengths of files and heights of B-trees, given while no server runs: it would have pages of them in memory.
//!
//! The planner takes a relation's pages from its file's length (`RelationGetNumberOfBlocks`). A page of zeros is a valid page
//! that nothing was written to, and as a hole it takes no room on disk.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use tokio_postgres::Client;

use super::error::BuildError;
use super::resolve::{Catalogue, rows};
use crate::btree::{Entries, NoBtree, PAGE, raise};
use crate::source::{GinCounts, PlanSource};

/// Pages of a segment: the server cuts files at 1 GiB.
const SEGMENT_PAGES: u32 = 131_072;

/// A file, and what it is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RelationFile {
    /// Relative to the data directory.
    path: PathBuf,
    pages: u32,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Plain,
    Btree { height: u32, entries: Entries },
    Gin(GinCounts),
}

/// What is to become of the data directory's files.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    files: Vec<RelationFile>,
    /// The segment of the log that was written last.
    log_segment: String,
}

/// The files of all relations that are longer in production.
pub(super) async fn list(
    client: &Client,
    source: &PlanSource,
    catalogue: &Catalogue,
) -> Result<Plan, BuildError> {
    let sql = "select c.oid, pg_relation_filepath(c.oid), pg_relation_filepath(nullif(c.reltoastrelid, 0)) from pg_class c \
        join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm', 'i') and n.nspname !~ '^pg_' \
        and n.nspname <> 'information_schema'";
    let mut paths = std::collections::HashMap::new();
    for row in rows(client, sql).await? {
        let oid: u32 = row.get(0).and_then(|text| text.parse().ok()).unwrap_or_default();
        paths.insert(oid, (row.get(1).map(PathBuf::from), row.get(2).map(PathBuf::from)));
    }
    let bounded: HashSet<(&str, &str, &str)> = source
        .boundaries
        .iter()
        .flat_map(|table| {
            table
                .columns
                .iter()
                .map(|column| (table.schema.as_str(), table.table.as_str(), column.column.as_str()))
        })
        .collect();
    let mut files = Vec::new();
    for relation in &source.relations {
        let found = catalogue.relation(&relation.schema, &relation.name);
        let Some((path, toast)) = found.and_then(|found| paths.get(&found.oid)) else { continue };
        let shape = match &relation.index {
            Some(index) => {
                // Where the ends aren't known, none are to be found: the histogram's count then.
                let has_ends = index.leading_column.as_ref().is_some_and(|column| {
                    bounded.contains(&(relation.schema.as_str(), index.table.as_str(), column.name.as_str()))
                });
                let entries = if has_ends { Entries::Kept } else { Entries::Removed };
                match (index.height, index.gin) {
                    (Some(height), _) => Shape::Btree { height, entries },
                    (None, Some(counts)) => Shape::Gin(counts),
                    (None, None) => Shape::Plain,
                }
            }
            None => Shape::Plain,
        };
        files.extend(path.clone().map(|path| RelationFile { path, pages: relation.pages, shape }));
        files.extend(toast.clone().map(|path| RelationFile {
            path,
            pages: relation.toast_pages,
            shape: Shape::Plain,
        }));
    }
    let log = rows(client, "select pg_walfile_name(pg_current_wal_lsn())").await?;
    let log_segment = log.first().and_then(|row| row.get(0)).unwrap_or_default().to_owned();
    Ok(Plan { files, log_segment })
}

/// Gives each file its shape.
pub(super) fn shape(data: &Path, plan: &Plan) -> Result<(), BuildError> {
    let log = data.join("pg_wal");
    remove_spare_segments(&log, &plan.log_segment).map_err(|why| BuildError::File {
        action: "clear",
        path: log,
        why,
    })?;
    for file in &plan.files {
        let path = data.join(&file.path);
        shape_one(&path, file).map_err(|why| BuildError::File { action: "write", path, why })?;
    }
    Ok(())
}

/// Removes the segments that the server made ready for a log as long as that of the loading.
fn remove_spare_segments(log: &Path, current: &str) -> io::Result<()> {
    /// The end of the log may have passed into the next one.
    const KEPT: usize = 1;
    let mut spare: Vec<String> = std::fs::read_dir(log)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.len() == current.len() && name.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .filter(|name| name.as_str() > current)
        .collect();
    spare.sort();
    spare.iter().skip(KEPT).try_for_each(|name| std::fs::remove_file(log.join(name)))
}

fn shape_one(path: &Path, file: &RelationFile) -> io::Result<()> {
    match file.shape {
        Shape::Plain => {}
        Shape::Btree { height, entries } => raise_file(path, height, entries)?,
        Shape::Gin(counts) => write_counts(path, counts)?,
    }
    extend(path, file.pages)
}

fn raise_file(path: &Path, height: u32, entries: Entries) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut pages = Vec::with_capacity(2 * PAGE);
    file.by_ref().take(2 * PAGE as u64).read_to_end(&mut pages)?;
    match raise(&mut pages, height, entries) {
        Ok(()) => file.write_all_at(&pages, 0),
        // An unlogged or invalid index that the server hasn't written: it stays as it is.
        Err(NoBtree) => Ok(()),
    }
}

/// The counts of `GinMetaPageData` (`src/include/access/ginblock.h`), behind the page's header and the list of pending pages.
fn write_counts(path: &Path, counts: GinCounts) -> io::Result<()> {
    const PENDING: u64 = 24 + 12;
    const TOTAL: u64 = 24 + 24;
    const ENTRIES: u64 = 24 + 40;
    let file = OpenOptions::new().write(true).open(path)?;
    file.write_all_at(&counts.pending_pages.to_le_bytes(), PENDING)?;
    let pages = [counts.total_pages, counts.entry_pages, counts.data_pages];
    let pages: Vec<u8> = pages.iter().flat_map(|count| count.to_le_bytes()).collect();
    file.write_all_at(&pages, TOTAL)?;
    file.write_all_at(&counts.entries.to_le_bytes(), ENTRIES)
}

/// Makes a relation as long as this many pages: all segments but the last have 1 GiB.
fn extend(path: &Path, pages: u32) -> io::Result<()> {
    let mut rest = pages.saturating_sub(SEGMENT_PAGES);
    lengthen(&OpenOptions::new().write(true).open(path)?, pages.min(SEGMENT_PAGES))?;
    for segment in 1_u32.. {
        if rest == 0 {
            break;
        }
        let own = rest.min(SEGMENT_PAGES);
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{segment}"));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(name)?;
        // For root, the server is another user's.
        let first = path.metadata()?;
        fchown(&file, Some(first.uid()), Some(first.gid()))?;
        lengthen(&file, own)?;
        rest -= own;
    }
    Ok(())
}

fn lengthen(file: &File, pages: u32) -> io::Result<()> {
    let bytes = u64::from(pages) * PAGE as u64;
    if file.metadata()?.len() < bytes { file.set_len(bytes) } else { Ok(()) }
}
