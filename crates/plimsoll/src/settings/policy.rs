//! `[lint]`: which rules run, at which severity, on which files; values of placeholders.

use plimsoll_core::paths::normal;
use plimsoll_lint::Group;
use plimsoll_lint::names::{nearest_name, own_ids, resolve};
use plimsoll_lint::path_set::PathSet;
use plimsoll_lint::policy::{Level, Levels, Override, Policy, Reasons};
use plimsoll_sql::placeholder::Values;
use serde_spanned::Spanned;

use super::Resolver;
use crate::config::{Lint, RuleLevels, complaint};
use crate::exit::Failure;

impl Resolver {
    pub(super) fn policy(&self, lint: &Lint) -> Result<Policy, Failure> {
        let mut levels = Levels::new();
        for name in &lint.ignore {
            levels.extend(self.rules(name)?.into_iter().map(|id| (id, Level::Off)));
        }
        for (id, level) in self.levels(&lint.rules)? {
            if levels.insert(id, level) == Some(Level::Off) && level != Level::Off {
                let name = lint.rules.keys().find(|name| resolve(name.get_ref()).contains(&id));
                let message = format!("`{id}` is in `ignore`, too: say one of both");
                return Err(name.map_or_else(
                    || Failure::input(&message),
                    |name| complaint(&self.source, name, &message),
                ));
            }
        }
        Ok(Policy {
            groups: lint.extend.iter().map(|word| self.group(word)).collect::<Result<_, _>>()?,
            levels,
            overrides: lint
                .overrides
                .iter()
                .map(|one| Ok(Override { paths: self.globs(&one.paths)?, levels: self.levels(&one.rules)? }))
                .collect::<Result<_, Failure>>()?,
            include: lint.include.as_deref().map(|globs| self.globs(globs)).transpose()?,
            exclude: (!lint.exclude.is_empty()).then(|| self.globs(&lint.exclude)).transpose()?,
            reasons: if lint.require_reason { Reasons::Required } else { Reasons::Optional },
        })
    }

    pub(super) fn placeholders(&self, lint: &Lint) -> Result<Values, Failure> {
        let mut values = Values::default();
        for (name, value) in &lint.placeholders {
            let text = match value.get_ref() {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                toml::Value::Boolean(truth) => truth.to_string(),
                _ => {
                    return Err(complaint(
                        &self.source,
                        value,
                        "a placeholder's value is a text or a number",
                    ));
                }
            };
            values.0.insert(name.get_ref().trim().to_owned(), text);
        }
        Ok(values)
    }

    fn levels(&self, rules: &RuleLevels) -> Result<Levels, Failure> {
        let mut levels = Levels::new();
        for (name, word) in rules {
            let level = self.level(word)?;
            levels.extend(self.rules(name)?.into_iter().map(|id| (id, level)));
        }
        Ok(levels)
    }

    /// Our ids for a name, which may be another tool's.
    fn rules(&self, name: &Spanned<String>) -> Result<Vec<&'static str>, Failure> {
        let ids = resolve(name.get_ref());
        if !ids.is_empty() {
            return Ok(ids);
        }
        let near = nearest_name(name.get_ref());
        let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let known = own_ids().collect::<Vec<_>>().join(", ");
        let message = format!("unknown rule `{}`; {hint}(known: {known})", name.get_ref());
        Err(complaint(&self.source, name, &message))
    }

    fn group(&self, word: &Spanned<String>) -> Result<Group, Failure> {
        let found = Group::NAMES.iter().find(|(name, _)| name == word.get_ref());
        let Some((_, group)) = found else {
            return Err(self.unknown("group of rules", word, Group::NAMES.iter().map(|(name, _)| *name)));
        };
        Ok(*group)
    }

    fn level(&self, word: &Spanned<String>) -> Result<Level, Failure> {
        let found = Level::NAMES.iter().find(|(name, _)| name == word.get_ref());
        let known = || Level::NAMES.iter().map(|(name, _)| *name);
        found.map(|(_, level)| *level).ok_or_else(|| self.unknown("level", word, known()))
    }

    fn globs(&self, globs: &[Spanned<String>]) -> Result<PathSet, Failure> {
        let texts = globs.iter().map(|glob| glob.get_ref().as_str());
        PathSet::new(texts, &normal(&self.root), &normal(&self.current)).map_err(|error| {
            let message = format!("`{}` is no glob: {}", globs[error.index].get_ref(), error.why);
            complaint(&self.source, &globs[error.index], &message)
        })
    }
}
