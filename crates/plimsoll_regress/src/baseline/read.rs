//! Text to a baseline.

use super::{FORMAT_VERSION, HEAD, unescaped};
use crate::record::{Baseline, ColumnFacts, Failed, Outcome, RecordedQuery, RelationFacts, ResultHash, Run};
use crate::shape::Shape;

/// Why text is no baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BaselineError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Levels of a plan beyond which a file isn't one of ours.
const DEEPEST: usize = 2000;

/// Reads the text of a baseline.
///
/// # Errors
/// When it isn't one, is of another version of the format, or has git's marks of a conflict in it.
pub fn read(text: &str) -> Result<Baseline, BaselineError> {
    let mut reader = Reader::default();
    let mut lines = text.lines().enumerate();
    let version = lines
        .next()
        .and_then(|(_, first)| first.strip_prefix(HEAD))
        .and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<u32>().ok());
    match version {
        Some(FORMAT_VERSION) => {}
        Some(other) => {
            let message = format!(
                "the format is {other}, and this program reads {FORMAT_VERSION}: use the program that wrote it, or record it anew"
            );
            return Err(BaselineError { line: 1, message });
        }
        None => {
            let message = "it doesn't begin as a baseline does: record it anew".to_owned();
            return Err(BaselineError { line: 1, message });
        }
    }
    for (at, line) in lines {
        reader
            .line(line.trim_end_matches('\r'))
            .map_err(|message| BaselineError { line: at + 1, message })?;
    }
    reader.end_query().map_err(|message| BaselineError { line: text.lines().count(), message })?;
    if reader.baseline.server == 0 {
        return Err(BaselineError {
            line: 1,
            message: "the server's version is missing: record it anew".to_owned(),
        });
    }
    Ok(reader.baseline)
}

