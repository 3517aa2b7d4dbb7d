//! Sets of values for queries' parameters: tables of a TOML file, and JSON lines.
//!
//! `[query]` holds the set `default`; a table in it whose key is no parameter is a set of that name, and takes from `[query]` what
//! it lacks, as a JSON line does. Where there are named sets, `default` isn't one of them.

use std::collections::{HashMap, HashSet};

use plimsoll_core::SourceFile;
use plimsoll_sql::parameter_lines::{ParameterLine, parameter_text, parse_parameter_lines};
use plimsoll_sql::query_file::{Parameter, Query};
use serde_json::Value;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::{DEFAULT_SET, ParameterSet, misplaced};
use crate::exit::Failure;

/// Values by the parameter's name, and the byte at which each stands.
type Given = HashMap<String, (usize, Option<String>)>;

/// What the files beside a query file give to its queries.
pub(super) struct ValueFiles<'a> {
    tables: Option<&'a SourceFile>,
    lines: Option<&'a SourceFile>,
    table_by_query: HashMap<String, (usize, Spanned<DeValue<'a>>)>,
    lines_by_query: HashMap<String, Vec<ParameterLine>>,
}

/// A set with a name.
struct GivenSet<'a> {
    name: String,
    values: Given,
    source: &'a SourceFile,
    /// The byte that it begins at.
    offset: usize,
}

impl<'a> ValueFiles<'a> {
    /// Reads the two files, as far as they are there.
    pub(super) fn read(
        queries_source: &SourceFile,
        tables: Option<&'a SourceFile>,
        lines: Option<&'a SourceFile>,
        queries: &[Query],
    ) -> Result<Self, Failure> {
        let known: HashSet<&str> = queries.iter().map(|query| query.name.as_str()).collect();
        let stranger = |source: &SourceFile, offset: usize, name: &str| {
            let why = format!("{name} is the name of no query in {}", queries_source.name());
            misplaced(source, offset, &why)
        };
        let mut table_by_query = HashMap::new();
        if let Some(source) = tables {
            for (name, value) in parse_tables(source)? {
                let offset = name.span().start;
                let name = name.into_inner().into_owned();
                if !known.contains(name.as_str()) {
                    return Err(stranger(source, offset, &format!("[{name}]")));
                }
                table_by_query.insert(name, (offset, value));
            }
        }
        let mut lines_by_query: HashMap<String, Vec<ParameterLine>> = HashMap::new();
        if let Some(source) = lines {
            let parsed = parse_parameter_lines(source)
                .map_err(|error| misplaced(source, error.range.start, &error.message))?;
            for line in parsed {
                if !known.contains(line.query.as_str()) {
                    return Err(stranger(source, line.range.start, &line.query));
                }
                lines_by_query.entry(line.query.clone()).or_default().push(line);
            }
        }
        Ok(Self { tables, lines, table_by_query, lines_by_query })
    }

    /// The sets of a query.
    pub(super) fn take(&mut self, query: &Query, source: &SourceFile) -> Result<Vec<ParameterSet>, Failure> {
        let mut base = Given::new();
        let mut named = Vec::new();
        if let (Some(source), Some((offset, table))) = (self.tables, self.table_by_query.remove(&query.name))
        {
            named = read_table(query, source, offset, table, &mut base)?;
        }
        if let (Some(source), Some(lines)) = (self.lines, self.lines_by_query.remove(&query.name)) {
            for (at, line) in lines.into_iter().enumerate() {
                named.push(of_line(query, source, at, line)?);
            }
        }
        require_names(query, &named)?;
        if named.is_empty() {
            return Ok(vec![default_set(query, source, base)?]);
        }
        named.into_iter().map(|set| complete(query, set, &base)).collect()
    }
}

fn parse_tables(source: &SourceFile) -> Result<DeTable<'_>, Failure> {
    let table = DeTable::parse(source.text())
        .map_err(|error| misplaced(source, error.span().map_or(0, |span| span.start), error.message()))?;
    Ok(table.into_inner())
}

/// Reads `[query]`: its values into `base`, and its sets.
fn read_table<'a>(
    query: &Query,
    source: &'a SourceFile,
    offset: usize,
    table: Spanned<DeValue<'_>>,
    base: &mut Given,
) -> Result<Vec<GivenSet<'a>>, Failure> {
    let DeValue::Table(own) = table.into_inner() else {
        return Err(misplaced(source, offset, &format!("{} must be a table, [{0}]", query.name)));
    };
    let mut sets = Vec::new();
    for (key, value) in own {
        let (offset, name) = (key.span().start, key.into_inner().into_owned());
        if query.parameters.iter().any(|parameter| parameter.name == name) {
            let text = text_of(query, source, &name, offset, value.into_inner())?;
            base.insert(name, (offset, text));
            continue;
        }
        let DeValue::Table(own) = value.into_inner() else {
            return Err(no_parameter(query, source, offset, &name));
        };
        let mut values = Given::new();
        for (key, value) in own {
            let (offset, parameter) = (key.span().start, key.into_inner().into_owned());
            if !query.parameters.iter().any(|known| known.name == parameter) {
                return Err(no_parameter(query, source, offset, &parameter));
            }
            let text = text_of(query, source, &parameter, offset, value.into_inner())?;
            values.insert(parameter, (offset, text));
        }
        sets.push(GivenSet { name, values, source, offset });
    }
    // The parser has them by name; a person has put the one that matters first.
    sets.sort_by_key(|set| set.offset);
    Ok(sets)
}

