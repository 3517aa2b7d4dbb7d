//! The texts of a run: the files named as arguments, and where their contents come from: the
//! working tree, git's index, or standard input.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::paths::{normal, seen_from};
use plimsoll_core::{Location, SourceFile};
use plimsoll_lint::path_set::PathSet;
use plimsoll_sql::InputFile;

use crate::args::ReportArguments;
use crate::exit::Failure;
use crate::git::index_files;

/// The name of what comes from standard input and has none.
const STDIN_NAME: &str = "stdin.sql";

/// Characters by which a path is a glob.
const GLOB_SIGNS: [char; 4] = ['*', '?', '[', '{'];

/// Deepest folder below the migrations folder that is looked into.
const DEEPEST: usize = 8;

/// Where texts come from.
pub(crate) struct Inputs {
    current: PathBuf,
    /// What git's index has, if that is asked for.
    staged: bool,
    /// What stands for files, whether they are there or not, by their absolute paths: standard input,
    /// or what an editor has open.
    texts: BTreeMap<PathBuf, Arc<[u8]>>,
    /// The path that standard input stands for.
    stdin: Option<PathBuf>,
    /// Whether standard input has a name of its own.
    stdin_is_named: bool,
}

/// A folder's files that a layout looks at, and those that can't be read.
#[derive(Default)]
pub(crate) struct FolderTexts {
    pub(crate) files: Vec<InputFile>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A file that can't be read.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    /// Where it is wrong.
    pub(crate) location: Location,
    /// What is wrong, and what to do.
    pub(crate) why: String,
}

impl Unreadable {
    /// As the failure of a verb that needs the file.
    pub(crate) fn failure(&self) -> Failure {
        let Location { file, line, column, .. } = &self.location;
        Failure::input(format!("read {file}:{line}:{column}: {}", self.why))
    }
}

impl Inputs {
    /// Reads standard input if it is named.
    pub(crate) fn open(current: &Path, arguments: &ReportArguments) -> Result<Self, Failure> {
        let is_asked_for = arguments.files.iter().any(|file| file.as_os_str() == "-");
        if arguments.stdin_filename.is_some() && !is_asked_for {
            return Err(Failure::input("use --stdin-filename: name - as the file that is standard input"));
        }
        let mut texts = BTreeMap::new();
        let stdin = if is_asked_for {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|why| Failure::environment(format!("read standard input: {why}")))?;
            let name = arguments.stdin_filename.clone().unwrap_or_else(|| PathBuf::from(STDIN_NAME));
            let path = normal(&current.join(name));
            texts.insert(path.clone(), bytes.into());
            Some(path)
        } else {
            None
        };
        Ok(Self {
            current: current.to_owned(),
            staged: arguments.staged,
            texts,
            stdin,
            stdin_is_named: arguments.stdin_filename.is_some(),
        })
    }

    /// The working tree alone.
    pub(crate) fn of_working_tree(current: &Path) -> Self {
        Self::with_texts(current, BTreeMap::new())
    }

    /// The working tree with texts in the place of files.
    pub(crate) fn with_texts(current: &Path, texts: BTreeMap<PathBuf, Arc<[u8]>>) -> Self {
        Self { current: current.to_owned(), staged: false, texts, stdin: None, stdin_is_named: false }
    }

    /// Whether a file lies in a folder: standard input without a name doesn't.
    pub(crate) fn lies_somewhere(&self, path: &Path) -> bool {
        self.stdin_is_named || self.stdin.as_deref() != Some(path)
    }

    /// The files named as arguments, absolute, each once; folders stand for the SQL files in them,
    /// globs for those that they match.
    pub(crate) fn named_files(&self, arguments: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
        let mut files = Vec::new();
        let mut seen = BTreeSet::new();
        for argument in arguments {
            files.extend(self.named(argument)?.into_iter().filter(|file| seen.insert(file.clone())));
        }
        Ok(files)
    }

    fn named(&self, argument: &Path) -> Result<Vec<PathBuf>, Failure> {
        if let Some(path) = self.stdin.as_ref().filter(|_| argument.as_os_str() == "-") {
            return Ok(vec![path.clone()]);
        }
        let path = normal(&self.current.join(argument));
        if path.is_dir() {
            let below = sql_files(&path)?;
            if below.is_empty() {
                let shown = argument.display();
                return Err(Failure::input(format!("check {shown}: there is no SQL file in this folder")));
            }
            return Ok(below);
        }
        // What isn't a plain file may still be one, such as a pipe.
        if path.exists() {
            return Ok(vec![path]);
        }
        match argument.to_str().filter(|text| text.contains(GLOB_SIGNS)) {
            Some(glob) => self.matching(glob),
            None => Err(Failure::input(format!("check {}: there is no such file", argument.display()))),
        }
    }

    fn matching(&self, glob: &str) -> Result<Vec<PathBuf>, Failure> {
        let is_fixed = |part: &Component| !part.as_os_str().to_string_lossy().contains(GLOB_SIGNS);
        let path = normal(&self.current.join(glob));
        let seen = seen_from(&path, &self.current).to_string_lossy().into_owned();
        let set = PathSet::new([seen.as_str()], &self.current, &self.current)
            .map_err(|error| Failure::input(format!("check {glob}: it is no glob: {}", error.why)))?;
        let folder: PathBuf = path.components().take_while(is_fixed).collect();
        let found = if folder.is_dir() { sql_files(&folder)? } else { Vec::new() };
        let found: Vec<PathBuf> =
            found.into_iter().filter(|path| set.contains(&seen_from(path, &self.current))).collect();
        if found.is_empty() {
            return Err(Failure::input(format!("check {glob}: there is no SQL file that it matches")));
        }
        Ok(found)
    }

    /// Every file below a folder that a layout looks at.
    pub(crate) fn folder(&self, folder: &Path) -> Result<FolderTexts, Failure> {
        let mut texts = FolderTexts::default();
        if self.staged {
            for (path, bytes) in index_files(folder, is_looked_at)? {
                self.take(&mut texts, folder, &path, Ok(bytes));
            }
        } else {
            // A text may be for a folder that is yet to be made.
            let on_disk = if folder.is_dir() || !self.has_below(folder) { walk(folder)? } else { Vec::new() };
            for path in on_disk.into_iter().filter(|path| is_looked_at(path)) {
                if !self.texts.contains_key(&path) {
                    self.take(&mut texts, folder, &path, std::fs::read(&path));
                }
            }
        }
        for (path, bytes) in self.texts.iter().filter(|(path, _)| path.starts_with(folder)) {
            if self.lies_somewhere(path) {
                self.take(&mut texts, folder, path, Ok(bytes.to_vec()));
            }
        }
        Ok(texts)
    }

    fn has_below(&self, folder: &Path) -> bool {
        self.texts.keys().any(|path| path.starts_with(folder))
    }

    /// A file outside the folder.
    pub(crate) fn file(&self, path: &Path) -> Result<String, Unreadable> {
        let bytes = match self.texts.get(path) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => std::fs::read(path),
        };
        text_of(&seen_from(path, &self.current), bytes)
    }

    fn take(&self, texts: &mut FolderTexts, folder: &Path, path: &Path, bytes: std::io::Result<Vec<u8>>) {
        let shown = seen_from(path, &self.current);
        match text_of(&shown, bytes) {
            Ok(text) => {
                let below = path.strip_prefix(folder).unwrap_or(path).to_owned();
                texts.files.push(InputFile { path: below, shown, text: text.into() });
            }
            Err(unreadable) => texts.unreadable.push(unreadable),
        }
    }
}

