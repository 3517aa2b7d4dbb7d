//! What `pg_dump` writes: which form a file has, and the roles that its statements name.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::Path;

use crate::server::SUPERUSER;

/// A form of dump, by what loads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `pg_restore`: custom, directory or tar.
    Archive,
    /// `psql`.
    Plain,
}

/// A file or folder isn't a dump.
#[derive(Debug, thiserror::Error)]
pub enum NoDump {
    /// It can't be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// A folder of something else.
    #[error(
        "it is a folder without the toc.dat of pg_dump's directory format; a data directory is taken by `trunk create --from` as well, if it has a PG_VERSION"
    )]
    OtherFolder,
    /// A pipe or a device, which can't be read twice.
    #[error("it is neither a file nor a folder; write the dump to a file first")]
    NoFile,
    /// Compressed, or no text.
    #[error("it is neither SQL nor an archive that pg_restore reads; unpack it first")]
    Unknown,
    /// A plain dump without its end.
    #[error(
        "it ends in the midst, without pg_dump's last line, \"PostgreSQL database dump complete\"; take the dump again"
    )]
    CutOff,
}

impl Form {
    /// Looks at a dump's first bytes.
    ///
    /// # Errors
    /// When it can't be read, or can't be a dump.
    pub fn of(path: &Path) -> Result<Self, NoDump> {
        if path.is_dir() {
            let has_contents = ["toc.dat", "toc.dat.gz"].iter().any(|name| path.join(name).is_file());
            return if has_contents { Ok(Self::Archive) } else { Err(NoDump::OtherFolder) };
        }
        if path.exists() && !path.is_file() {
            return Err(NoDump::NoFile);
        }
        let mut first = Vec::new();
        std::fs::File::open(path)?.take(262).read_to_end(&mut first)?;
        // A tar's first file is pg_dump's table of contents.
        if first.starts_with(b"PGDMP") || first.starts_with(b"toc.dat\0") {
            Ok(Self::Archive)
        } else if first.starts_with(&[0x1f, 0x8b])
            || first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
            || first.contains(&0)
        {
            Err(NoDump::Unknown)
        } else {
            Ok(Self::Plain)
        }
    }
}

/// Roles that a dump's statements name and don't make.
#[derive(Debug, Default)]
pub struct NamedRoles(pub BTreeSet<String>);

impl NamedRoles {
    /// Takes the roles that a line of a dump names.
    pub fn look_at(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("ALTER ROLE ") {
            self.0.extend(role(rest));
            return;
        }
        if line.starts_with("ALTER DATABASE ") && line.contains(" SET ") {
            return;
        }
        let is_about_rights =
            ["ALTER ", "GRANT ", "REVOKE ", "CREATE SCHEMA ", "CREATE POLICY ", "CREATE USER MAPPING "]
                .iter()
                .any(|word| line.starts_with(word));
        if is_about_rights {
            for word in [" OWNER TO ", " TO ", " FROM ", " FOR ROLE ", " AUTHORIZATION ", " GRANTED BY "] {
                if let Some((_, rest)) = line.rsplit_once(word) {
                    self.0.extend(role(rest));
                }
            }
        }
    }
}

/// The role at the beginning of a text, as pg_dump quotes names.
fn role(text: &str) -> Option<String> {
    let name = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0.to_owned(),
        None => {
            text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next()?.to_owned()
        }
    };
    let is_role = !name.is_empty()
        && !name.starts_with("pg_")
        && !["PUBLIC", "CURRENT_USER", "SESSION_USER", SUPERUSER].contains(&name.as_str());
    is_role.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found_where_pg_dump_names_them() {
        let mut roles = NamedRoles::default();
        for line in [
            "ALTER TABLE public.t OWNER TO shop;",
            "GRANT SELECT ON TABLE public.t TO \"Report Reader\";",
            "ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA public GRANT ALL ON TABLES TO intern;",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
            "CREATE SCHEMA s AUTHORIZATION chief;",
            "ALTER TABLE public.t OWNER TO postgres;",
            "ALTER ROLE night IN DATABASE shop SET work_mem TO '1MB';",
            "ALTER DATABASE shop SET search_path TO elsewhere;",
            "INSERT INTO t VALUES ('GRANT x TO y');",
        ] {
            roles.look_at(line);
        }
        let roles: Vec<&str> = roles.0.iter().map(String::as_str).collect();
        assert_eq!(roles, ["Report Reader", "boss", "chief", "intern", "night", "shop"]);
    }
}