fn of_line<'a>(
    query: &Query,
    source: &'a SourceFile,
    at: usize,
    line: ParameterLine,
) -> Result<GivenSet<'a>, Failure> {
    let offset = line.range.start;
    let strange = |name: &String| query.parameters.iter().all(|parameter| parameter.name != *name);
    if let Some((stranger, _)) = line.values.iter().find(|(name, _)| strange(name)) {
        return Err(no_parameter(query, source, offset, stranger));
    }
    let values = line.values.into_iter().map(|(name, text)| (name, (offset, text))).collect();
    Ok(GivenSet { name: line.set.unwrap_or_else(|| (at + 1).to_string()), values, source, offset })
}

fn no_parameter(query: &Query, source: &SourceFile, offset: usize, name: &str) -> Failure {
    misplaced(source, offset, &format!("query {} has no parameter {name}", query.name))
}

/// Refuses sets of a query without parameters, names that a report couldn't show on one line, and names of two sets.
fn require_names(query: &Query, sets: &[GivenSet<'_>]) -> Result<(), Failure> {
    let mut seen: HashMap<&str, &GivenSet<'_>> = HashMap::new();
    for set in sets {
        let wrong = |why: &str| Err(misplaced(set.source, set.offset, why));
        if query.parameters.is_empty() {
            return wrong(&format!(
                "query {} has no parameters, so it can't have a set {}",
                query.name, set.name
            ));
        }
        let unfit = |letter: char| letter.is_control() || letter == '[' || letter == ']';
        if set.name.is_empty() || set.name.trim() != set.name || set.name.contains(unfit) {
            return wrong(&format!(
                "query {}'s set `{}` needs another name: one line without brackets or spaces around it",
                query.name,
                set.name.escape_default()
            ));
        }
        if let Some(twin) = seen.insert(&set.name, set) {
            let (line, column) = twin.source.line_column(twin.offset);
            return wrong(&format!(
                "query {} has a set {} at {}:{line}:{column} already; rename one of them",
                query.name,
                set.name,
                twin.source.name()
            ));
        }
    }
    Ok(())
}

/// The set of a query that has no named one.
fn default_set(query: &Query, source: &SourceFile, mut base: Given) -> Result<ParameterSet, Failure> {
    let value = |parameter: &Parameter| {
        let (_, text) = base.remove(&parameter.name).ok_or_else(|| {
            let why = format!(
                "query {} has no value for its parameter {}; give one in {}:\n[{}]\n{} = …",
                query.name,
                parameter.name,
                source.path().with_extension("toml").display(),
                query.name,
                parameter.name
            );
            misplaced(source, parameter.range.start, &why)
        })?;
        Ok(text)
    };
    let values = query.parameters.iter().map(value).collect::<Result<_, Failure>>()?;
    Ok(ParameterSet { name: DEFAULT_SET.to_owned(), values })
}

fn complete(query: &Query, mut set: GivenSet<'_>, base: &Given) -> Result<ParameterSet, Failure> {
    let values = query.parameters.iter().map(|parameter| {
        let own = set.values.remove(&parameter.name);
        let (_, text) = own.or_else(|| base.get(&parameter.name).cloned()).ok_or_else(|| {
            let why = format!(
                "query {}'s set {} has no value for the parameter {}, and neither has [{0}]; give one",
                query.name, set.name, parameter.name
            );
            misplaced(set.source, set.offset, &why)
        })?;
        Ok(text)
    });
    let values = values.collect::<Result<_, Failure>>()?;
    Ok(ParameterSet { name: set.name, values })
}

/// A value as PostgreSQL reads it; the empty table `{}` is NULL.
fn text_of(
    query: &Query,
    source: &SourceFile,
    name: &str,
    offset: usize,
    value: DeValue<'_>,
) -> Result<Option<String>, Failure> {
    let text = json_of(value, Empty::Null).and_then(|value| parameter_text(&value));
    text.map_err(|why| misplaced(source, offset, &format!("query {}'s {name} {why}", query.name)))
}

/// What an empty table stands for: NULL, or inside JSON an object.
#[derive(Clone, Copy)]
enum Empty {
    Null,
    Object,
}

fn json_of(value: DeValue<'_>, empty: Empty) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => integer.into(),
            // A numeric takes any number of digits.
            Err(_) if integer.radix() == 10 => Value::String(integer.as_str().to_owned()),
            Err(_) => return Err("is too large: write it in quotes, with decimal digits".to_owned()),
        },
        DeValue::Float(float) => float_of(float.as_str(), empty),
        DeValue::Boolean(truth) => truth.into(),
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Array(elements) => {
            let elements = elements.into_iter().map(|element| json_of(element.into_inner(), empty));
            elements.collect::<Result<Vec<_>, _>>()?.into()
        }
        DeValue::Table(fields) if fields.is_empty() && matches!(empty, Empty::Null) => Value::Null,
        DeValue::Table(fields) => {
            let fields = fields.into_iter().map(|(key, value)| {
                Ok((key.into_inner().into_owned(), json_of(value.into_inner(), Empty::Object)?))
            });
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
    })
}

/// The digits as they are written, but for a number inside JSON.
fn float_of(text: &str, empty: Empty) -> Value {
    let number = text.parse().ok().and_then(serde_json::Number::from_f64);
    let keeps = |number: &serde_json::Number| matches!(empty, Empty::Object) || number.to_string() == text;
    number.filter(keeps).map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests;
