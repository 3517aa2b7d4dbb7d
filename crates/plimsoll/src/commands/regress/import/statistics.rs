//! Values for parameters from the planner's statistics: a common one and a rare one of the column that a parameter is compared with.
//!
//! The text is read word by word, and only `column = $1` and its like are understood: what isn't stays without a value.

use std::collections::BTreeMap;

use plimsoll_pg::catalogue::{CatalogueError, Session};

use crate::corpus::saved::SavedQuery;

/// Operators between a column and a parameter.
const COMPARISONS: [&str; 8] = ["=", "<", ">", "<=", ">=", "<>", "!=", "like"];

/// What a parameter is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A column, perhaps behind a relation's name or alias.
    Column {
        relation: Option<String>,
        column: String,
    },
    Limit,
    Offset,
}

/// Gives the query the sets `common` and `rare`, if there is a value for each of its parameters.
pub(super) async fn fill(session: &Session<'_>, query: &mut SavedQuery) -> Result<(), CatalogueError> {
    let words = words(&query.sql);
    let places = places(&words);
    let highest = words.iter().filter_map(|word| number_of(word)).max().unwrap_or_default();
    if highest == 0 {
        return Ok(());
    }
    let relations = relations(&words);
    let (mut common, mut rare) = (Vec::new(), Vec::new());
    for number in 1..=highest {
        let found = match places.get(&number) {
            None => return Ok(()),
            Some(Place::Limit) => Some(("20".to_owned(), "1000".to_owned())),
            Some(Place::Offset) => Some(("0".to_owned(), "1000".to_owned())),
            Some(Place::Column { relation, column }) => {
                let known = relations.iter().filter(|(_, alias)| match relation {
                    Some(relation) => relation == alias,
                    None => true,
                });
                let mut found = None;
                for (name, _) in known {
                    found = found.or(ask(session, name, column).await?);
                }
                found
            }
        };
        let Some((often, seldom)) = found else { return Ok(()) };
        common.push(Some(often));
        rare.push(Some(seldom));
    }
    query.sets.push(("common".to_owned(), common.clone()));
    if rare != common {
        query.sets.push(("rare".to_owned(), rare));
    }
    Ok(())
}

/// The most common value of a column, and one that isn't among the most common.
async fn ask(
    session: &Session<'_>,
    relation: &[String],
    column: &str,
) -> Result<Option<(String, String)>, CatalogueError> {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    // The session's search_path isn't the service's: without a schema, public's relation comes first.
    let (schema, table) = match relation {
        [.., schema, table] => (format!("s.schemaname = {}", text(schema)), table),
        [table] => ("s.schemaname not in ('pg_catalog', 'information_schema')".to_owned(), table),
        [] => return Ok(None),
    };
    let sql = format!(
        "select coalesce(v.common[1], v.bounds[1 + pg_catalog.cardinality(v.bounds) / 2]), \
         coalesce(v.bounds[1 + pg_catalog.cardinality(v.bounds) / 2], v.common[pg_catalog.cardinality(v.common)]) \
         from pg_catalog.pg_stats s, lateral (select s.most_common_vals::text::text[] as common, \
         s.histogram_bounds::text::text[] as bounds) v \
         where {schema} and s.tablename = {} and s.attname = {} order by s.schemaname <> 'public', s.schemaname, s.inherited limit 1",
        text(table),
        text(column)
    );
    let rows = session.run("planner's statistics", &sql).await?;
    let value = |at: usize| rows.first().and_then(|row| row.get(at)).map(ToOwned::to_owned);
    Ok(value(0).zip(value(1)))
}

