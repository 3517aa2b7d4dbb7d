//! What doesn't fit in memory, and the memory that would do.

use plimsoll_core::units::bytes;

use super::{Case, blocks, rows};

/// The work_mem to ask for, in kB: a round number above what is needed.
fn round(kilobytes: f64) -> String {
    let megabytes = (kilobytes * 1.1 / 1024.0).ceil().max(1.0);
    let step = if megabytes > 64.0 { 16.0 } else { 1.0 };
    format!("{}MB", (megabytes / step).ceil() * step)
}

pub(super) fn sort_on_disk(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let workers = node.workers.iter().filter_map(|worker| worker.sort.as_ref());
    let sort = workers.chain(&node.sort).filter(|sort| sort.on_disk).max_by_key(|sort| sort.kilobytes)?;
    case.matters()?;
    let per_loop = node.actual.map_or(0.0, |actual| actual.rows);
    // In memory a row has its header, the pointer to it and its first key besides: some 64 bytes.
    let in_memory = per_loop * (node.plan_width.unwrap_or_default() as f64 + 64.0) / 1024.0;
    let need = in_memory.max(sort.kilobytes as f64 * 2.0);
    Some(format!(
        "{} rows were sorted on disk ({}, {}); work_mem = '{}' would do",
        rows(per_loop),
        sort.method,
        bytes(sort.kilobytes * 1024),
        round(need)
    ))
}

pub(super) fn hash_on_disk(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let hash = node.hash?;
    let aggregate = node.node_type == "Aggregate";
    (if aggregate { hash.disk_kilobytes > 0 } else { hash.batches > 1 }).then_some(())?;
    case.figures
        .share_below(case.figures.nodes[case.index].parent.unwrap_or(case.index))
        .ge(&super::MATTERS)
        .then_some(())?;
    let groups = node.actual.map_or(0.0, |actual| actual.rows);
    let width = node.plan_width.unwrap_or_default() as f64;
    let need = if aggregate {
        // A group's table entry and the states of its aggregates.
        (groups * (width + 250.0) / 1024.0).max((hash.peak_kilobytes + hash.disk_kilobytes) as f64 * 2.0)
    } else {
        (hash.peak_kilobytes as f64 * hash.batches as f64).max(groups * (width + 48.0) / 1024.0) * 1.2
    };
    let multiplier =
        case.setting("hash_mem_multiplier").and_then(|value| value.parse::<f64>().ok()).unwrap_or(1.0);
    let disk =
        if aggregate { bytes(hash.disk_kilobytes * 1024) } else { format!("{} batches", hash.batches) };
    Some(format!(
        "a hash table of {} rows didn't fit in memory ({} in memory, {disk} on disk); work_mem = '{}' would do{}",
        rows(groups),
        bytes(hash.peak_kilobytes * 1024),
        round(need / multiplier.max(1.0)),
        if multiplier > 1.0 { "" } else { ", less where hash_mem_multiplier is above 1" }
    ))
}

pub(super) fn lossy_bitmap(case: &Case<'_>) -> Option<String> {
    let node = case.node();
    let lossy = node.lossy_heap_blocks.filter(|lossy| *lossy > 0)?;
    case.matters()?;
    let exact = node.exact_heap_blocks.unwrap_or_default();
    let again = node.rows_removed_by_index_recheck.unwrap_or_default() * node.loops() as f64;
    // An entry of the bitmap's table takes about 60 bytes, and the table is at most half full.
    let need = (exact + lossy) as f64 * 128.0 / 1024.0;
    Some(format!(
        "the bitmap was too large for work_mem: {} of {} were kept without their rows, and {} rows were checked in vain; work_mem = '{}' would do",
        blocks(lossy),
        blocks(exact + lossy),
        rows(again),
        round(need)
    ))
}
