//! Data types by PostgreSQL's own names, and which changes of a column's type rewrite the table.
//!
//! Source of the rules: `ATColumnChangeRequiresRewrite` in PostgreSQL's `tablecmds.c`, the casts
//! in `pg_cast` whose method is binary-coercible, and the support functions of the length casts
//! (`varchar_support`, `numeric_support`, `varbit_support`, `interval_support`,
//! `timestamp_support`); tried on servers 15 and 18.

use std::fmt;

use crate::name::{ObjectName, quote_name};

/// A data type as a column declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataType {
    /// Name as `format_type` prints it, such as `character varying`; folded for other types.
    pub name: ObjectName,
    /// Length, or precision and scale.
    pub modifiers: Vec<i64>,
    /// Whether it is an array of that type.
    pub array: bool,
}

/// What changing a column's type does to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeChange {
    /// Nothing: the stored bytes stay valid.
    Nothing,
    /// The table is rewritten.
    Rewrite,
    /// It hangs on something that the schema doesn't know.
    Unknown,
}

impl DataType {
    /// A type by any of its names, without modifiers.
    #[must_use]
    pub fn named(name: ObjectName) -> Self {
        let builtin = name.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
        let name = match canonical_name(&name.name) {
            Some(canonical) if builtin => ObjectName::unqualified(canonical),
            _ => name,
        };
        Self { name, modifiers: Vec::new(), array: false }
    }

    /// The built-in name, if it is written without a schema and isn't an array.
    fn scalar(&self) -> Option<&str> {
        (!self.array && self.name.schema.is_none()).then_some(self.name.name.as_str())
    }

    /// Whether PostgreSQL knows the type without any schema.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        self.name.schema.is_none() && canonical_name(&self.name.name).is_some()
    }

    /// `serial` and its kin, which stand for an integer with a sequence.
    #[must_use]
    pub fn is_serial(&self) -> bool {
        matches!(
            self.scalar(),
            Some("serial" | "bigserial" | "smallserial" | "serial4" | "serial8" | "serial2")
        )
    }

    /// What a column of type `serial` really stores.
    #[must_use]
    pub fn stored(&self) -> Self {
        let name = match self.scalar() {
            Some("serial" | "serial4") => "integer",
            Some("bigserial" | "serial8") => "bigint",
            Some("smallserial" | "serial2") => "smallint",
            _ => return self.clone(),
        };
        Self::named(ObjectName::unqualified(name))
    }

    /// What changing a column from `self` to `to` does, in a session whose TimeZone is UTC or not.
    #[must_use]
    pub fn change_to(&self, to: &Self, time_zone: TimeZone) -> TypeChange {
        if self == to {
            return TypeChange::Nothing;
        }
        if !(self.is_builtin() && to.is_builtin()) {
            // Domains, enums and extension types: only a server knows their casts.
            return TypeChange::Unknown;
        }
        if self.array || to.array {
            // Elements are coerced one by one, and PostgreSQL doesn't look whether that changes them.
            return TypeChange::Rewrite;
        }
        let fits = match (self.name.name.as_str(), to.name.name.as_str()) {
            ("character varying" | "text" | "xml", "text") => true,
            ("text" | "character varying" | "xml", "character varying") => match (self.length(), to.length())
            {
                (_, None) => true,
                (Some(from), Some(to)) => self.name.name == "character varying" && to >= from,
                (None, Some(_)) => false,
            },
            ("cidr", "inet") => true,
            // `bpchar` without a length throws none away and pads nothing.
            ("character varying" | "text" | "character", "character") => to.modifiers.is_empty(),
            ("bit", "bit varying") => to.modifiers.is_empty(),
            ("bit varying", "bit varying") => match (self.length(), to.length()) {
                (_, None) => true,
                (Some(from), Some(to)) => to >= from,
                (None, Some(_)) => false,
            },
            ("numeric", "numeric") => match (self.modifiers.as_slice(), to.modifiers.as_slice()) {
                (_, []) => true,
                ([], _) => false,
                (from, to) => {
                    let scale = |modifiers: &[i64]| modifiers.get(1).copied().unwrap_or(0);
                    to[0] >= from[0] && scale(from) == scale(to)
                }
            },
            (
                "timestamp without time zone"
                | "timestamp with time zone"
                | "time without time zone"
                | "time with time zone",
                _,
            ) if self.name == to.name => to.precision() >= self.precision(),
            (from, into) if is_interval(from) && is_interval(into) => {
                least_field(into) <= least_field(from) && to.precision() >= self.precision()
            }
            ("timestamp without time zone", "timestamp with time zone")
            | ("timestamp with time zone", "timestamp without time zone") => {
                time_zone == TimeZone::Utc && to.precision() >= self.precision()
            }
            ("integer" | "oid" | "regclass" | "regproc" | "regtype", "oid")
            | ("oid", "integer" | "regclass" | "regproc" | "regtype") => true,
            _ => false,
        };
        if fits { TypeChange::Nothing } else { TypeChange::Rewrite }
    }

    /// Whether columns are changed to this type mostly from one that stores the same bytes.
    #[must_use]
    pub fn is_often_coercible(&self) -> bool {
        const TYPES: [&str; 14] = [
            "text",
            "character varying",
            "numeric",
            "timestamp without time zone",
            "timestamp with time zone",
            "time without time zone",
            "time with time zone",
            "bit varying",
            "inet",
            "oid",
            "regclass",
            "regproc",
            "regtype",
            "citext",
        ];
        let name = self.name.name.as_str();
        let bpchar = name == "character" && self.modifiers.is_empty();
        !self.array && (TYPES.contains(&name) || is_interval(name) || bpchar || !self.is_builtin())
    }

    fn length(&self) -> Option<i64> {
        self.modifiers.first().copied()
    }

    /// Fractional digits of seconds; 6 when not written.
    fn precision(&self) -> i64 {
        self.modifiers.first().copied().unwrap_or(6)
    }
}