/// The statement's words and signs, names in small letters unless they are quoted. Constants and comments are left out.
fn words(sql: &str) -> Vec<String> {
    let in_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    let in_operator = |letter: char| "<>=!~*+-/@#%^&|".contains(letter);
    let run = |text: &str, of: &dyn Fn(char) -> bool| text.find(|letter| !of(letter)).unwrap_or(text.len());
    let mut words = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '\'' => rest[1..].find('\'').map_or(rest.len(), |at| at + 2),
            '"' => {
                let length = rest[1..].find('"').map_or(rest.len(), |at| at + 2);
                words.push(rest[..length].trim_matches('"').to_owned());
                length
            }
            _ if in_word(first) => {
                let length = run(rest, &in_word);
                words.push(rest[..length].to_ascii_lowercase());
                length
            }
            _ => {
                let length = if in_operator(first) { run(rest, &in_operator) } else { first.len_utf8() };
                words.push(rest[..length].to_owned());
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    words
}

fn number_of(word: &str) -> Option<usize> {
    word.strip_prefix('$')?.parse().ok()
}

/// What each parameter is compared with.
fn places(words: &[String]) -> BTreeMap<usize, Place> {
    let mut places = BTreeMap::new();
    for (at, word) in words.iter().enumerate() {
        let Some(number) = number_of(word) else { continue };
        let before = |back: usize| at.checked_sub(back).map_or("", |at| words[at].as_str());
        let place = match (before(1), before(2)) {
            ("limit", _) => Some(Place::Limit),
            ("offset", _) => Some(Place::Offset),
            ("(", "in" | "any") => column_before(words, at - 2),
            (operator, _) if COMPARISONS.contains(&operator) => column_before(words, at - 1),
            _ => None,
        };
        if let Some(place) = place {
            places.entry(number).or_insert(place);
        }
    }
    places
}

/// The column whose name ends before this word.
fn column_before(words: &[String], end: usize) -> Option<Place> {
    let column = words.get(end.checked_sub(1)?).filter(|word| is_name(word))?.clone();
    let dotted = end >= 3 && words[end - 2] == ".";
    let relation = dotted.then(|| words[end - 3].clone());
    Some(Place::Column { relation, column })
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// Relations behind FROM, JOIN, UPDATE and INTO, each with its schema if that is named, and its alias.
fn relations(words: &[String]) -> Vec<(Vec<String>, String)> {
    const NO_ALIAS: [&str; 20] = [
        "where",
        "join",
        "on",
        "inner",
        "left",
        "right",
        "full",
        "cross",
        "natural",
        "order",
        "group",
        "limit",
        "set",
        "using",
        "values",
        "returning",
        "union",
        "for",
        "having",
        "offset",
    ];
    let mut relations = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let opens = matches!(words[at].as_str(), "from" | "join" | "update" | "into");
        at += 1;
        while opens && words.get(at).is_some_and(|word| is_name(word)) {
            let mut name = vec![words[at].clone()];
            at += 1;
            while words.get(at).is_some_and(|word| word == ".") && at + 1 < words.len() {
                name.push(words[at + 1].clone());
                at += 2;
            }
            if words.get(at).is_some_and(|word| word == "as") {
                at += 1;
            }
            let alias = words.get(at).filter(|word| is_name(word) && !NO_ALIAS.contains(&word.as_str()));
            if alias.is_some() {
                at += 1;
            }
            let alias = alias.or(name.last()).cloned().unwrap_or_default();
            relations.push((name, alias));
            if words.get(at).is_none_or(|word| word != ",") {
                break;
            }
            at += 1;
        }
    }
    relations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(name: &str, alias: &str) -> (Vec<String>, String) {
        (name.split('.').map(ToOwned::to_owned).collect(), alias.to_owned())
    }

    #[test]
    fn a_parameter_is_compared_with_a_column() {
        let words = words(
            "select * from \"Ships\" s, ports where s.id = $1 and name like $2 and x in ($3) and f($4) limit $5 offset $6",
        );
        let column = |relation: Option<&str>, column: &str| Place::Column {
            relation: relation.map(ToOwned::to_owned),
            column: column.to_owned(),
        };
        let expected = [
            (1, column(Some("s"), "id")),
            (2, column(None, "name")),
            (3, column(None, "x")),
            (5, Place::Limit),
            (6, Place::Offset),
        ];
        assert_eq!(places(&words), BTreeMap::from(expected));
        assert_eq!(relations(&words), [relation("Ships", "s"), relation("ports", "ports")]);
    }

    #[test]
    fn relations_have_schemas_and_aliases() {
        assert_eq!(
            relations(&words(
                "update /* 'é */ only_a set y = 'it''s', x = $1 from b.c as d join e on true where f = $2"
            )),
            [relation("only_a", "only_a"), relation("b.c", "d"), relation("e", "e")]
        );
    }
}