fn is_looked_at(path: &Path) -> bool {
    ["sql", "conf", "toml"].iter().any(|extension| has_extension(path, extension))
}

fn sql_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(walk(folder)?.into_iter().filter(|path| has_extension(path, "sql")).collect())
}

/// Files below a folder in the order of their paths, hidden ones left out.
pub(crate) fn walk(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files)
        .map_err(|why| Failure::input(format!("list the files in {}: {why}", folder.display())))?;
    Ok(files)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| (entry.file_name(), entry)))
        .collect::<std::io::Result<Vec<_>>>()?;
    entries.retain(|(name, _)| !name.as_encoded_bytes().starts_with(b"."));
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (_, entry) in entries {
        let kind = entry.file_type()?;
        let path = entry.path();
        if !(kind.is_dir() || kind.is_symlink() && path.is_dir()) {
            files.push(path);
        } else if !kind.is_symlink() && depth < DEEPEST {
            // A link to a folder could lead round in a circle.
            collect(&path, depth + 1, files)?;
        }
    }
    Ok(())
}

pub(crate) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Reads a file as a source whose path is shown as seen from the current folder.
pub(crate) fn read_source(path: &Path, current: &Path) -> Result<SourceFile, Failure> {
    Ok(SourceFile::new(seen_from(path, current), read_text(path, current)?))
}

/// Reads a UTF-8 file without its byte order mark.
pub(crate) fn read_text(path: &Path, current: &Path) -> Result<String, Failure> {
    let shown = seen_from(path, current);
    let bytes =
        std::fs::read(path).map_err(|why| Failure::input(format!("read {}: {why}", shown.display())))?;
    text_of(&shown, Ok(bytes)).map_err(|unreadable| unreadable.failure())
}

/// The text without its byte order mark, or where and why there is none.
fn text_of(shown: &Path, bytes: std::io::Result<Vec<u8>>) -> Result<String, Unreadable> {
    let unreadable = |line: usize, column: usize, why: String| {
        let file = SourceFile::new(shown, "").name();
        Unreadable { location: Location { file, line, column, end_line: line, end_column: column + 1 }, why }
    };
    let bytes = bytes.map_err(|why| unreadable(1, 1, why.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let before = String::from_utf8_lossy(&bytes[..valid]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let why = format!("byte 0x{:02x} is not UTF-8; save the file as UTF-8", bytes[valid]);
        unreadable(line, column, why)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}