fn is_interval(name: &str) -> bool {
    name == "interval" || name.starts_with("interval ")
}

/// The least field that an interval type keeps, seconds being 0 (`intervaltypmodleastfield`).
fn least_field(name: &str) -> usize {
    let fields = ["second", "minute", "hour", "day", "month", "year"];
    fields.iter().position(|field| name.ends_with(field)).unwrap_or_default()
}

/// The session's time zone, as far as conversions between the timestamp types ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeZone {
    /// UTC all year, so that both timestamp types store the same bytes.
    Utc,
    /// Any other.
    Other,
}

impl TimeZone {
    /// The time zone of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        const UTC: [&str; 9] =
            ["utc", "etc/utc", "gmt", "etc/gmt", "zulu", "etc/zulu", "universal", "etc/universal", "0"];
        if UTC.contains(&name.to_ascii_lowercase().as_str()) { Self::Utc } else { Self::Other }
    }
}

/// As `format_type` prints it: `character varying(50)`, `numeric(10,2)`, `integer[]`, `app."Mood"`.
impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modifiers: Vec<String> = self.modifiers.iter().map(ToString::to_string).collect();
        let modifiers =
            if modifiers.is_empty() { String::new() } else { format!("({})", modifiers.join(",")) };
        match self.name.name.split_once(" with") {
            // `timestamp(3) with time zone`
            Some((head, tail)) if self.is_builtin() => write!(f, "{head}{modifiers} with{tail}")?,
            _ if self.name.name == "character" && self.name.schema.is_none() && self.modifiers.is_empty() => {
                f.write_str("bpchar")?;
            }
            _ if self.is_builtin() => write!(f, "{}{modifiers}", self.name)?,
            _ => write!(f, "{}{modifiers}", quote_name(&self.name))?,
        }
        if self.array { f.write_str("[]") } else { Ok(()) }
    }
}

const INTERVAL_WORDS: [&str; 7] = ["year", "month", "day", "hour", "minute", "second", "to"];

