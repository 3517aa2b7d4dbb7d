//! What a rule is in SQL, for a column of some type; or why it can't be.

use super::catalogue::{Column, literal};
use super::fake::Range;
use super::rules::How;

/// Types that are treated alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Integer,
    Number,
    Uuid,
    Bytes,
    Address,
    Device,
    Date,
    Other,
}

impl Family {
    pub(super) fn of(column: &Column) -> Self {
        match column.base.as_str() {
            "text" | "varchar" | "bpchar" | "citext" => Self::Text,
            "int2" | "int4" | "int8" => Self::Integer,
            "numeric" | "float4" | "float8" => Self::Number,
            "uuid" => Self::Uuid,
            "bytea" => Self::Bytes,
            "inet" | "cidr" => Self::Address,
            "macaddr" => Self::Device,
            "date" | "timestamp" | "timestamptz" => Self::Date,
            _ => Self::Other,
        }
    }
}

/// The most characters of a hash: as many bits as a UUID has.
const HASH_LENGTH: u32 = 32;
/// With fewer, different values could get one hash.
const LEAST_HASH_LENGTH: u32 = 16;

/// What columns that are joined with each other agree on, so that one value is masked alike in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// The fewest characters that one of them takes.
    pub(super) length: u32,
    /// The greatest number of the smallest type; 0 if none is a whole number.
    pub(super) most: u64,
}

impl Limits {
    pub(super) fn of(column: &Column) -> Self {
        let most = match column.base.as_str() {
            "int2" => i16::MAX as u64,
            "int4" => i32::MAX as u64,
            "int8" => i64::MAX as u64,
            _ => 0,
        };
        Self { length: column.length.unwrap_or(u32::MAX), most }
    }

    /// Whether one of them is a `smallint`.
    fn is_narrow(self) -> bool {
        self.most < 1 << 16
    }

    pub(super) fn and(self, other: Self) -> Self {
        let most = if self.most == 0 || other.most == 0 {
            self.most.max(other.most)
        } else {
            self.most.min(other.most)
        };
        Self { length: self.length.min(other.length), most }
    }
}

/// Why a rule can't be for a column, whatever the rows are.
pub(super) fn check(
    how: &How,
    column: &Column,
    limits: Limits,
    has_column: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let family = Family::of(column);
    let kind = &column.data_type;
    match how {
        How::Keep | How::Shuffle => Ok(()),
        How::Null if column.is_not_null => {
            Err("it is NOT NULL: take \"fixed\", \"hash\" or \"fake\"".to_owned())
        }
        How::Null => Ok(()),
        How::Fixed(_) if column.is_unique => {
            Err("it is unique, and would have one value everywhere: take \"hash\" or \"fake\"".to_owned())
        }
        How::Fixed(value)
            if family == Family::Text
                && value.chars().count() > column.length.unwrap_or(u32::MAX) as usize =>
        {
            Err(format!("the value is too long for {kind}"))
        }
        How::Fixed(_) => Ok(()),
        How::Hash if family == Family::Text && limits.length < LEAST_HASH_LENGTH => Err(format!(
            "{} characters, which it or a column that it is joined with takes, are too few for a hash ({LEAST_HASH_LENGTH} at least): take \"fake\"",
            limits.length
        )),
        How::Hash | How::Fake => match family {
            Family::Date => {
                Err(format!("{kind} has no hash and no shape: take \"date-shift\", \"shuffle\" or \"null\""))
            }
            Family::Other => Err(format!(
                "\"{}\" can't be for {kind}: take \"null\", \"fixed\" or \"shuffle\"",
                how.word()
            )),
            _ => Ok(()),
        },
        How::DateShift { .. } if family != Family::Date => {
            Err(format!("\"date-shift\" is for dates and timestamps, and this is {kind}"))
        }
        How::DateShift { by: Some(by), .. } if !has_column(by) => {
            Err(format!("its table has no column {by}, which `by` names"))
        }
        How::DateShift { .. } => Ok(()),
    }
}

/// How a new value is made.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// By an expression of SQL.
    Sql(String),
    /// Here, from what an expression of SQL is in text.
    Here(String, Here),
    /// It is another row's.
    Moved,
}

/// What is made of a text here, where SQL would take a hundred times as long.
#[derive(Clone, Copy, Debug)]
pub(super) enum Here {
    FakeText,
    FakeNumber(Range),
    HashInteger { is_narrow: bool },
}

/// How the new value is made. `row` is what tells a row from others, in SQL.
pub(super) fn expression(how: &How, column: &Column, limits: Limits, row: &str, schema: &str) -> Made {
    let value = &super::catalogue::quoted(&column.name);
    let text =
        if column.base == "citext" { format!("lower({value}::text)") } else { format!("{value}::text") };
    Made::Sql(match (how, Family::of(column)) {
        (How::Null, _) => format!("NULL::{}", column.data_type),
        (How::Fixed(fixed), _) => {
            format!("CASE WHEN {value} IS NOT NULL THEN {}::{} END", literal(fixed), column.data_type)
        }
        (How::Keep | How::Shuffle, _) | (_, Family::Other) => return Made::Moved,
        (How::DateShift { days, by }, _) => {
            let salt = match by {
                Some(by) => format!("coalesce({}::text, '')", super::catalogue::quoted(by)),
                None => row.to_owned(),
            };
            // A date takes whole days, a timestamp an interval.
            let unit = if column.base == "date" { "" } else { " * interval '1 day'" };
            format!("{value} + {schema}.days({salt}, {days}){unit}")
        }
        (How::Hash, Family::Text) => {
            format!("{schema}.hash_text({text}, {})", limits.length.min(HASH_LENGTH))
        }
        (How::Fake, Family::Text) => return Made::Here(text, Here::FakeText),
        (How::Hash, Family::Integer) => {
            return Made::Here(text, Here::HashInteger { is_narrow: limits.is_narrow() });
        }
        (_, Family::Integer | Family::Number) => {
            let range = match column.base.as_str() {
                "float4" => Range::Real,
                "float8" => Range::Double,
                _ if limits.most > 0 => Range::Whole { is_narrow: limits.is_narrow() },
                _ => Range::Any,
            };
            return Made::Here(format!("{value}::numeric::text"), Here::FakeNumber(range));
        }
        (_, Family::Uuid) => format!("{schema}.hash_uuid({value})"),
        (How::Hash, Family::Bytes) => format!("{schema}.hash_bytes({value})"),
        (How::Fake, Family::Bytes) => format!("{schema}.fake_bytes({value})"),
        (_, Family::Address) if column.base == "cidr" => format!("network({schema}.address({value}))"),
        (_, Family::Address) => format!("{schema}.address({value})"),
        (_, Family::Device) => format!("{schema}.device({value})"),
        (_, Family::Date) => return Made::Moved,
    })
}
