//! Looks whether values of before are left: in the columns, by SQL, and in the bytes of all files.
//!
//! Of each column some values are remembered, in memory: all of them where there are few.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use plimsoll_core::units::count;

use super::DataFile;
use super::catalogue::{literal, quoted};
use super::expression::Family;
use super::plan::{Plan, Planned};
use super::rules::How;
use super::run::{Connector, Session, in_list, parsed};
use super::scan::{LEAST, MOST, Needles};
use crate::error::{BranchError, file_error};

/// Tables up to this many rows are remembered whole.
const SMALL: usize = 20_000;
/// Of a column of a larger one.
const SAMPLED: usize = 2000;
/// Of all columns together: they take 64 bytes each.
const MOST_SAMPLES: usize = 400_000;
/// Of the values that a file has, so many are traced to where they come from.
const TRACED: usize = 10;

/// A value of before.
struct Sample {
    /// `database: schema.table.column`.
    column: String,
    /// As a column's text would have it.
    text: String,
    /// As a file would.
    bytes: Vec<u8>,
}

/// Values of before.
pub(super) struct Samples {
    pub(super) is_untouched: bool,
    samples: Vec<Sample>,
    needles: Needles,
}

impl Samples {
    pub(super) fn untouched() -> Self {
        Self { is_untouched: true, samples: Vec::new(), needles: Needles::new([]) }
    }

    /// Remembers values of a database before they are changed.
    pub(super) async fn take(&mut self, session: &Session, plan: &Plan) -> Result<(), BranchError> {
        self.is_untouched = false;
        let share = MOST_SAMPLES / plan.columns.len().max(1);
        for planned in &plan.columns {
            let Some(sql) = sampling(session, plan, planned, share).await? else { continue };
            for row in session.rows(&sql).await? {
                self.samples.push(Sample {
                    column: format!("{}: {}", plan.database, planned.name),
                    text: parsed(&row, 0),
                    bytes: unhex(row.get(1).unwrap_or_default()),
                });
            }
        }
        Ok(())
    }

    pub(super) fn in_words(&self) -> String {
        let columns: BTreeSet<&str> = self.samples.iter().map(|sample| sample.column.as_str()).collect();
        format!(
            "masked; {} values of before, of {} columns, were looked for in every file, and none is left",
            count(self.samples.len() as u64),
            columns.len()
        )
    }
}

