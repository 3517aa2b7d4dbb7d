//! What the names of a source mean on the server of the branch.

use std::collections::{BTreeSet, HashMap};

use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::error::BuildError;
use crate::quoted::literal;
use crate::source::{PlanSource, Slot};

/// A relation of the branch.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) oid: u32,
    pub(super) kind: char,
    /// The next column's place in a file's page is nobody's affair; this is what rows are made of.
    pub(super) columns: Vec<FoundColumn>,
}

/// A column of a relation.
#[derive(Clone, Debug)]
pub(super) struct FoundColumn {
    pub(super) name: String,
    pub(super) number: i16,
    /// With its modifier, as `format_type` writes it.
    pub(super) type_name: String,
    /// `pg_type.typcategory` of the type under a domain.
    pub(super) category: char,
    pub(super) is_not_null: bool,
    pub(super) is_generated: bool,
}

/// Names and their numbers.
pub(super) struct Catalogue {
    relations: HashMap<(String, String), Found>,
    types: HashMap<String, u32>,
    operators: HashMap<String, u32>,
    collations: HashMap<String, u32>,
}

const RELATIONS: &str = "select n.nspname, c.relname, c.oid, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace \
    where c.relkind in ('r', 'm', 'i', 'p', 'I', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
const COLUMNS: &str = "select n.nspname, c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), coalesce(b.typcategory, t.typcategory), \
    a.attnotnull or t.typnotnull, a.attgenerated <> '' \
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid \
    left join pg_type b on b.oid = t.typbasetype \
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'm', 'p', 'f') \
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by c.oid, a.attnum";

impl Catalogue {
    pub(super) async fn read(client: &Client, source: &PlanSource) -> Result<Self, BuildError> {
        let mut relations = HashMap::new();
        for row in rows(client, RELATIONS).await? {
            let text = |column: usize| row.get(column).unwrap_or_default().to_owned();
            let found = Found {
                oid: text(2).parse().unwrap_or_default(),
                kind: text(3).chars().next().unwrap_or('r'),
                columns: Vec::new(),
            };
            relations.insert((text(0), text(1)), found);
        }
        for row in rows(client, COLUMNS).await? {
            let text = |column: usize| row.get(column).unwrap_or_default().to_owned();
            let column = FoundColumn {
                name: text(2),
                number: text(3).parse().unwrap_or_default(),
                type_name: text(4),
                category: text(5).chars().next().unwrap_or('X'),
                is_not_null: text(6) == "t",
                is_generated: text(7) == "t",
            };
            if let Some(found) = relations.get_mut(&(text(0), text(1))) {
                found.columns.push(column);
            }
        }
        let slots = || {
            let columns = source.columns.iter().map(|column| &column.statistics);
            columns
                .chain(source.extended.iter().flat_map(|extended| &extended.expressions))
                .flat_map(|statistics| &statistics.slots)
        };
        let names = |of: fn(&Slot) -> Option<&String>| slots().filter_map(of).collect::<BTreeSet<_>>();
        Ok(Self {
            relations,
            types: numbers(
                client,
                "to_regtype",
                names(|slot| slot.values.as_ref().map(|values| &values.element_type)),
            )
            .await?,
            operators: numbers(client, "to_regoperator", names(|slot| slot.operator.as_ref())).await?,
            collations: numbers(client, "to_regcollation", names(|slot| slot.collation.as_ref())).await?,
        })
    }

    pub(super) fn relation(&self, schema: &str, name: &str) -> Option<&Found> {
        self.relations.get(&(schema.to_owned(), name.to_owned()))
    }

    pub(super) fn type_number(&self, name: &str) -> Option<u32> {
        self.types.get(name).copied()
    }

    pub(super) fn operator(&self, name: &str) -> Option<u32> {
        self.operators.get(name).copied()
    }

    /// The default collation where there is no such one.
    pub(super) fn collation(&self, name: &str) -> u32 {
        const DEFAULT: u32 = 100;
        self.collations.get(name).copied().unwrap_or(DEFAULT)
    }
}

async fn numbers(
    client: &Client,
    function: &str,
    names: BTreeSet<&String>,
) -> Result<HashMap<String, u32>, BuildError> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let list: Vec<String> = names.iter().map(|name| format!("({})", literal(name))).collect();
    let sql = format!("select name, {function}(name)::oid from (values {}) as v(name)", list.join(","));
    let found = rows(client, &sql).await?;
    Ok(found.iter().filter_map(|row| Some((row.get(0)?.to_owned(), row.get(1)?.parse().ok()?))).collect())
}

/// The rows of a query that can't fail for the source's sake.
pub(super) async fn rows(client: &Client, sql: &str) -> Result<Vec<SimpleQueryRow>, BuildError> {
    let messages = client.simple_query(sql).await.map_err(BuildError::statement("read the catalogue"))?;
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    };
    Ok(messages.into_iter().filter_map(row).collect())
}
