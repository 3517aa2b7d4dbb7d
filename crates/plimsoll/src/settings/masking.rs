//! `[masking]`: what becomes of personal values in trunks.

use plimsoll_branch::masking::{How, Key, Masking, Matches, Required, Rule};
use serde_spanned::Spanned;

use super::Resolver;
use crate::config::{self, complaint};
use crate::exit::Failure;

const DEFAULT_DAYS: u16 = 30;
/// A hundred years: what is further away is no date of a person.
const MOST_DAYS: u16 = 36_500;

/// `[masking]`, resolved but for its key, which is read only where something is masked.
pub(crate) struct MaskingSettings {
    rules: Vec<Rule>,
    required: Required,
    /// The variable that has the key, and the beginning of a complaint about it.
    key: Option<(String, String)>,
}

impl MaskingSettings {
    /// With the key, and what the command line says.
    pub(crate) fn masking(&self, typed: Required) -> Result<Masking, Failure> {
        let key = self.key.as_ref().map(|(name, place)| {
            let value = std::env::var(name)
                .map_err(|_| Failure::input(format!("use {place}: the variable {name} is not set")))?;
            Key::new(&value).map_err(|why| Failure::input(format!("use {place}: the variable {name}: {why}")))
        });
        Ok(Masking { rules: self.rules.clone(), key: key.transpose()?, required: self.required(typed) })
    }

    /// Whether a trunk has to be masked.
    pub(crate) fn required(&self, typed: Required) -> Required {
        if typed == Required::Yes { typed } else { self.required }
    }
}

impl Resolver {
    pub(super) fn masking(&self, masking: &config::Masking) -> Result<MaskingSettings, Failure> {
        let key = masking.key_from.as_ref().map(|name| {
            let (line, column) = self.source.line_column(name.span().start);
            (name.get_ref().clone(), format!("{}:{line}:{column}", self.source.name()))
        });
        Ok(MaskingSettings {
            rules: masking.rule.iter().map(|rule| self.masking_rule(rule)).collect::<Result<_, _>>()?,
            required: if masking.require { Required::Yes } else { Required::No },
            key,
        })
    }

    fn masking_rule(&self, rule: &config::MaskingRule) -> Result<Rule, Failure> {
        let text = |given: &Option<Spanned<String>>| given.as_ref().map(|text| text.get_ref().clone());
        let matches =
            Matches { column: text(&rule.column), data_type: text(&rule.data_type), name: text(&rule.name) };
        let first =
            rule.column.as_ref().or(rule.name.as_ref()).or(rule.data_type.as_ref()).unwrap_or(&rule.with);
        matches.check().map_err(|why| complaint(&self.source, first, &why.to_string()))?;
        let (line, column) = self.source.line_column(first.span().start);
        Ok(Rule { place: format!("{}:{line}:{column}", self.source.name()), matches, how: self.how(rule)? })
    }

    fn how(&self, rule: &config::MaskingRule) -> Result<How, Failure> {
        let word = rule.with.get_ref().as_str();
        let only_for = |key: &str, other: &str| format!("`{key}` is for with = \"{other}\" alone");
        if let Some(value) = rule.value.as_ref().filter(|_| word != "fixed") {
            return Err(complaint(&self.source, value, &only_for("value", "fixed")));
        }
        if let Some(days) = rule.days.as_ref().filter(|_| word != "date-shift") {
            return Err(complaint(&self.source, days, &only_for("days", "date-shift")));
        }
        if let Some(by) = rule.by.as_ref().filter(|_| word != "date-shift") {
            return Err(complaint(&self.source, by, &only_for("by", "date-shift")));
        }
        Ok(match word {
            "keep" => How::Keep,
            "null" => How::Null,
            "hash" => How::Hash,
            "fake" => How::Fake,
            "shuffle" => How::Shuffle,
            "fixed" => How::Fixed(self.fixed(rule)?),
            "date-shift" => How::DateShift {
                days: rule.days.as_ref().map_or(Ok(DEFAULT_DAYS), |days| self.days(days))?,
                by: rule.by.as_ref().map(|by| by.get_ref().clone()),
            },
            _ => return Err(self.unknown("way of masking", &rule.with, How::WORDS.into_iter())),
        })
    }

    fn fixed(&self, rule: &config::MaskingRule) -> Result<String, Failure> {
        let Some(value) = &rule.value else {
            return Err(complaint(&self.source, &rule.with, "\"fixed\" needs a `value`"));
        };
        match value.get_ref() {
            toml::Value::String(text) if text.contains('\0') => {
                Err(complaint(&self.source, value, "PostgreSQL has no text with a zero byte"))
            }
            toml::Value::String(text) => Ok(text.clone()),
            toml::Value::Integer(number) => Ok(number.to_string()),
            toml::Value::Float(number) => Ok(number.to_string()),
            toml::Value::Boolean(truth) => Ok(truth.to_string()),
            _ => Err(complaint(&self.source, value, "a fixed value is a text, a number, true or false")),
        }
    }

    fn days(&self, days: &Spanned<u16>) -> Result<u16, Failure> {
        match *days.get_ref() {
            count @ 1..=MOST_DAYS => Ok(count),
            count => {
                let message = format!("days = {count} is not between 1 and {MOST_DAYS}");
                Err(complaint(&self.source, days, &message))
            }
        }
    }
}
