//! Chooses the PostgreSQL installation to run: the newest, or the newest of one major version.

use std::fmt;
use std::path::PathBuf;

use super::advice::InstallAdvice;
use super::binaries::Binaries;
use super::search::SearchPlaces;
use super::server_user::ServerUser;
use super::version::OLDEST_SUPPORTED_MAJOR;

/// Which server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest supported one that is there.
    Newest,
    /// The newest of one major version.
    Major(u32),
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => write!(formatter, "PostgreSQL {OLDEST_SUPPORTED_MAJOR} or newer"),
            Self::Major(major) => write!(formatter, "PostgreSQL {major}"),
        }
    }
}

/// An installation that was looked at and can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The folder of its programs.
    pub bin_folder: PathBuf,
    /// Why it can't be used.
    pub why: String,
}

/// No PostgreSQL to run. The program exits with the code for a missing server.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The version asked for is too old.
    #[error(
        "run PostgreSQL {major}: private servers are {OLDEST_SUPPORTED_MAJOR} or newer; lint without one, or ask for a newer one"
    )]
    TooOld {
        /// What was asked for.
        major: u32,
    },
    /// Nothing fits.
    #[error("find {wanted} on this machine{}; {advice}", Looked(.skipped))]
    Missing {
        /// What was asked for.
        wanted: Wanted,
        /// What was found instead.
        skipped: Vec<Skipped>,
        /// How to get it.
        advice: InstallAdvice,
    },
    /// The folder that the user set doesn't fit.
    #[error("use {} as {wanted}: {}; name a folder with PostgreSQL's programs, or unset it to search", skipped.bin_folder.display(), skipped.why)]
    ExplicitUnfit {
        /// What was asked for.
        wanted: Wanted,
        /// The folder, and why not.
        skipped: Skipped,
    },
}

struct Looked<'a>(&'a [Skipped]);

impl fmt::Display for Looked<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, skipped) in self.0.iter().enumerate() {
            let lead = if position == 0 { ": " } else { "; " };
            write!(formatter, "{lead}{}: {}", skipped.bin_folder.display(), skipped.why)?;
        }
        Ok(())
    }
}

/// All installations on the machine.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Those that work, newest first.
    pub usable: Vec<Binaries>,
    /// Those that don't, in the order of the search.
    pub skipped: Vec<Skipped>,
}

/// Tries every installation on the machine.
#[must_use]
pub fn survey(places: &SearchPlaces, user: &ServerUser) -> Survey {
    let mut survey = Survey::default();
    for (bin_folder, probed) in probe_all(places.candidates(), user) {
        match probed {
            Ok(binaries) if binaries.version().major < OLDEST_SUPPORTED_MAJOR => {
                let why = format!("version {} is too old", binaries.version());
                survey.skipped.push(Skipped { bin_folder, why });
            }
            Ok(binaries) => survey.usable.push(binaries),
            Err(why) => survey.skipped.push(Skipped { bin_folder, why }),
        }
    }
    // A stable sort: among equal versions the order of the search decides.
    survey
        .usable
        .sort_by_key(|binaries| std::cmp::Reverse((binaries.version().major, binaries.version().minor)));
    survey
}

/// Runs the programs of all candidates at the same time: each takes 2 to 8 ms to start.
fn probe_all(candidates: Vec<PathBuf>, user: &ServerUser) -> Vec<(PathBuf, Result<Binaries, String>)> {
    std::thread::scope(|scope| {
        let probe = |bin_folder: PathBuf| {
            scope.spawn(move || {
                let probed = Binaries::probe(&bin_folder, user);
                (bin_folder, probed)
            })
        };
        let probes: Vec<_> = candidates.into_iter().map(probe).collect();
        probes.into_iter().filter_map(|probe| probe.join().ok()).collect()
    })
}

/// Finds the server to run.
///
/// # Errors
/// When there is none; the error says what was looked at and how to install one.
pub fn find(wanted: Wanted, places: &SearchPlaces, user: &ServerUser) -> Result<Binaries, FindError> {
    if let Wanted::Major(major) = wanted
        && major < OLDEST_SUPPORTED_MAJOR
    {
        return Err(FindError::TooOld { major });
    }
    let Survey { mut usable, mut skipped } = survey(places, user);
    if let Some(position) = usable.iter().position(|binaries| fits(wanted, binaries)) {
        return Ok(usable.swap_remove(position));
    }
    skipped.extend(usable.into_iter().map(|binaries| Skipped {
        bin_folder: binaries.bin_folder().to_owned(),
        why: format!("is version {}", binaries.version()),
    }));
    match skipped.pop() {
        Some(skipped) if places.explicit.is_some() => Err(FindError::ExplicitUnfit { wanted, skipped }),
        last => {
            skipped.extend(last);
            Err(FindError::Missing { wanted, skipped, advice: InstallAdvice::new(wanted, &places.root) })
        }
    }
}

fn fits(wanted: Wanted, binaries: &Binaries) -> bool {
    match wanted {
        Wanted::Newest => true,
        Wanted::Major(major) => binaries.version().major == major,
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
