//! Which rules run, at which severity, on which path.
//!
//! Deliberately absent: comments in the migrations; see [`crate::suppression`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::{Finding, Severity};

use crate::path_set::PathSet;
use crate::rule::{Group, Rule};
use crate::rules::RULES;

/// What config says of a rule, or of a finding that no rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It isn't reported.
    Off,
    /// It is reported, at its own severity.
    On,
    /// It is reported, at this severity.
    At(Severity),
}

impl Level {
    /// All of them, with the word that config uses.
    pub const NAMES: [(&str, Self); 5] = [
        ("off", Self::Off),
        ("on", Self::On),
        ("note", Self::At(Severity::Note)),
        ("warning", Self::At(Severity::Warning)),
        ("error", Self::At(Severity::Error)),
    ];
}

/// Levels by our ids.
pub type Levels = BTreeMap<&'static str, Level>;

/// Levels for some paths.
#[derive(Clone, Debug)]
pub struct Override {
    /// The paths.
    pub paths: PathSet,
    /// The levels there.
    pub levels: Levels,
}

/// Whether an ignore comment has to say why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reasons {
    /// It may.
    #[default]
    Optional,
    /// It has to.
    Required,
}

/// What a team wants to hear.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Groups whose rules run though they are off by default.
    pub groups: Vec<Group>,
    /// Levels everywhere.
    pub levels: Levels,
    /// Levels for some paths; a later one wins.
    pub overrides: Vec<Override>,
    /// Files that are judged; all if there is none.
    pub include: Option<PathSet>,
    /// Files that aren't judged.
    pub exclude: Option<PathSet>,
    /// Whether an ignore comment has to say why.
    pub reasons: Reasons,
}

/// What becomes of a rule's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are reported.
    Reported,
    /// They are reported at this severity.
    ReportedAt(Severity),
    /// The team has switched the rule off: it knows of them, and a rehearsal needn't tell of them
    /// as if no rule had said so.
    Accepted,
    /// The rule doesn't run.
    Off,
}

/// The policy for one file.
#[derive(Clone, Debug)]
pub struct FilePolicy {
    /// In [`RULES`]' order.
    standings: Vec<Standing>,
    levels: Levels,
}

impl Policy {
    /// Every rule at its own severity, whether on by default or not.
    #[must_use]
    pub fn everything() -> Self {
        Self { groups: Group::NAMES.iter().map(|(_, group)| *group).collect(), ..Self::default() }
    }

    /// Whether a file is judged at all.
    #[must_use]
    pub fn judges(&self, path: &Path) -> bool {
        self.include.as_ref().is_none_or(|include| include.contains(path))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.contains(path))
    }

    /// The policy for files to which no override applies.
    #[must_use]
    pub fn general(&self) -> FilePolicy {
        self.with(self.levels.clone())
    }

    /// The policy for a file; `general` if no override applies to it.
    #[must_use]
    pub fn for_file<'a>(&self, path: &Path, general: &'a FilePolicy) -> Cow<'a, FilePolicy> {
        let mut applying = self.overrides.iter().filter(|one| one.paths.contains(path)).peekable();
        if applying.peek().is_none() {
            return Cow::Borrowed(general);
        }
        let mut levels = self.levels.clone();
        applying.for_each(|one| levels.extend(&one.levels));
        Cow::Owned(self.with(levels))
    }

    /// The levels on a path.
    #[must_use]
    pub fn levels_for(&self, path: &Path) -> Levels {
        let mut levels = self.levels.clone();
        self.overrides
            .iter()
            .filter(|one| one.paths.contains(path))
            .for_each(|one| levels.extend(&one.levels));
        levels
    }

    fn with(&self, levels: Levels) -> FilePolicy {
        let standings = RULES.iter().map(|rule| self.standing(rule, &levels)).collect();
        FilePolicy { standings, levels }
    }

    fn standing(&self, rule: &Rule, levels: &Levels) -> Standing {
        match levels.get(rule.id) {
            Some(Level::Off) => Standing::Accepted,
            Some(Level::On) => Standing::Reported,
            Some(Level::At(severity)) => Standing::ReportedAt(*severity),
            None if rule.on_by_default || self.groups.contains(&rule.group) => Standing::Reported,
            None => Standing::Off,
        }
    }
}

