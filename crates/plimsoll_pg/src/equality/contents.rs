//! What a database holds besides rows.

use std::collections::BTreeMap;
use std::fmt;

use crate::rehearse::RehearseError;
use crate::server::PrivateServer;

use super::copies::ask;

/// The sections: what they hold, in the singular, and the query of names and facts.
const SECTIONS: [(&str, &str); 15] = [
    ("schema", include_str!("sql/schemas.sql")),
    ("relation", include_str!("sql/relations.sql")),
    ("column", include_str!("sql/columns.sql")),
    ("constraint", include_str!("sql/constraints.sql")),
    ("index", include_str!("sql/indexes.sql")),
    ("sequence", include_str!("sql/sequences.sql")),
    ("view", include_str!("sql/views.sql")),
    ("function", include_str!("sql/functions.sql")),
    ("trigger", include_str!("sql/triggers.sql")),
    ("trigger of constraint", include_str!("sql/constraint_triggers.sql")),
    ("rule", include_str!("sql/rules.sql")),
    ("policy", include_str!("sql/policies.sql")),
    ("type", include_str!("sql/types.sql")),
    ("comment on", include_str!("sql/comments.sql")),
    ("", include_str!("sql/others.sql")),
];

/// All that a database holds besides rows: each object's name, with its kind, and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    objects: BTreeMap<String, String>,
}

/// What differs between two databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Only the first has it.
    Missing {
        /// The object.
        object: String,
    },
    /// Only the second has it.
    Added {
        /// The object.
        object: String,
    },
    /// Both have it, and not the same.
    Changed {
        /// The object.
        object: String,
        /// What the first says of it.
        first: String,
        /// What the second says of it.
        second: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { object } => write!(f, "{object} is missing"),
            Self::Added { object } => write!(f, "{object} comes in addition"),
            Self::Changed { object, first, second } => {
                write!(f, "{object} differs: {second} instead of {first}")
            }
        }
    }
}

/// Reads what a database holds besides rows.
///
/// # Errors
/// When the server is gone.
pub async fn read_contents(server: &PrivateServer, database: &str) -> Result<Contents, RehearseError> {
    let mut contents = Contents::default();
    for (kind, query) in SECTIONS {
        for row in ask(server, database, query).await? {
            let [name, facts] = row.as_slice() else { continue };
            let mut object = format!("{kind} {name}").trim().to_owned();
            while contents.objects.contains_key(&object) {
                object.push('\'');
            }
            contents.objects.insert(object, facts.clone());
        }
    }
    Ok(contents)
}

impl Contents {
    /// What differs, in the order of the objects' names.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        for (object, first) in &self.objects {
            match other.objects.get(object) {
                None => found.push(Difference::Missing { object: object.clone() }),
                Some(second) if first != second => {
                    let (first, second) = unlike(first, second);
                    found.push(Difference::Changed { object: object.clone(), first, second });
                }
                Some(_) => {}
            }
        }
        let added = other.objects.keys().filter(|object| !self.objects.contains_key(*object));
        found.extend(added.map(|object| Difference::Added { object: object.clone() }));
        found
    }

    /// How many objects were compared.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// The parts of two texts that differ, where both are lists of as many parts.
fn unlike(first: &str, second: &str) -> (String, String) {
    let (one, two): (Vec<&str>, Vec<&str>) = (first.split(", ").collect(), second.split(", ").collect());
    if one.len() != two.len() {
        return (first.to_owned(), second.to_owned());
    }
    let pairs: Vec<(&str, &str)> = one.into_iter().zip(two).filter(|(one, two)| one != two).collect();
    let joined = |texts: Vec<&str>| texts.join(", ");
    (joined(pairs.iter().map(|(one, _)| *one).collect()), joined(pairs.iter().map(|(_, two)| *two).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(objects: &[(&str, &str)]) -> Contents {
        Contents { objects: objects.iter().map(|(name, facts)| ((*name).into(), (*facts).into())).collect() }
    }

    #[test]
    fn differences_name_what_differs() {
        let first = contents(&[("index a", "x, valid t"), ("table t", "1"), ("view v", "select 1")]);
        let second = contents(&[("index a", "x, valid f"), ("table u", "1"), ("view v", "select 1")]);
        let shown: Vec<String> = first.differences(&second).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "index a differs: valid f instead of valid t",
                "table t is missing",
                "table u comes in addition"
            ]
        );
        assert!(first.differences(&first).is_empty());
    }
}
