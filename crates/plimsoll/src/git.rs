//! Which files git says were added or changed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

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
    let top = top_level(folder)?;
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
    let (paths, released) = (paths_of(&listed, &top), paths_of(&released, &top));
    let shown = base.map_or_else(|| "the first commit".to_owned(), |base| base.chars().take(10).collect());
    Ok(ChangedFiles { paths, released, base: shown })
}

/// Files below `folder` that are staged, and which of them the last commit has too.
pub(crate) fn staged_files(folder: &Path) -> Result<ChangedFiles, Failure> {
    // A file with a new name is a new file.
    let staged = ["diff", "--cached", "--name-status", "--no-renames", "--relative", "--diff-filter=AM"];
    let listed = git(folder, &[&staged[..], &["-z", "--", "."]].concat())
        .map_err(|why| nothing_known(folder, &why))?;
    let mut words = listed.split('\0');
    let mut changed = ChangedFiles {
        paths: BTreeSet::new(),
        released: BTreeSet::new(),
        base: "the last commit".to_owned(),
    };
    while let (Some(status), Some(path)) = (words.next(), words.next()) {
        let path = normal(&folder.join(path));
        if status == "M" {
            changed.released.insert(path.clone());
        }
        changed.paths.insert(path);
    }
    Ok(changed)
}

/// Refuses a file that git doesn't have as it is, so that a change of it could not be taken back.
pub(crate) fn require_clean_file(path: &Path, current: &Path) -> Result<(), Failure> {
    let shown = plimsoll_core::paths::seen_from(path, current);
    let refused = |why: &str| Failure::input(format!("write {}: {why}", shown.display()));
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(refused("git can't be asked about it"));
    };
    let name = format!(":(literal){name}");
    git(folder, &["rev-parse", "--show-toplevel"]).map_err(|_| {
        refused("it is in no git repository, which could bring it back; without --write it is only shown")
    })?;
    let listed = git(folder, &["ls-files", "-v", "--error-unmatch", "--", &name])
        .map_err(|_| refused("git doesn't have it, and could not bring it back; commit it first"))?;
    // H is a file that git compares with what it has.
    if !listed.starts_with("H ") {
        return Err(refused(
            "git was told not to look at it, and says nothing of changes that it could not bring back; undo that first by git \
             update-index --no-assume-unchanged --no-skip-worktree",
        ));
    }
    match git_or_fail(folder, &["status", "--porcelain", "--", &name])?.trim() {
        "" => Ok(()),
        _ => Err(refused(
            "it has changes that aren't committed, which git could not bring back; commit or stash them first",
        )),
    }
}

/// The files below `folder` as git's index has them: absolute paths and contents. Links are left
/// out. A file that git says is the same in the working tree is read there, which is quicker.
pub(crate) fn index_files(
    folder: &Path,
    wanted: impl Fn(&Path) -> bool,
) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let listed = git(folder, &["ls-files", "-v", "--cached", "--modified", "--stage", "-z", "--", "."])
        .map_err(|why| nothing_known(folder, &why))?;
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    let mut changed = BTreeSet::new();
    for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
        // `tag mode hash stage` and a tab before the path; a stage other than 0 is a conflict.
        let Some((head, path)) = entry.split_once('\t') else { continue };
        let words: Vec<&str> = head.split(' ').collect();
        let [tag, mode, hash, stage] = words[..] else { continue };
        let path = normal(&folder.join(path));
        if stage != "0" {
            let shown = path.display();
            return Err(Failure::input(format!("read the index: {shown} has a conflict; resolve it first")));
        }
        // H is a file that git compares; C says once more of one that it is another in the working tree.
        if tag != "H" {
            changed.insert(path.clone());
        }
        if tag != "C" && mode.starts_with("100") && wanted(&path) {
            files.push((path, hash.to_owned()));
        }
    }
    let on_disk = |path: &PathBuf| if changed.contains(path) { None } else { std::fs::read(path).ok() };
    let mut found: Vec<Option<Vec<u8>>> = files.iter().map(|(path, _)| on_disk(path)).collect();
    let missing: Vec<&str> = files
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_none())
        .map(|((_, hash), _)| hash.as_str())
        .collect();
    if !missing.is_empty() {
        let contents = contents(folder, &missing)
            .map_err(|why| Failure::environment(format!("run git cat-file: {why}")))?;
        for (found, content) in found.iter_mut().filter(|found| found.is_none()).zip(contents) {
            *found = Some(content);
        }
    }
    Ok(files.into_iter().zip(found).filter_map(|((path, _), found)| Some((path, found?))).collect())
}