impl FilePolicy {
    /// The rules that run, with what becomes of their findings.
    pub fn running(&self) -> impl Iterator<Item = (&'static Rule, Standing)> {
        let rules = RULES.iter().zip(self.standings.iter().copied());
        rules.filter(|(_, standing)| *standing != Standing::Off)
    }

    /// What becomes of a rule's findings.
    #[must_use]
    pub fn standing(&self, rule: &Rule) -> Standing {
        let found = RULES.iter().position(|other| other.id == rule.id);
        found.map_or(Standing::Off, |index| self.standings[index])
    }

    /// Whether findings of this id may be reported.
    #[must_use]
    pub fn reports(&self, id: &str) -> bool {
        match RULES.iter().position(|rule| rule.id == id) {
            Some(index) => matches!(self.standings[index], Standing::Reported | Standing::ReportedAt(_)),
            None => self.levels.get(id) != Some(&Level::Off),
        }
    }

    /// The severity that is asked for.
    #[must_use]
    pub fn severity(&self, id: &str) -> Option<Severity> {
        match self.levels.get(id) {
            Some(Level::At(severity)) => Some(*severity),
            _ => None,
        }
    }

    /// A finding that no rule makes, at the severity that is wanted; none if it isn't.
    #[must_use]
    pub fn leveled(&self, mut finding: Finding) -> Option<Finding> {
        match self.levels.get(finding.rule.as_str()) {
            Some(Level::Off) => return None,
            Some(Level::At(severity)) => finding.severity = *severity,
            Some(Level::On) | None => {}
        }
        Some(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "ban-drop-table";

    fn standing(policy: &Policy, path: &str) -> Standing {
        let general = policy.general();
        let file = policy.for_file(Path::new(path), &general);
        file.standing(crate::rule(RULE).unwrap())
    }

    fn paths(glob: &str) -> PathSet {
        PathSet::new([glob], Path::new("/p"), Path::new("/p")).unwrap()
    }

    #[test]
    fn a_level_beats_the_default() {
        for (level, expected) in [
            (Level::Off, Standing::Accepted),
            (Level::On, Standing::Reported),
            (Level::At(Severity::Note), Standing::ReportedAt(Severity::Note)),
        ] {
            let policy = Policy { levels: [(RULE, level)].into(), ..Policy::default() };
            assert_eq!(standing(&policy, "m.sql"), expected);
        }
    }

    #[test]
    fn a_later_override_wins_on_its_paths() {
        let one = |glob: &str, level| Override { paths: paths(glob), levels: [(RULE, level)].into() };
        let policy = Policy {
            levels: [(RULE, Level::Off)].into(),
            overrides: vec![one("old/**", Level::At(Severity::Note)), one("old/2.sql", Level::On)],
            ..Policy::default()
        };
        assert_eq!(standing(&policy, "new/1.sql"), Standing::Accepted);
        assert_eq!(standing(&policy, "old/1.sql"), Standing::ReportedAt(Severity::Note));
        assert_eq!(standing(&policy, "old/2.sql"), Standing::Reported);
    }

    #[test]
    fn a_group_switches_its_rules_on() {
        let everything = Policy::everything().general();
        assert!(RULES.iter().all(|rule| everything.standing(rule) == Standing::Reported));
        let general = Policy::default().general();
        for rule in RULES {
            let expected = if rule.on_by_default { Standing::Reported } else { Standing::Off };
            assert_eq!(general.standing(rule), expected, "{}", rule.id);
        }
    }

    #[test]
    fn files_are_included_and_excluded() {
        let policy = Policy {
            include: Some(paths("migrations/**")),
            exclude: Some(paths("migrations/vendor")),
            ..Policy::default()
        };
        let judged = ["migrations/1.sql", "migrations/vendor/1.sql", "seed.sql"];
        assert_eq!(judged.map(|path| policy.judges(Path::new(path))), [true, false, false]);
    }
}
