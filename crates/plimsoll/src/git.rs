//! Which files git says were added or changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::exit::Failure;
use plimsoll_core::paths::normal;

/// Names under which the main branch is looked for, in order.
const MAIN_BRANCHES: [&str; 5] = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];

/// Files below `folder` that were added or changed since a commit, untracked ones included.
pub(crate) struct ChangedFiles {
    /// Absolute paths.
    pub(crate) paths: BTreeSet<PathBuf>,
    /// Those of them that the base has too.
    pub(crate) released: BTreeSet<PathBuf>,
    /// What they were compared with, for people.
    pub(crate) base: String,
}

/// Asks git for the files changed since `base`, or since the merge base with the main branch.
pub(crate) fn changed_files(folder: &Path, base: Option<&str>) -> Result<ChangedFiles, Failure> {
    let no_repository = "name the new migrations as arguments, or judge them all with --all";
    let top = git(folder, &["rev-parse", "--show-toplevel"]).map_err(|why| {
        Failure::input(format!("find what is new by git in {}: {why}; {no_repository}", folder.display()))
    })?;
    let top = PathBuf::from(top.trim_end());
    let base = match base {
        Some(base) => Some(commit(folder, base).map_err(|why| {
            Failure::input(format!(
                "compare with --base {base}: {why}; name a commit or branch of this repository"
            ))
        })?),
        None => merge_base(folder)?,
    };
    let mut listed =
        git_or_fail(folder, &["ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", "."])?;
    let mut released = String::new();
    let since = |base: &str, filter: &str| {
        git_or_fail(folder, &["diff", "--name-only", "--no-relative", filter, "-z", base, "--", "."])
    };
    match &base {
        Some(base) => {
            listed.push_str(&since(base, "--diff-filter=ACMR")?);
            released = since(base, "--diff-filter=M")?;
        }
        // No commit yet: all that is staged is new.
        None => listed.push_str(&git_or_fail(folder, &["ls-files", "--full-name", "-z", "--", "."])?),
    }
    let paths_of = |listed: &str| {
        listed.split('\0').filter(|path| !path.is_empty()).map(|path| normal(&top.join(path))).collect()
    };
    let (paths, released) = (paths_of(&listed), paths_of(&released));
    let shown = base.map_or_else(|| "the first commit".to_owned(), |base| base.chars().take(10).collect());
    Ok(ChangedFiles { paths, released, base: shown })
}

fn merge_base(folder: &Path) -> Result<Option<String>, Failure> {
    if commit(folder, "HEAD").is_err() {
        return Ok(None);
    }
    let Some(main) = MAIN_BRANCHES.iter().find(|branch| commit(folder, branch).is_ok()) else {
        return Err(Failure::input(format!(
            "find the main branch in {}: there is none of {}; name what to compare with by --base, or name the new migrations",
            folder.display(),
            MAIN_BRANCHES.join(", ")
        )));
    };
    let base = git(folder, &["merge-base", "HEAD", main]).map_err(|_| {
        Failure::input(format!(
            "find where this branch left {main}: git knows no common commit (a shallow clone?); fetch more of its history, or \
             give --base"
        ))
    })?;
    Ok(Some(base.trim().to_owned()))
}

fn commit(folder: &Path, name: &str) -> Result<String, String> {
    git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])
        .map(|hash| hash.trim().to_owned())
        .map_err(|why| if why.is_empty() { "git knows no such commit".to_owned() } else { why })
}

fn git_or_fail(folder: &Path, args: &[&str]) -> Result<String, Failure> {
    git(folder, args).map_err(|why| Failure::environment(format!("run git {}: {why}", args[0])))
}

fn git(folder: &Path, args: &[&str]) -> Result<String, String> {
    let output =
        Command::new("git").arg("-C").arg(folder).args(args).output().map_err(|why| format!("git: {why}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(stderr.trim().trim_start_matches("fatal: ").to_owned())
}
