//! The files that say what a trunk and a branch are. One JSON object each, with a format version, replaced as a whole.
//!
//! They may hold a password (of a branch with a port), so only their owner can read them.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{BranchError, file_error};
use crate::masking::Masked;
use crate::mechanism::Kind;
use crate::name::Name;

/// Raise it whenever a manifest of before can't be read any more.
const FORMAT: u32 = 1;

/// A moment, in seconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment of a clock's time; one before 1970 counts as 1970.
    #[must_use]
    pub fn of(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    /// This much later.
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }

    /// The time from this moment to a later one; none if it isn't later.
    #[must_use]
    pub const fn until(self, later: Self) -> Duration {
        Duration::from_secs(later.0.saturating_sub(self.0))
    }
}

/// What runs a trunk's or a branch's server, and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// Its major version.
    pub major: u32,
    /// The version of the installation that last ran it, as `postgres --version` says.
    pub version: String,
    /// A role that is a superuser and may log in.
    pub superuser: String,
    /// The database that is meant when none is named.
    pub database: String,
    /// Settings carried over from the source, which decide how queries are planned.
    pub settings: Vec<(String, String)>,
}

/// Where a trunk's rows came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Source {
    /// A running server, by `pg_basebackup`.
    Server {
        /// The address, which is taken again by a refresh. No password.
        url: String,
    },
    /// The data directory of a stopped server.
    DataDirectory {
        /// The folder.
        path: PathBuf,
    },
    /// What `pg_dump` wrote.
    Dump {
        /// The file or folder.
        path: PathBuf,
    },
    /// Scripts: a schema, then rows.
    Scripts {
        /// In the order in which they are run.
        paths: Vec<PathBuf>,
        /// The migration that begins what the trunk doesn't have, if one was named.
        before: Option<PathBuf>,
    },
    /// Another trunk.
    Trunk {
        /// Its name.
        name: Name,
    },
}

/// What a trunk is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    /// Its name.
    pub name: Name,
    /// Where it is taken from.
    pub source: Source,
    /// Counts the refreshes; the first copy is 1. Its data are in `versions/<version>/data`.
    pub version: u32,
    /// When this version was taken.
    pub taken_at: Moment,
    /// Its server.
    pub server: ServerFacts,
    /// How much this version has, in files.
    pub files: u64,
    /// How much this version has, in bytes as PostgreSQL counts them, not as a file system that shares them does.
    pub bytes: u64,
    /// Whether masking rules were applied and verified.
    pub masked: bool,
    /// What they did, and which columns they left out.
    #[serde(default)]
    pub masking: Masked,
    /// What a user of the trunk should know: what is missing or different from its source.
    pub notes: Vec<String>,
}

/// What a branch was cut from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Parent {
    /// A trunk.
    Trunk {
        /// Its name.
        name: Name,
        /// Its version.
        version: u32,
    },
    /// Another branch, as it was.
    Branch {
        /// Its name.
        name: Name,
    },
    /// A private server, as it was.
    Server {
        /// Its address.
        url: String,
    },
    /// Another server's schema and its planner's statistics, without its rows.
    Plans {
        /// Which server, or the file of a capture. No password.
        of: String,
    },
}

impl Parent {
    /// In words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Trunk { name, version } => format!("trunk {name} (version {version})"),
            Self::Branch { name } => format!("branch {name}"),
            Self::Server { url } => format!("the private server {url}"),
            Self::Plans { of } => format!("the plans of {of}"),
        }
    }
}

/// How long a branch is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "until", rename_all = "kebab-case")]
pub enum Lifetime {
    /// Until it is dropped.
    Unlimited,
    /// Until this moment, or until it is dropped.
    Until(Moment),
    /// As long as the program that made it.
    WithProgram,
}

/// Where a branch may be reached besides its socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The port on 127.0.0.1.
    pub number: u16,
    /// The superuser's password, since every user of the machine can reach a port.
    pub password: String,
}

/// What a branch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name.
    pub name: Name,
    /// Names its socket's folder.
    pub id: String,
    /// What it was cut from.
    pub parent: Parent,
    /// How it was made.
    pub mechanism: Kind,
    /// The folder whose files it shows where it has none of its own; only some mechanisms have one.
    pub lower: Option<PathBuf>,
    /// When it was made, or last reset.
    pub made_at: Moment,
    /// How long it is there.
    pub lifetime: Lifetime,
    /// Its server.
    pub server: ServerFacts,
    /// Settings given when it was made; they win over all others.
    pub extra_settings: Vec<(String, String)>,
    /// Its port, if it has one.
    pub port: Option<Port>,
    /// What a user should know of it.
    pub notes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    format: u32,
    #[serde(flatten)]
    content: T,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Reads a manifest; `None` where there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, BranchError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(why) if matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(why) => return Err(file_error("read", path)(why)),
    };
    let wrong = |why: String| BranchError::Manifest { path: path.to_owned(), why };
    let FormatOnly { format } = serde_json::from_slice(&bytes).map_err(|why| wrong(why.to_string()))?;
    if format != FORMAT {
        let why = format!(
            "it has format {format}, and this Plimsoll reads format {FORMAT}: use the Plimsoll that wrote it"
        );
        return Err(wrong(why));
    }
    let Versioned { content, .. } = serde_json::from_slice(&bytes).map_err(|why| wrong(why.to_string()))?;
    Ok(Some(content))
}

/// Writes a manifest, whole or not at all, even if the machine loses power.
pub(crate) fn write<T: Serialize>(path: &Path, content: &T) -> Result<(), BranchError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".manifest-").tempfile_in(folder)?;
        let text = serde_json::to_string_pretty(&Versioned { format: FORMAT, content })?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(file_error("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch() -> Branch {
        Branch {
            name: "pr-17".parse().unwrap(),
            id: "a1b2c3d4".into(),
            parent: Parent::Trunk { name: "main".parse().unwrap(), version: 3 },
            mechanism: Kind::BlockClone,
            lower: None,
            made_at: Moment(1_700_000_000),
            lifetime: Lifetime::Until(Moment(1_700_003_600)),
            server: ServerFacts {
                major: 18,
                version: "18.6".into(),
                superuser: "postgres".into(),
                database: "harbour".into(),
                settings: vec![("work_mem".into(), "64MB".into())],
            },
            extra_settings: Vec::new(),
            port: Some(Port { number: 5555, password: "x".into() }),
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("branch.json");
        assert_eq!(read::<Branch>(&path).unwrap(), None);
        write(&path, &branch()).unwrap();
        assert_eq!(read::<Branch>(&path).unwrap(), Some(branch()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn damage_and_other_formats_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("branch.json");
        for (text, expected) in [
            ("{\"format\": 2}", "use the Plimsoll that wrote it"),
            ("{\"format\": 1, \"name\": \"x\"}", "missing field"),
            ("", "EOF"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read::<Branch>(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