/// The query for a column's values that can be looked for; none where they can't.
async fn sampling(
    session: &Session,
    plan: &Plan,
    planned: &Planned,
    share: usize,
) -> Result<Option<String>, BranchError> {
    let column = quoted(&planned.column.name);
    if matches!(planned.how, How::Keep | How::Shuffle | How::DateShift { .. }) {
        return Ok(None);
    }
    let text = match (Family::of(&planned.column), planned.column.base.as_str()) {
        (Family::Text | Family::Uuid, _) | (_, "json" | "xml") => format!("{column}::text"),
        (Family::Bytes, _) => format!("encode(substring({column} FROM 1 FOR {MOST}), 'hex')"),
        (_, "jsonb") => format!("jsonb_path_query({column}, '$.** ? (@.type() == \"string\")') #>> '{{}}'"),
        _ if planned.column.category == "AS" => format!("unnest({column})::text"),
        _ => return Ok(None),
    };
    let Some(table) = plan.tables.get(&planned.column.table) else { return Ok(None) };
    let from = if table.is_partitioned { table.sql() } else { format!("ONLY {}", table.sql()) };
    let query = format!("SELECT count(*) FROM (SELECT FROM {from} LIMIT {}) few", SMALL + 1);
    let rows: usize = session.rows(&query).await?.first().map_or(0, |row| parsed(row, 0));
    let is_small = rows <= SMALL;
    let most = if is_small { SMALL } else { SAMPLED }.min(share);
    // What is most common is in statistics.
    let values = if is_small || Family::of(&planned.column) != Family::Text {
        format!("SELECT {text} AS v FROM {from}")
    } else {
        format!(
            "(SELECT unnest(most_common_vals::text::text[]) AS v FROM pg_stats WHERE schemaname = {} AND tablename = {} AND attname = {}) \
             UNION ALL (SELECT {text} FROM {} TABLESAMPLE SYSTEM (20) LIMIT {most})",
            literal(&table.schema),
            literal(&table.name),
            literal(&planned.column.name),
            from
        )
    };
    let condition = match &planned.how {
        // A fake may be some other row's original by chance; not one with so many letters and digits. (26 letters are 4.7
        // bits, 10 digits 3.3.)
        How::Fake if Family::of(&planned.column) == Family::Text => {
            let bits = ((rows.max(1) * most.max(1)) as f64).log2() * if is_small { 1.0 } else { 1.3 } + 20.0;
            format!(
                "char_length(regexp_replace(left(v, {MOST}), '[^a-zA-Z]', '', 'g')) * 4.7 \
                 + char_length(regexp_replace(left(v, {MOST}), '[^0-9]', '', 'g')) * 3.3 >= {bits:.0}"
            )
        }
        How::Fixed(value) => format!("strpos({}, v) = 0", literal(value)),
        _ => "true".to_owned(),
    };
    let bytes = match Family::of(&planned.column) {
        Family::Uuid => "replace(v, '-', '')".to_owned(),
        Family::Bytes => "v".to_owned(),
        _ => format!("encode(convert_to(left(v, {MOST}), getdatabaseencoding()::name), 'hex')"),
    };
    Ok(Some(format!(
        "SELECT DISTINCT left(v, {MOST}), {bytes} FROM ({values}) AS taken(v) \
         WHERE octet_length(v) >= {LEAST} AND char_length({bytes}) >= {} AND {condition} LIMIT {most}",
        2 * LEAST
    )))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Looks while the server runs. What is left fails; columns without a rule that have the same values come back.
pub(super) async fn look(
    connector: &Connector,
    plans: &[Plan],
    samples: &mut Samples,
    data: &Path,
) -> Result<Vec<String>, BranchError> {
    let mut sessions = BTreeMap::new();
    for plan in plans {
        sessions.insert(plan.database.clone(), connector.open(&plan.database).await?);
    }
    for plan in plans {
        let Some(session) = sessions.get(&plan.database) else { continue };
        look_at_columns(session, plan, samples).await?;
    }
    let Some(session) = sessions.values().next() else { return Ok(Vec::new()) };
    session.run("write a checkpoint", "CHECKPOINT").await?;
    samples.needles = Needles::new(samples.samples.iter().map(|sample| sample.bytes.clone()));
    let known = databases(session).await?;
    let mut copies = BTreeSet::new();
    for (file, found) in scan(data, Path::new(""), &samples.needles, |path| !path.starts_with("pg_wal"))? {
        let place = FilePlace::of(&file);
        let database = place.as_ref().and_then(|place| known.get(&place.database));
        let plan = database.and_then(|(name, _)| plans.iter().find(|plan| plan.database == *name));
        let session = plan.and_then(|plan| sessions.get(&plan.database));
        let (Some(place), Some((_, default)), Some(plan), Some(session)) = (place, database, plan, session)
        else {
            // What is shared by all databases, or is a template, has catalogues alone.
            if file.starts_with("base") || file.starts_with("global") || file.starts_with("pg_stat") {
                continue;
            }
            return Err(left(samples, &found, &file.display().to_string()));
        };
        let tablespace = if place.tablespace == *default { 0 } else { place.tablespace };
        let Some(relation) = relation(session, tablespace, place.node).await? else {
            // A crash of the source has left it; no table owns it.
            crate::state::remove_file(&data.join(&file))?;
            continue;
        };
        for number in found.iter().take(TRACED) {
            match trace(session, plan, &relation, &samples.samples[*number]).await? {
                Traced::Nowhere => {}
                Traced::Left(place) => return Err(left(samples, &BTreeSet::from([*number]), &place)),
                Traced::Copy(columns) => copies.extend(columns),
            }
        }
    }
    let kept: BTreeSet<String> = plans
        .iter()
        .flat_map(|plan| plan.kept.iter().map(|(column, _)| format!("{}: {column}", plan.database)))
        .collect();
    Ok(copies.difference(&kept).cloned().collect())
}

fn left(samples: &Samples, found: &BTreeSet<usize>, place: &str) -> BranchError {
    let columns: BTreeSet<&str> =
        found.iter().map(|number| samples.samples[*number].column.as_str()).collect();
    let columns: Vec<&str> = columns.into_iter().collect();
    BranchError::Environment(format!(
        "mask the trunk: values of {} are still in {place}; nothing is published. Mask what else has them, or report this as a \
         bug of Plimsoll",
        columns.join(", ")
    ))
}

/// By SQL, since a long value may be compressed in its file.
async fn look_at_columns(session: &Session, plan: &Plan, samples: &Samples) -> Result<(), BranchError> {
    for planned in plan.columns.iter().filter(|planned| Family::of(&planned.column) == Family::Text) {
        let name = format!("{}: {}", plan.database, planned.name);
        let of_column = samples.samples.iter().filter(|sample| sample.column == name);
        let texts: Vec<String> = of_column.map(|sample| sample.text.clone()).collect();
        let Some(table) = plan.tables.get(&planned.column.table).filter(|_| !texts.is_empty()) else {
            continue;
        };
        let column = quoted(&planned.column.name);
        let from = if table.is_partitioned { table.sql() } else { format!("ONLY {}", table.sql()) };
        let sql = format!(
            "SELECT count(*) FROM {from} WHERE left({column}::text, {MOST}) IN ({})",
            in_list(&texts)
        );
        let rows: u64 = session.rows(&sql).await?.first().map_or(0, |row| parsed(row, 0));
        if rows > 0 {
            return Err(BranchError::Environment(format!(
                "mask {name}: {rows} rows have values of before; nothing is published. Report this as a bug of Plimsoll"
            )));
        }
    }
    Ok(())
}

/// Names and default tablespaces of databases.
async fn databases(session: &Session) -> Result<BTreeMap<u32, (String, u32)>, BranchError> {
    let rows = session.rows("SELECT oid, datname, dattablespace FROM pg_database").await?;
    Ok(rows.iter().map(|row| (parsed(row, 0), (parsed(row, 1), parsed(row, 2)))).collect())
}

/// Which relation's file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FilePlace {
    tablespace: u32,
    database: u32,
    node: u32,
}

