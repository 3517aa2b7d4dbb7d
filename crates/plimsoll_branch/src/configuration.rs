//! What a branch's server runs with: settings that keep it small, quick and to itself, and those of its source that decide
//! how queries are planned.

use std::path::Path;

use plimsoll_pg::server::{HBA, ServerUser, configuration};

use crate::error::{BranchError, file_error};
use crate::manifest::Branch;
use crate::state::remove_file;

/// Keeps a copy from reaching what its source reached: no archive, no primary, no publisher. After these come the source's
/// settings for planning and what the branch was asked for.
pub(crate) const TO_ITSELF: [(&str, &str); 12] = [
    ("archive_mode", "off"),
    ("archive_command", ""),
    ("archive_library", ""),
    ("restore_command", ""),
    ("primary_conninfo", ""),
    ("primary_slot_name", ""),
    ("max_logical_replication_workers", "0"),
    // Archive recovery would refuse to start with fewer connections than its source had, were it to take queries.
    ("hot_standby", "off"),
    ("ssl", "off"),
    ("shared_preload_libraries", ""),
    // Directories in pg_tblspc are tablespaces that a copy brought in.
    ("allow_in_place_tablespaces", "on"),
    ("max_connections", "100"),
];

/// Settings of the source that change plans or what SQL means, and are carried over. PostgreSQL's manual, chapter "Query
/// Planning" and what sizes memory or changes types' meaning.
pub(crate) const CARRIED: [&str; 56] = [
    "constraint_exclusion",
    "cpu_index_tuple_cost",
    "cpu_operator_cost",
    "cpu_tuple_cost",
    "cursor_tuple_fraction",
    "datestyle",
    "default_statistics_target",
    "default_text_search_config",
    "default_toast_compression",
    "default_transaction_isolation",
    "effective_cache_size",
    "effective_io_concurrency",
    "enable_async_append",
    "enable_bitmapscan",
    "enable_distinct_reordering",
    "enable_gathermerge",
    "enable_group_by_reordering",
    "enable_hashagg",
    "enable_hashjoin",
    "enable_incremental_sort",
    "enable_indexonlyscan",
    "enable_indexscan",
    "enable_material",
    "enable_memoize",
    "enable_mergejoin",
    "enable_nestloop",
    "enable_parallel_append",
    "enable_parallel_hash",
    "enable_partition_pruning",
    "enable_partitionwise_aggregate",
    "enable_partitionwise_join",
    "enable_presorted_aggregate",
    "enable_self_join_elimination",
    "enable_seqscan",
    "enable_sort",
    "enable_tidscan",
    "from_collapse_limit",
    "geqo",
    "geqo_threshold",
    "hash_mem_multiplier",
    "intervalstyle",
    "jit",
    "jit_above_cost",
    "join_collapse_limit",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "min_parallel_index_scan_size",
    "min_parallel_table_scan_size",
    "parallel_setup_cost",
    "parallel_tuple_cost",
    "plan_cache_mode",
    "random_page_cost",
    "recursive_worktable_factor",
    "seq_page_cost",
    "timezone",
    "work_mem",
];

/// Decide who reaches a server, and which files it takes for its own.
const FIXED: [&str; 14] = [
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "include",
    "include_dir",
    "include_if_exists",
    "listen_addresses",
    "port",
    "unix_socket_directories",
    "unix_socket_group",
    "unix_socket_permissions",
    "allow_in_place_tablespaces",
];

/// Tells what is wrong with settings that a branch is to have.
pub(crate) fn check(settings: &[(String, String)]) -> Result<(), BranchError> {
    let is_fixed = |name: &str| FIXED.iter().any(|fixed| fixed.eq_ignore_ascii_case(name));
    if let Some((name, _)) = settings.iter().find(|(name, _)| is_fixed(name)) {
        let why = format!(
            "give a branch the setting {name}: who reaches its server, and where its files are, is not to be set; `--port` opens a port on 127.0.0.1"
        );
        return Err(BranchError::Refused(why));
    }
    configuration(Path::new(""), settings).map(drop).map_err(|why| BranchError::Refused(why.to_string()))
}

/// Whoever comes by a port, every user of the machine, has to know the password.
const HBA_WITH_PORT: &str = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// Writes the configuration of a branch's server into its data directory.
pub(crate) fn write(
    data: &Path,
    sockets: &Path,
    branch: &Branch,
    user: &ServerUser,
) -> Result<(), BranchError> {
    let mut settings = own(&branch.server.settings);
    let needed = branch.mechanism.mechanism().map_or(&[][..], |mechanism| mechanism.settings());
    settings.extend(needed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    if let Some(port) = &branch.port {
        settings.push(("listen_addresses".to_owned(), "127.0.0.1".to_owned()));
        // It names the socket's file as well.
        settings.push(("port".to_owned(), port.number.to_string()));
    }
    settings.extend(branch.extra_settings.iter().cloned());
    let hba = if branch.port.is_some() { HBA_WITH_PORT } else { HBA };
    write_files(data, sockets, &settings, hba, user)
}

/// Ours, then the source's.
pub(crate) fn own(carried: &[(String, String)]) -> Vec<(String, String)> {
    let ours = TO_ITSELF.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ours.chain(carried.iter().cloned()).collect()
}

/// Replaces the three files of a data directory's configuration.
pub(crate) fn write_files(
    data: &Path,
    sockets: &Path,
    settings: &[(String, String)],
    hba: &str,
    user: &ServerUser,
) -> Result<(), BranchError> {
    let text = configuration(sockets, settings).map_err(|why| BranchError::Refused(why.to_string()))?;
    for (name, text) in [("postgresql.conf", text.as_str()), ("pg_hba.conf", hba), ("pg_ident.conf", "")] {
        let path = data.join(name);
        // The folder belongs to the server's user, who could have put a link there.
        remove_file(&path)?;
        std::fs::write(&path, text).and_then(|()| user.own(&path)).map_err(file_error("write", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_apart() {
        assert!(CARRIED.is_sorted());
        assert!(TO_ITSELF.iter().all(|(name, _)| !CARRIED.contains(name)));
    }
}