/// The contents of objects, by one process.
fn contents(folder: &Path, hashes: &[&str]) -> std::io::Result<Vec<Vec<u8>>> {
    let mut child = command(folder)
        .args(["cat-file", "--batch", "--buffer"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Ok(Vec::new());
    };
    // Asked from a thread of its own, so that git need not wait for each question.
    let contents = std::thread::scope(|scope| {
        scope.spawn(|| {
            let questions: String = hashes.iter().flat_map(|hash| [hash, "\n"]).collect();
            let asked = input.write_all(questions.as_bytes());
            drop(input);
            asked
        });
        read_contents(BufReader::new(output), hashes.len())
    });
    child.wait()?;
    contents
}

/// Reads answers of `git cat-file --batch`.
fn read_contents(mut output: impl BufRead, count: usize) -> std::io::Result<Vec<Vec<u8>>> {
    let mut contents = Vec::with_capacity(count);
    for _ in 0..count {
        let mut header = String::new();
        output.read_line(&mut header)?;
        let size = header.trim_end().rsplit(' ').next().and_then(|size| size.parse().ok());
        let size: usize = size.ok_or_else(|| std::io::Error::other(header.trim_end().to_owned()))?;
        let mut content = vec![0; size + 1];
        output.read_exact(&mut content)?;
        content.pop();
        contents.push(content);
    }
    Ok(contents)
}

fn nothing_known(folder: &Path, why: &str) -> Failure {
    let no_repository = "name the new migrations as arguments, or judge them all with --all";
    Failure::input(format!("find what is new by git in {}: {why}; {no_repository}", folder.display()))
}

fn top_level(folder: &Path) -> Result<PathBuf, Failure> {
    let top = git(folder, &["rev-parse", "--show-toplevel"]).map_err(|why| nothing_known(folder, &why))?;
    Ok(PathBuf::from(top.trim_end()))
}

fn paths_of(listed: &str, top: &Path) -> BTreeSet<PathBuf> {
    listed.split('\0').filter(|path| !path.is_empty()).map(|path| normal(&top.join(path))).collect()
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
    let output = command(folder).args(args).output().map_err(|why| format!("git: {why}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(stderr.trim().trim_start_matches("fatal: ").to_owned())
}

/// git in a folder, of the repository that a hook's variables name, if there are any.
fn command(folder: &Path) -> Command {
    static NAMED: LazyLock<Vec<(&str, PathBuf)>> = LazyLock::new(named_repository);
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).envs(NAMED.iter().map(|(name, path)| (name, path)));
    git
}

/// git's variables as they are meant in the current folder: for a hook it is the root of the work tree, which git would
/// take any other folder for. In a linked work tree, hooks are told `GIT_DIR` and no `GIT_WORK_TREE`.
fn named_repository() -> Vec<(&'static str, PathBuf)> {
    let Ok(current) = std::env::current_dir() else { return Vec::new() };
    let set = |name| Some((name, current.join(std::env::var_os(name).filter(|value| !value.is_empty())?)));
    let mut named: Vec<_> =
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"].into_iter().filter_map(set).collect();
    let has = |name| named.iter().any(|(one, _)| *one == name);
    if has("GIT_DIR") && !has("GIT_WORK_TREE") {
        let asked = Command::new("git").args(["rev-parse", "--show-toplevel"]).output();
        let told = asked.ok().filter(|output| output.status.success());
        let top = told.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()));
        named.extend(top.map(|top| ("GIT_WORK_TREE", top)));
    }
    named
}