/// `pg_tablespace.oid` of `pg_default`.
const PG_DEFAULT: u32 = 1663;

impl FilePlace {
    /// By a path relative to the data directory. (PostgreSQL's manual, "Database File Layout".)
    fn of(path: &Path) -> Option<Self> {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let (tablespace, database, file) = match parts[..] {
            ["base", database, file] => (PG_DEFAULT, database, file),
            ["pg_tblspc", tablespace, _, database, file] => (tablespace.parse().ok()?, database, file),
            _ => return None,
        };
        // `16384_vm`, `16384.1`
        let node = file.split(['_', '.']).next()?.parse().ok()?;
        Some(Self { tablespace, database: database.parse().ok()?, node })
    }
}

/// A relation whose file has a value: its table.
struct Relation {
    /// The root's number, where it is a partition.
    table: u32,
    name: String,
    kind: String,
    schema: String,
}

async fn relation(session: &Session, tablespace: u32, node: u32) -> Result<Option<Relation>, BranchError> {
    let sql = format!(
        "SELECT coalesce(pg_partition_root(t.oid), t.oid)::oid, format('%I.%I', n.nspname, t.relname), t.relkind, n.nspname
         FROM pg_class r LEFT JOIN pg_index i ON i.indexrelid = r.oid
         LEFT JOIN pg_class toasted ON toasted.reltoastrelid = coalesce(i.indrelid, r.oid)
         JOIN pg_class t ON t.oid = coalesce(toasted.oid, i.indrelid, r.oid) JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE r.oid = pg_filenode_relation({tablespace}, {node})"
    );
    Ok(session.rows(&sql).await?.first().map(|row| Relation {
        table: parsed(row, 0),
        name: parsed(row, 1),
        kind: parsed(row, 2),
        schema: parsed(row, 3),
    }))
}

enum Traced {
    /// Where no rows are.
    Nowhere,
    /// In a place that was masked.
    Left(String),
    /// In columns that no rule is for: `database: schema.table.column`.
    Copy(Vec<String>),
}

/// Where a relation has a value: other columns may have it by right.
async fn trace(
    session: &Session,
    plan: &Plan,
    relation: &Relation,
    sample: &Sample,
) -> Result<Traced, BranchError> {
    let text = literal(&sample.text);
    let is_masked = |table: u32, number: i16| plan.of(table).any(|planned| planned.column.number == number);
    let is_touched = |table: u32| plan.of(table).next().is_some();
    let of_database = |name: &str| format!("{}: {name}", plan.database);
    if relation.schema == "pg_catalog" {
        let sql = match relation.name.as_str() {
            "pg_catalog.pg_statistic" => format!(
                "SELECT coalesce(pg_partition_root(starelid), starelid)::oid, staattnum FROM pg_statistic WHERE strpos(concat_ws(' ', \
                 stavalues1::text, stavalues2::text, stavalues3::text, stavalues4::text, stavalues5::text), {text}) > 0"
            ),
            "pg_catalog.pg_statistic_ext_data" => format!(
                "SELECT coalesce(pg_partition_root(stxrelid), stxrelid)::oid, 0 FROM pg_statistic_ext s JOIN pg_statistic_ext_data d ON d.stxoid = s.oid \
                 WHERE EXISTS (SELECT FROM pg_mcv_list_items(stxdmcv) item WHERE strpos(item.values::text, {text}) > 0)"
            ),
            _ => return Ok(Traced::Nowhere),
        };
        let rows = session.rows(&sql).await?;
        let places = rows.iter().map(|row| (parsed::<u32>(row, 0), parsed::<i16>(row, 1)));
        let by_right = places
            .into_iter()
            .any(|(table, number)| !is_masked(table, number) && (number != 0 || !is_touched(table)));
        return Ok(if by_right {
            Traced::Nowhere
        } else {
            Traced::Left(format!("the statistics ({})", relation.name))
        });
    }
    if !["r", "m"].contains(&relation.kind.as_str()) {
        return Ok(Traced::Nowhere);
    }
    let columns: Vec<_> = plan.all.iter().filter(|column| column.table == relation.table).collect();
    if columns.is_empty() {
        let sql =
            format!("SELECT FROM {0} AS whole WHERE strpos(whole::text, {text}) > 0 LIMIT 1", relation.name);
        let is_there = !session.rows(&sql).await?.is_empty();
        let copy = || Traced::Copy(vec![of_database(&relation.name)]);
        return Ok(if is_there { copy() } else { Traced::Left(relation.name.clone()) });
    }
    let mut copies = Vec::new();
    for column in columns {
        let name = quoted(&column.name);
        let sql = format!("SELECT FROM {} WHERE strpos({name}::text, {text}) > 0 LIMIT 1", relation.name);
        if session.rows(&sql).await?.is_empty() {
            continue;
        }
        if is_masked(column.table, column.number) {
            return Ok(Traced::Left(plan.name(column)));
        }
        copies.push(of_database(&plan.name(column)));
    }
    Ok(match (copies.is_empty(), is_touched(relation.table)) {
        (false, _) => Traced::Copy(copies),
        (true, true) => Traced::Left(format!("a page of {}", relation.name)),
        (true, false) => {
            Traced::Copy(vec![of_database(&format!("{} (deleted rows or a dropped column)", relation.name))])
        }
    })
}

