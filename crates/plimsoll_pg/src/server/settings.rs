//! The configuration files of a server that is thrown away after one run.

use std::fmt::Write as _;
use std::path::Path;

use super::private_folder::PORT;

/// A setting of the caller's that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("write server setting {name:?}: a name has only letters, digits, `_` and `.`; correct the name")]
pub struct BadSettingName {
    /// The name as given.
    pub name: String,
}

/// What differs from PostgreSQL's defaults, apart from the socket.
const SETTINGS: &[(&str, &str)] = &[
    // Nothing here has to survive a crash.
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    // A table's statistics and size change only when a statement changes them.
    ("autovacuum", "off"),
    ("checkpoint_timeout", "1h"),
    ("max_wal_size", "2GB"),
    ("wal_level", "replica"),
    ("jit", "off"),
    ("max_connections", "20"),
    ("shared_buffers", "128MB"),
    // In the data directory, which is removed. In /dev/shm it would outlive a killed server,
    // and containers often have only 64 MB there.
    ("dynamic_shared_memory_type", "mmap"),
    // A backend that crashed must be reported, not papered over by a restart.
    ("restart_after_crash", "off"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_min_messages", "warning"),
    ("log_line_prefix", "%m [%p] "),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("datestyle", "iso, mdy"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("default_text_search_config", "pg_catalog.english"),
];

/// Who may connect: whoever can reach the socket, which only the owner of its folder can.
pub const HBA: &str = "local all all trust\n";

/// The text of `postgresql.conf`. The caller's settings come last, so that they win.
///
/// # Errors
/// When a setting's name is none.
pub fn configuration(socket_folder: &Path, extra: &[(String, String)]) -> Result<String, BadSettingName> {
    // A list separated by commas; in double quotes a folder may have any character.
    let folders = format!("\"{}\"", socket_folder.to_string_lossy().replace('"', "\"\""));
    let mut text = String::new();
    set(&mut text, "listen_addresses", "");
    set(&mut text, "port", &PORT.to_string());
    set(&mut text, "unix_socket_directories", &folders);
    set(&mut text, "unix_socket_permissions", "0700");
    for (name, value) in SETTINGS {
        set(&mut text, name, value);
    }
    for (name, value) in extra {
        if name.is_empty()
            || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter))
        {
            return Err(BadSettingName { name: name.clone() });
        }
        set(&mut text, name, value);
    }
    Ok(text)
}

fn set(text: &mut String, name: &str, value: &str) {
    let value = value.replace('\\', "\\\\").replace('\'', "''").replace('\n', "\\n");
    // Writing to a String can't fail.
    writeln!(text, "{name} = '{value}'").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected_last_line: &str) {
        let extra = [(name.to_owned(), value.to_owned())];
        let text = configuration(Path::new("/tmp/p"), &extra).unwrap();
        assert_eq!(text.lines().last(), Some(expected_last_line));
    }

    #[test]
    fn values_are_quoted() {
        check("work_mem", "4MB", "work_mem = '4MB'");
        check("my.text", r"it's a \ ", r"my.text = 'it''s a \\ '");
        check("search_path", "a\nb", r"search_path = 'a\nb'");
    }

    #[test]
    fn a_name_can_not_smuggle_in_another_setting() {
        let extra = [("jit = on\nfsync".to_owned(), "on".to_owned())];
        let error = configuration(Path::new("/tmp/p"), &extra).unwrap_err();
        assert!(error.to_string().contains("correct the name"), "{error}");
    }

    #[test]
    fn a_folder_with_a_comma_stays_one_folder() {
        let text = configuration(Path::new("/tmp/a,b"), &[]).unwrap();
        assert!(text.contains("unix_socket_directories = '\"/tmp/a,b\"'"), "{text}");
    }
}
