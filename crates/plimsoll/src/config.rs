//! `plimsoll.toml`: its keys, and errors that point into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_core::{SourceFile, Thresholds};
use plimsoll_lint::names::nearest;
use serde::Deserialize;
use serde_spanned::Spanned;

use crate::exit::Failure;

/// The file's name.
pub(crate) const FILE_NAME: &str = "plimsoll.toml";

/// What the file says, unchecked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) migrations: Migrations,
    pub(crate) database: Database,
    pub(crate) lint: Lint,
    pub(crate) queries: Queries,
    pub(crate) regress: Regress,
    pub(crate) history: History,
    pub(crate) alarms: Alarms,
    pub(crate) workload: Workload,
    pub(crate) masking: Masking,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Migrations {
    pub(crate) path: Option<Spanned<PathBuf>>,
    pub(crate) layout: Option<Spanned<String>>,
    pub(crate) transaction: Option<Spanned<String>>,
    pub(crate) command: Option<Spanned<String>>,
    pub(crate) before: Option<Spanned<String>>,
    pub(crate) env: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    pub(crate) version: Option<Spanned<u32>>,
    pub(crate) binaries: Option<Spanned<PathBuf>>,
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) schema: Option<Spanned<PathBuf>>,
    /// A path, or a list of them.
    pub(crate) seed: Option<Spanned<toml::Value>>,
    pub(crate) seed_command: Option<Spanned<String>>,
    pub(crate) timezone: Option<Spanned<String>>,
    pub(crate) sizes: Option<Spanned<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Lint {
    pub(crate) extend: Vec<Spanned<String>>,
    pub(crate) ignore: Vec<Spanned<String>>,
    pub(crate) rules: RuleLevels,
    pub(crate) overrides: Vec<LintOverride>,
    pub(crate) include: Option<Vec<Spanned<String>>>,
    pub(crate) exclude: Vec<Spanned<String>>,
    pub(crate) require_reason: bool,
    pub(crate) baseline: Option<Spanned<PathBuf>>,
    pub(crate) lock_timeout: Option<Spanned<String>>,
    pub(crate) longest_lock_timeout: Option<Spanned<String>>,
    pub(crate) small: Option<Spanned<String>>,
    pub(crate) snapshot: Option<Spanned<PathBuf>>,
    /// Text or number by a placeholder's name.
    pub(crate) placeholders: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

/// A rule's name, and how severe it is, or `on` or `off`.
pub(crate) type RuleLevels = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LintOverride {
    pub(crate) paths: Vec<Spanned<String>>,
    pub(crate) rules: RuleLevels,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Queries {
    pub(crate) path: Option<Spanned<PathBuf>>,
    pub(crate) runs: Option<Spanned<usize>>,
    pub(crate) timeout: Option<Spanned<String>>,
}

/// A number, or a text.
pub(crate) type Threshold = Spanned<toml::Value>;

/// Tables with the keys of [`Thresholds`] and further ones. `#[serde(flatten)]` would lose where values stand.
macro_rules! tables_of_thresholds {
    ($($table:ident { $($(#[$about:meta])* $further:ident: $type:ty,)* })*) => {$(
        tables_of_thresholds! {
            $table { $($(#[$about])* $further: $type,)* }
            buffers_ratio buffers_floor rows_ratio rows_floor cost_ratio cost_floor result timeout
        }
    )*};
    ($table:ident { $($(#[$about:meta])* $further:ident: $type:ty,)* } $($key:ident)*) => {
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $table {
            $($key: Option<Threshold>,)*
            $($(#[$about])* pub(crate) $further: $type,)*
        }

        impl $table {
            /// The thresholds by their keys.
            pub(crate) fn thresholds(&self) -> [(&'static str, &Option<Threshold>); Thresholds::KEYS.len()] {
                [$((stringify!($key), &self.$key),)*]
            }
        }
    };
}

tables_of_thresholds! {
    Regress {
        history: Option<Spanned<PathBuf>>,
        /// Thresholds by a query's name.
        queries: BTreeMap<Spanned<String>, QueryThresholds>,
    }
    QueryThresholds {}
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct History {
    pub(crate) path: Option<Spanned<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Alarms {
    pub(crate) precision: Option<Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Workload {
    pub(crate) file: Option<Spanned<PathBuf>>,
    pub(crate) connections: Option<Spanned<usize>>,
    pub(crate) lead: Option<Spanned<String>>,
    /// Text or number by a query's name.
    pub(crate) rates: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Masking {
    pub(crate) key_from: Option<Spanned<String>>,
    pub(crate) require: bool,
    pub(crate) rule: Vec<MaskingRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaskingRule {
    pub(crate) column: Option<Spanned<String>>,
    pub(crate) name: Option<Spanned<String>>,
    #[serde(rename = "type")]
    pub(crate) data_type: Option<Spanned<String>>,
    pub(crate) with: Spanned<String>,
    /// A text, a number, true or false.
    pub(crate) value: Option<Spanned<toml::Value>>,
    pub(crate) days: Option<Spanned<u16>>,
    pub(crate) by: Option<Spanned<String>>,
}

/// Finds the file upward from a folder.
pub(crate) fn find_upward(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}

/// Reads the file's text.
pub(crate) fn parse(source: &SourceFile) -> Result<Config, Failure> {
    toml::from_str(source.text()).map_err(|error| {
        let (line, column) = source.line_column(error.span().map_or(0, |span| span.start));
        let message = with_nearest_key(error.message());
        Failure::input(format!("read {}:{line}:{column}: {message}", source.name()))
    })
}

/// Points at a value of the file.
pub(crate) fn complaint<T>(source: &SourceFile, value: &Spanned<T>, message: &str) -> Failure {
    let (line, column) = source.line_column(value.span().start);
    Failure::input(format!("use {}:{line}:{column}: {message}", source.name()))
}

/// serde says `unknown field `x`, expected one of `a`, `b``; the nearest is worth naming.
fn with_nearest_key(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else { return message.to_owned() };
    let Some((unknown, rest)) = rest.split_once('`') else { return message.to_owned() };
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let valid = format!("valid keys are {}", known.join(", "));
    match nearest(unknown, known.iter().copied()) {
        Some(near) => format!("unknown key `{unknown}`; did you mean `{near}`? ({valid})"),
        None => format!("unknown key `{unknown}`; {valid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let error = parse(&SourceFile::new("plimsoll.toml", text)).expect_err("it is wrong");
        assert!(matches!(&error, Failure::Input(message) if message == expected), "{error:?}");
    }

    #[test]
    fn unknown_keys_are_placed_and_the_nearest_named() {
        check(
            "[migrations]\npth = \"x\"\n",
            "read plimsoll.toml:2:1: unknown key `pth`; did you mean `path`? (valid keys are path, layout, transaction, command, before, env)",
        );
        check(
            "[databse]\n",
            "read plimsoll.toml:1:2: unknown key `databse`; did you mean `database`? (valid keys are migrations, \
             database, lint, queries, regress, history, alarms, workload, masking)",
        );
        check(
            "[lint]\nxyzzyx = 1\n",
            "read plimsoll.toml:2:1: unknown key `xyzzyx`; valid keys are extend, ignore, rules, overrides, include, exclude, \
             require_reason, baseline, lock_timeout, longest_lock_timeout, small, snapshot, placeholders",
        );
    }

    #[test]
    fn wrong_types_are_placed() {
        let error = parse(&SourceFile::new("plimsoll.toml", "[queries]\nruns = \"five\"\n"))
            .expect_err("it is wrong");
        assert!(
            matches!(error, Failure::Input(message) if message.starts_with("read plimsoll.toml:2:8: invalid type"))
        );
    }
}