/// The files that have values, several read at once.
fn scan(
    data: &Path,
    folder: &Path,
    needles: &Needles,
    wanted: impl Fn(&Path) -> bool,
) -> Result<Vec<(DataFile, BTreeSet<usize>)>, BranchError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let path = data.join(&folder);
        for entry in std::fs::read_dir(&path).map_err(file_error("read", &path))? {
            let entry = entry.map_err(file_error("read", &path))?;
            let relative = folder.join(entry.file_name());
            match entry.file_type().map_err(file_error("look at", &entry.path()))? {
                kind if kind.is_dir() => folders.push(relative),
                kind if kind.is_file() && wanted(&relative) => files.push(relative),
                _ => {}
            }
        }
    }
    let queue = Mutex::new(files.into_iter());
    let found = Mutex::new(Vec::new());
    let look = || -> Result<(), BranchError> {
        loop {
            let Some(file) = queue.lock().ok().and_then(|mut queue| queue.next()) else { return Ok(()) };
            let path = data.join(&file);
            match needles.in_file(&path) {
                Ok(numbers) if numbers.is_empty() => {}
                Ok(numbers) => {
                    found.lock().iter_mut().for_each(|found| found.push((file.clone(), numbers.clone())))
                }
                // A server at rest still removes files.
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
                Err(why) => return Err(file_error("read", &path)(why)),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(look)).collect();
        running.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| {
                Err(BranchError::Environment("look through the trunk's files".to_owned()))
            })
        })
    })?;
    let mut found = found.into_inner().unwrap_or_default();
    found.sort();
    Ok(found)
}

/// Removes what extensions and logical decoding have left beside the tables.
pub(super) fn clear_files(samples: &Samples, data: &Path) -> Result<(), BranchError> {
    for (folder, kept) in
        [("pg_stat", "pgstat.stat"), ("pg_logical/snapshots", ""), ("pg_logical/mappings", "")]
    {
        let folder = data.join(folder);
        for entry in std::fs::read_dir(&folder).map_err(file_error("read", &folder))? {
            let path: PathBuf = entry.map_err(file_error("read", &folder))?.path();
            if path.file_name().is_some_and(|name| name != kept) {
                crate::state::remove_file(&path)?;
            }
        }
    }
    let is_beside = |path: &Path| {
        !path.starts_with("base") && !path.starts_with("global") && !path.starts_with("pg_tblspc")
    };
    match scan(data, Path::new(""), &samples.needles, is_beside)?.first() {
        Some((file, found)) => Err(left(samples, found, &file.display().to_string())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_relations() {
        let check = |path: &str, expected: Option<(u32, u32, u32)>| {
            let expected =
                expected.map(|(tablespace, database, node)| FilePlace { tablespace, database, node });
            assert_eq!(FilePlace::of(Path::new(path)), expected, "{path}");
        };
        check("base/5/16384", Some((1663, 5, 16384)));
        check("base/5/16384.12", Some((1663, 5, 16384)));
        check("base/5/16384_vm", Some((1663, 5, 16384)));
        check("pg_tblspc/17000/PG_18_202506291/5/99_fsm.1", Some((17000, 5, 99)));
        check("base/5/pg_filenode.map", None);
        check("global/1262", None);
        check("pg_wal/000000010000000000000001", None);
    }

    #[test]
    fn hexadecimal_digits_are_bytes() {
        assert_eq!(unhex("00ff7a"), [0, 255, 122]);
        assert_eq!(unhex(""), [0; 0]);
    }
}
