//! Names of database objects.

use std::fmt;

/// A possibly schema-qualified name, folded as PostgreSQL folds it: unquoted names in lower case,
/// quoted ones without their quotes.
///
/// The name stands before the schema, since names differ sooner than schemas where they are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The name itself.
    pub name: String,
    /// The schema, if it is written.
    pub schema: Option<String>,
}

impl ObjectName {
    /// A name without a schema.
    #[must_use]
    pub fn unqualified(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A name in a schema.
    #[must_use]
    pub fn qualified(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }
}

/// `schema.name` as a person reads it, without quotes.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// An identifier as SQL needs it written: quoted unless it is plain lower case.
///
/// Keywords are quoted too, since quoting is always right.
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A name as SQL needs it written, with its schema if it has one.
#[must_use]
pub fn quote_name(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quote_identifier(schema), quote_identifier(&name.name)),
        None => quote_identifier(&name.name),
    }
}

/// Whether an unquoted word can't be a column's name.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// PostgreSQL's reserved words (documentation, appendix "SQL Key Words").
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "system_user",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::Command;
    use crate::parse::parse_script;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        let shown: Vec<String> =
            ["ships", "Ships", "order", "a b", "x\"y", "1st"].map(quote_identifier).into();
        assert_eq!(shown, ["ships", "\"Ships\"", "\"order\"", "\"a b\"", "\"x\"\"y\"", "\"1st\""]);
        assert_eq!(quote_name(&ObjectName::qualified("app", "user")), "app.\"user\"");
    }

    proptest! {
        #[test]
        fn quoted_names_are_read_back(schema in proptest::option::of("[ -~é\n]{1,9}"), name in "[a-z]{1,6}|[ -~é\n]{1,9}") {
            let name = ObjectName { schema, name };
            let (statements, _) = parse_script(&format!("drop table {}", quote_name(&name)));
            let Some(Command::Drop(drop)) = statements[0].command() else { panic!("{statements:?}") };
            prop_assert_eq!(&drop.names, &[name]);
        }
    }
}
