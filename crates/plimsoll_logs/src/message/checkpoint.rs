//! Checkpoints and restart points (`log_checkpoints`), in the words of PostgreSQL 12 to 18.

use super::reading::{between, count_before, count_behind, number, thousandths_behind};

/// A checkpoint, or a standby's restart point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint<'a> {
    /// It begins.
    Starting {
        /// Whether it is a restart point.
        is_restartpoint: bool,
        /// Why and how, such as `immediate force wait`, `time`, `wal`.
        flags: &'a str,
    },
    /// It is done.
    Complete(CompleteCheckpoint<'a>),
    /// `checkpoints are occurring too frequently`.
    TooFrequent {
        /// Seconds between two.
        apart_s: u64,
    },
    /// `recovery restart point at`.
    RestartPoint {
        /// The place in WAL.
        lsn: &'a str,
    },
}

/// What a checkpoint did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompleteCheckpoint<'a> {
    /// Whether it is a restart point.
    pub is_restartpoint: bool,
    /// The figures as told.
    pub text: &'a str,
}

/// Figures; each is None where this version doesn't tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointFigures<'a> {
    /// Buffers written.
    pub buffers: Option<u64>,
    /// Their share of all buffers, in thousandths of a percent.
    pub buffers_percent_thousandths: Option<u64>,
    /// Buffers of transaction status and the like written, since 18.
    pub slru_buffers: Option<u64>,
    /// WAL files added.
    pub wal_added: Option<u64>,
    /// WAL files removed.
    pub wal_removed: Option<u64>,
    /// WAL files recycled.
    pub wal_recycled: Option<u64>,
    /// Time to write, in microseconds; told in milliseconds, as all times here.
    pub write_us: Option<u64>,
    /// Time to sync.
    pub sync_us: Option<u64>,
    /// The whole time.
    pub total_us: Option<u64>,
    /// Files synced.
    pub sync_files: Option<u64>,
    /// The longest sync of a file.
    pub longest_sync_us: Option<u64>,
    /// The average sync of a file.
    pub average_sync_us: Option<u64>,
    /// WAL since the last checkpoint, in kB.
    pub distance_kb: Option<u64>,
    /// What the server expects of that next time, in kB.
    pub estimate_kb: Option<u64>,
    /// Where the checkpoint's record is, since 16.
    pub lsn: Option<&'a str>,
    /// Where a recovery would start, since 16.
    pub redo_lsn: Option<&'a str>,
}

impl<'a> CompleteCheckpoint<'a> {
    /// Reads the figures.
    #[must_use]
    pub fn figures(&self) -> CheckpointFigures<'a> {
        let text = self.text;
        let microseconds = |key| thousandths_behind(text, key)?.checked_mul(1000);
        CheckpointFigures {
            buffers: count_before(text, " buffers"),
            buffers_percent_thousandths: thousandths_behind(text, " buffers ("),
            slru_buffers: count_before(text, " SLRU buffers"),
            wal_added: count_before(text, " WAL file(s) added"),
            wal_removed: count_before(text, " removed"),
            wal_recycled: count_before(text, " recycled"),
            write_us: microseconds("write="),
            sync_us: microseconds("sync="),
            total_us: microseconds("total="),
            sync_files: count_behind(text, "sync files="),
            longest_sync_us: microseconds("longest="),
            average_sync_us: microseconds("average="),
            distance_kb: count_behind(text, "distance="),
            estimate_kb: count_behind(text, "estimate="),
            lsn: between(text, "; lsn=", ","),
            redo_lsn: text.split_once("redo lsn=").map(|(_, lsn)| lsn.trim_end()),
        }
    }
}

/// Reads a message that begins with `checkpoint` or `restartpoint`.
pub(super) fn told(message: &str) -> Option<Checkpoint<'_>> {
    let (is_restartpoint, rest) = match message.strip_prefix("checkpoint") {
        Some(rest) => (false, rest),
        None => (true, message.strip_prefix("restartpoint")?),
    };
    if let Some(text) = rest.strip_prefix(" complete: ") {
        return Some(Checkpoint::Complete(CompleteCheckpoint { is_restartpoint, text }));
    }
    if let Some(flags) = rest.strip_prefix(" starting:") {
        return Some(Checkpoint::Starting { is_restartpoint, flags: flags.trim_start() });
    }
    let rest = rest.strip_prefix("s are occurring too frequently (")?;
    let (apart_s, _) = number(rest)?;
    Some(Checkpoint::TooFrequent { apart_s })
}

/// Reads a message that begins with `recovery restart point at `.
pub(super) fn restart_point(message: &str) -> Option<Checkpoint<'_>> {
    Some(Checkpoint::RestartPoint { lsn: message.strip_prefix("recovery restart point at ")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Event, understand};
    use crate::{Record, Severity};

    #[track_caller]
    fn read(message: &str) -> Checkpoint<'_> {
        match understand(&Record::new(Severity::Log, message)) {
            Event::Checkpoint(checkpoint) => checkpoint,
            other => panic!("{message}: {other:?}"),
        }
    }

    fn figures(message: &str) -> CheckpointFigures<'_> {
        let Checkpoint::Complete(complete) = read(message) else { panic!("{message}") };
        complete.figures()
    }

    #[test]
    fn figures_are_told_since_12() {
        let old = "wrote 1234 buffers (7.5%); 1 WAL file(s) added, 2 removed, 3 recycled; write=269.910 s, sync=0.011 s, \
                   total=269.930 s; sync files=17, longest=0.005 s, average=0.001 s; distance=16384 kB, estimate=20000 kB";
        let expected = CheckpointFigures {
            buffers: Some(1234),
            buffers_percent_thousandths: Some(7500),
            wal_added: Some(1),
            wal_removed: Some(2),
            wal_recycled: Some(3),
            write_us: Some(269_910_000),
            sync_us: Some(11_000),
            total_us: Some(269_930_000),
            sync_files: Some(17),
            longest_sync_us: Some(5000),
            average_sync_us: Some(1000),
            distance_kb: Some(16384),
            estimate_kb: Some(20000),
            ..CheckpointFigures::default()
        };
        assert_eq!(figures(&format!("checkpoint complete: {old}")), expected);
        let new = old.replace("%);", "%), wrote 3 SLRU buffers;");
        let new = format!("restartpoint complete: {new}; lsn=0/1A2B3C4D, redo lsn=0/1A2B3C00");
        assert_eq!(
            figures(&new),
            CheckpointFigures {
                slru_buffers: Some(3),
                lsn: Some("0/1A2B3C4D"),
                redo_lsn: Some("0/1A2B3C00"),
                ..expected
            }
        );
        assert_eq!(figures("checkpoint complete: wr"), CheckpointFigures::default());
    }

    #[test]
    fn a_checkpoint_starts_for_a_reason() {
        let starting = |is_restartpoint, flags| Checkpoint::Starting { is_restartpoint, flags };
        assert_eq!(
            read("checkpoint starting: immediate force wait"),
            starting(false, "immediate force wait")
        );
        assert_eq!(read("restartpoint starting: time"), starting(true, "time"));
        assert_eq!(read("checkpoint starting:"), starting(false, ""));
        for message in [
            "checkpoints are occurring too frequently (1 second apart)",
            "checkpoints are occurring too frequently (1 seconds apart)",
        ] {
            assert_eq!(read(message), Checkpoint::TooFrequent { apart_s: 1 });
        }
        assert_eq!(
            read("recovery restart point at 0/3000028"),
            Checkpoint::RestartPoint { lsn: "0/3000028" }
        );
    }
}
