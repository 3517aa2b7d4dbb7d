//! `[history]` and `[alarms]`: where Plimsoll keeps how it fared, and how often its alarms are to be right.

use std::path::{Path, PathBuf};

use super::Resolver;
use crate::config::{self, complaint};
use crate::exit::Failure;

impl Resolver {
    /// The history's file, which may not be there yet.
    pub(super) fn history(
        &self,
        history: &config::History,
        regress: &config::Regress,
    ) -> Result<Option<PathBuf>, Failure> {
        let Some(written) = &history.path else { return Ok(None) };
        let path = self.path(written);
        let shown = written.get_ref().display();
        let wrong = |why: &str| Err(complaint(&self.source, written, why));
        if path.is_dir() {
            return wrong(&format!("{shown} is a folder; name a file in it, such as history.db"));
        }
        if !path.parent().is_some_and(Path::is_dir) {
            return wrong(&format!("the folder of {shown} doesn't exist"));
        }
        if regress.history.as_ref().is_some_and(|other| self.path(other) == path) {
            return wrong(&format!("{shown} is the file of [regress] history, which is another one"));
        }
        Ok(Some(path))
    }

    pub(super) fn alarm_precision(&self, alarms: &config::Alarms) -> Result<Option<f64>, Failure> {
        let Some(precision) = &alarms.precision else { return Ok(None) };
        match *precision.get_ref() {
            share if share > 0.0 && share <= 1.0 => Ok(Some(share)),
            other => Err(complaint(
                &self.source,
                precision,
                &format!("precision = {other} is no share: write a number above 0, at most 1, such as 0.95"),
            )),
        }
    }
}
