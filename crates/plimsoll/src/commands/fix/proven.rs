//! What came of the attempt to prove a file's rewrites.

use std::path::PathBuf;

use plimsoll_core::Rehearsal;
use plimsoll_core::hold::{LockHold, blocked_ms, holds};
use plimsoll_core::lock::Blocks;
use plimsoll_pg::equality::Compared;

/// A file that a proven rewrite changes or makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RewrittenFile {
    /// Path below the migrations folder.
    pub(crate) path: PathBuf,
    /// Its text now; none if it isn't there.
    pub(crate) before: Option<String>,
    /// Its text to be.
    pub(crate) after: String,
}

/// What came of one file.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The files that come of what was proven.
    pub(crate) files: Vec<RewrittenFile>,
    /// The rewrites that were proven, by their index.
    pub(crate) proven: Vec<usize>,
    /// Those that weren't, and why; the whole file's by no index.
    pub(crate) unproven: Vec<(Option<usize>, String)>,
    /// Why none was tried.
    pub(crate) untried: Option<String>,
    /// What was compared to prove it.
    pub(crate) compared: Option<Compared>,
    /// Whether rows were there.
    pub(crate) seeded: bool,
    /// Whether a file of several statements runs each alone, so that what fails in the middle leaves the half.
    pub(crate) stops_halfway: bool,
}

/// For how long a change keeps others out of what was there, in milliseconds.
pub(crate) struct KeptOut {
    /// Its longest single hold of a lock that blocks.
    pub(crate) longest: f64,
    /// Writers, all in all.
    pub(crate) writers: f64,
    /// Readers, all in all.
    pub(crate) readers: f64,
}

impl Outcome {
    pub(crate) fn is_proven(&self, rewrite: usize) -> bool {
        self.proven.contains(&rewrite)
    }

    /// Why a rewrite isn't proven.
    pub(crate) fn doubt(&self, rewrite: usize) -> Option<&str> {
        let own = |of: &Option<usize>| of.is_none() || *of == Some(rewrite);
        let own = self.unproven.iter().find(|(of, _)| own(of)).map(|(_, why)| why.as_str());
        self.untried.as_deref().or(own)
    }
}

impl KeptOut {
    pub(crate) fn by(rehearsal: &Rehearsal) -> Self {
        let holds = holds(rehearsal);
        let existing = || holds.iter().filter(|hold| hold.existing);
        let blocking = existing().filter(|hold| hold.mode.blocks() != Blocks::Nothing);
        Self {
            longest: blocking.map(LockHold::duration_ms).fold(0.0, f64::max),
            writers: blocked_ms(existing(), Blocks::Writes),
            readers: blocked_ms(existing(), Blocks::ReadsAndWrites),
        }
    }
}