#[derive(Default)]
struct Reader {
    baseline: Baseline,
    query: Option<(String, RecordedQuery)>,
    set: Option<(String, Option<Outcome>)>,
    /// The path to the node that was read last: each with its children so far.
    nodes: Vec<Shape>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
            return Err("git left a conflict here: take either side, then `plimsoll regress test` says which queries \
                        to record anew"
                .to_owned());
        }
        let bare = line.trim_start();
        if bare.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(node) = bare.strip_prefix("-> ") {
            return self.node((line.len() - bare.len()) / 2, node);
        }
        if bare.len() < line.len() {
            let (kind, condition) = bare.split_once(": ").ok_or("a condition lacks its name")?;
            let node = self.nodes.last_mut().ok_or("a condition stands under no node")?;
            node.conditions.push((plain(kind)?, plain(condition)?));
            return Ok(());
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "server" => self.baseline.server = number(rest)?,
            "setting" => {
                let (name, value) = rest.split_once(" = ").ok_or("a setting lacks its value")?;
                self.baseline.settings.insert(plain(name)?, plain(value)?);
            }
            "query" => {
                self.end_query()?;
                self.query = Some((plain(rest)?, RecordedQuery::default()));
            }
            "text" => rest.clone_into(&mut self.query()?.text),
            "relation" => {
                let (name, sizes) = rest.rsplit_once(": ").ok_or("a relation lacks its size")?;
                let (rows, pages) = sizes.split_once(" rows, ").ok_or("a relation lacks its pages")?;
                let pages = number(pages.strip_suffix(" pages").unwrap_or(pages))?;
                let facts = RelationFacts { rows: number(rows)?, pages };
                self.query()?.facts.relations.insert(plain(name)?, facts);
            }
            "column" => {
                let (name, told) = rest.split_once(": ").ok_or("a column lacks its type")?;
                let facts = column(told)?;
                self.query()?.facts.columns.insert(plain(name)?, facts);
            }
            "index" => {
                let (name, definition) = rest.split_once(": ").ok_or("an index lacks its definition")?;
                let (name, definition) = (plain(name)?, plain(definition)?);
                self.query()?.facts.indexes.insert(name, definition);
            }
            "set" => {
                self.query()?;
                self.end_set()?;
                self.set = Some((plain(rest)?, None));
            }
            "failed" => {
                let (sqlstate, message) = rest.split_once(' ').unwrap_or((rest, ""));
                let failed = Failed { sqlstate: plain(sqlstate)?, message: plain(message)? };
                *self.outcome()? = Some(Outcome::Failed(failed));
            }
            _ => self.figures(word, rest)?,
        }
        Ok(())
    }

    fn figures(&mut self, word: &str, rest: &str) -> Result<(), String> {
        let run = self.run(word)?;
        match word {
            "result" => {
                let (rows, hash) = rest.split_once(" rows").ok_or("a result lacks its rows")?;
                run.result.rows = number(rows)?;
                run.result.hash = match hash.strip_prefix(", ordered, ") {
                    Some(hashes) => {
                        let (in_order, as_a_set) = hashes.split_once(", ").ok_or("a result lacks a hash")?;
                        Some(ResultHash::Ordered {
                            in_order: in_order.to_owned(),
                            as_a_set: as_a_set.to_owned(),
                        })
                    }
                    None => hash.strip_prefix(", ").map(|hash| ResultHash::Unordered(hash.to_owned())),
                };
            }
            "shared" => [run.shared_hit, run.shared_read] = numbers(rest, ["hit", "read"])?,
            "temp" => [run.temp_read, run.temp_written] = numbers(rest, ["read", "written"])?,
            "wal" => {
                [run.wal.records, run.wal.full_page_images, run.wal.bytes] =
                    numbers(rest, ["records", "images", "bytes"])?;
            }
            "read" => [run.rows_read] = numbers(rest, ["rows"])?,
            _ => run.cost = number(rest)?,
        }
        Ok(())
    }

    fn node(&mut self, depth: usize, text: &str) -> Result<(), String> {
        if depth > self.nodes.len() || depth > DEEPEST {
            return Err("a node is indented further than below the one above it".to_owned());
        }
        self.fold(depth);
        let (label, figures) = text
            .rsplit_once("  (")
            .and_then(|(label, rest)| Some((label, rest.strip_suffix(')')?)))
            .ok_or("a node lacks its figures")?;
        let mut node = Shape { label: plain(label)?, loops: 1, ..Shape::default() };
        for figure in figures.split(", ") {
            let (name, value) = figure.split_once(' ').ok_or("a figure lacks its value")?;
            let field = match name {
                "rows" => &mut node.rows,
                "expected" => &mut node.expected,
                "buffers" => &mut node.buffers,
                "removed" => &mut node.removed,
                "loops" => &mut node.loops,
                _ => return Err(format!("a node has no figure `{name}`")),
            };
            *field = number(value)?;
        }
        if depth == 0 {
            self.run("a plan")?;
        }
        self.nodes.push(node);
        Ok(())
    }

    /// Hangs the nodes below a depth on their parents.
    fn fold(&mut self, depth: usize) {
        while self.nodes.len() > depth.max(1) {
            if let (Some(child), Some(parent)) = (self.nodes.pop(), self.nodes.last_mut()) {
                parent.children.push(child);
            }
        }
        if depth == 0
            && let (Some(root), Some((_, Some(Outcome::Ran(run))))) = (self.nodes.pop(), &mut self.set)
        {
            run.plan = root;
        }
    }

    fn query(&mut self) -> Result<&mut RecordedQuery, String> {
        self.query.as_mut().map(|(_, query)| query).ok_or_else(|| "it stands under no query".to_owned())
    }

    fn outcome(&mut self) -> Result<&mut Option<Outcome>, String> {
        self.set.as_mut().map(|(_, outcome)| outcome).ok_or_else(|| "it stands under no set".to_owned())
    }

    fn run(&mut self, word: &str) -> Result<&mut Run, String> {
        const KNOWN: [&str; 7] = ["result", "shared", "temp", "wal", "read", "cost", "a plan"];
        if !KNOWN.contains(&word) {
            return Err(format!("a baseline has no line `{word}`"));
        }
        match self.outcome()?.get_or_insert_with(|| Outcome::Ran(Box::default())) {
            Outcome::Ran(run) => Ok(run),
            Outcome::Failed(_) => Err(format!("what failed has no `{word}`")),
        }
    }

    fn end_set(&mut self) -> Result<(), String> {
        self.fold(0);
        let Some((name, outcome)) = self.set.take() else { return Ok(()) };
        let outcome = outcome.ok_or_else(|| format!("nothing is said of set {name}"))?;
        match self.query()?.sets.insert(name.clone(), outcome) {
            None => Ok(()),
            Some(_) => Err(format!("set {name} is there twice")),
        }
    }

    fn end_query(&mut self) -> Result<(), String> {
        self.end_set()?;
        let Some((name, query)) = self.query.take() else { return Ok(()) };
        match self.baseline.queries.insert(name.clone(), query) {
            None => Ok(()),
            Some(_) => Err(format!("query {name} is there twice")),
        }
    }
}

fn column(told: &str) -> Result<ColumnFacts, String> {
    let mut rest = told;
    let mut facts = ColumnFacts::default();
    if let Some((before, statistics)) = rest.rsplit_once(", statistics ") {
        facts.statistics = Some(number(statistics)?);
        rest = before;
    }
    if let Some((before, collation)) = rest.split_once(", collation ") {
        facts.collation = Some(plain(collation)?);
        rest = before;
    }
    facts.data_type = plain(rest)?;
    Ok(facts)
}

/// `14 hit, 0 read`.
fn numbers<const N: usize>(text: &str, units: [&str; N]) -> Result<[u64; N], String> {
    let mut values = [0; N];
    let mut parts = text.split(", ");
    for (value, unit) in values.iter_mut().zip(units) {
        let part = parts.next().and_then(|part| part.strip_suffix(unit)).map(str::trim_end);
        *value = number(part.ok_or_else(|| format!("the number of `{unit}` is missing"))?)?;
    }
    Ok(values)
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn plain(text: &str) -> Result<String, String> {
    unescaped(text).ok_or_else(|| format!("`{text}` has a backslash that means nothing"))
}