/// The name that `format_type` prints for a built-in type's name or alias; none for other types.
fn canonical_name(name: &str) -> Option<&str> {
    let canonical = match name {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "float" | "float8" | "double precision" => "double precision",
        "float4" => "real",
        "bool" => "boolean",
        "decimal" => "numeric",
        "varchar" => "character varying",
        "char" | "bpchar" => "character",
        "varbit" => "bit varying",
        "timestamp" => "timestamp without time zone",
        "timestamptz" => "timestamp with time zone",
        "time" => "time without time zone",
        "timetz" => "time with time zone",
        "integer"
        | "bigint"
        | "smallint"
        | "real"
        | "boolean"
        | "numeric"
        | "character varying"
        | "character"
        | "bit"
        | "bit varying"
        | "timestamp without time zone"
        | "timestamp with time zone"
        | "time without time zone"
        | "time with time zone"
        | "text"
        | "bytea"
        | "date"
        | "interval"
        | "uuid"
        | "json"
        | "jsonb"
        | "xml"
        | "inet"
        | "cidr"
        | "macaddr"
        | "macaddr8"
        | "money"
        | "oid"
        | "regclass"
        | "regproc"
        | "regtype"
        | "name"
        | "point"
        | "line"
        | "lseg"
        | "box"
        | "path"
        | "polygon"
        | "circle"
        | "tsvector"
        | "tsquery"
        | "int4range"
        | "int8range"
        | "numrange"
        | "tsrange"
        | "tstzrange"
        | "daterange"
        | "serial"
        | "bigserial"
        | "smallserial"
        | "serial4"
        | "serial8"
        | "serial2" => name,
        _ if is_interval(name) && name.split(' ').skip(1).all(|word| INTERVAL_WORDS.contains(&word)) => name,
        _ => return None,
    };
    Some(canonical)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse::parse_data_type;

    fn check(from: &str, to: &str, expected: TypeChange) {
        let (from_type, to_type) = (parse_data_type(from).unwrap(), parse_data_type(to).unwrap());
        assert_eq!(from_type.change_to(&to_type, TimeZone::Utc), expected, "{from} → {to}");
    }

    #[test]
    fn widening_keeps_the_rows() {
        for (from, to) in [
            ("varchar(50)", "varchar(100)"),
            ("varchar(50)", "text"),
            ("text", "varchar"),
            ("character varying", "text"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("numeric(10,2)", "decimal"),
            ("timestamptz(3)", "timestamptz"),
            ("timestamp", "timestamp with time zone"),
            ("cidr", "inet"),
            ("bit varying(4)", "varbit(8)"),
            ("int4", "integer"),
            ("float", "float(53)"),
            ("float4", "float(24)"),
        ] {
            check(from, to, TypeChange::Nothing);
        }
    }

    #[test]
    fn other_changes_rewrite() {
        for (from, to) in [
            ("int", "bigint"),
            ("varchar(100)", "varchar(50)"),
            ("text", "varchar(10)"),
            ("int", "text"),
            ("char(4)", "text"),
            ("numeric(10,2)", "numeric(10,3)"),
            ("json", "jsonb"),
            ("text[]", "varchar[]"),
            ("int[]", "bigint[]"),
            ("varchar(5)[]", "varchar(9)[]"),
        ] {
            check(from, to, TypeChange::Rewrite);
        }
    }

    #[test]
    fn time_zones_matter_to_timestamps() {
        let (from, to) = (parse_data_type("timestamp").unwrap(), parse_data_type("timestamptz").unwrap());
        assert_eq!(from.change_to(&to, TimeZone::Other), TypeChange::Rewrite);
    }

    fn check_shown(text: &str, expected: &str) {
        let read = parse_data_type(text).unwrap();
        assert_eq!(read.to_string(), expected);
        assert_eq!(parse_data_type(expected), Some(read), "{expected}");
    }

    #[test]
    fn a_type_without_a_name_is_none() {
        assert_eq!(parse_data_type("ships.+a"), None);
    }

    #[test]
    fn what_is_printed_is_read_again() {
        check_shown("app.\"Big Mood\"[3]", "app.\"Big Mood\"[]");
        check_shown("\"a(1)\"", "\"a(1)\"");
        check_shown("double -- of\nprecision", "double precision");
        check_shown("varchar /* ( */ (50)", "character varying(50)");
    }

    #[test]
    fn types_print_as_format_type_does() {
        let shown: Vec<String> = [
            "varchar(50)",
            "decimal(10,2)",
            "timestamptz(3)",
            "int[]",
            "app.mood",
            "double precision",
            "time",
        ]
        .map(|text| parse_data_type(text).unwrap().to_string())
        .into();
        assert_eq!(
            shown,
            [
                "character varying(50)",
                "numeric(10,2)",
                "timestamp(3) with time zone",
                "integer[]",
                "app.mood",
                "double precision",
                "time without time zone"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_type_is_read_back(
            schema in proptest::option::of("[a-z]{1,5}|[ -~]{1,5}"),
            name in "text|numeric|timestamp|timetz|bit varying|Big Mood|with|[ -~]{1,8}",
            modifiers in proptest::collection::vec(0_i64..99, 0..2),
            array: bool,
        ) {
            let data_type = DataType { modifiers, array, ..DataType::named(ObjectName { schema, name }) };
            prop_assert_eq!(parse_data_type(&data_type.to_string()), Some(data_type));
        }
    }
}
