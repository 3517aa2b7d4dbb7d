//! A log as it is written: read into a summary, and watched for alerts.

use crate::alert::{Alert, Baseline, Wanted, Watch};
use crate::changes::{Changes, Whole};
use crate::format::{Format, Scratch};
use crate::scan::Scan;
use crate::sequence::BurstOf;
use crate::summary::Summary;
use plimsoll_core::traffic::BurstKind;
use std::collections::BTreeMap;

/// A session that is silent for so long has no burst going on, in microseconds: well more than the gap that ends one.
const SILENCE_US: i64 = 1_000_000;

/// See the module.
pub struct Live {
    scan: Scan,
    scratch: Scratch,
    changes: Changes,
    watch: Watch,
    /// Bursts that were alerted of, or are too small for it.
    bursts: BTreeMap<BurstOf, (u64, u64)>,
    alerts: Vec<Alert>,
}

impl Live {
    /// With these alerts, judged over a window and repeated after they were quiet for so long, both in microseconds.
    #[must_use]
    pub fn new(wanted: Wanted, baseline: Option<Baseline>, window_us: i64, repeat_us: i64) -> Self {
        Self {
            scan: Scan::new(1),
            scratch: Scratch::default(),
            changes: Changes::default(),
            watch: Watch::new(wanted, baseline, window_us, repeat_us),
            bursts: BTreeMap::new(),
            alerts: Vec::new(),
        }
    }

    /// Reads whole records; a prefix that turns out to be needed is added to the format.
    pub fn take(&mut self, format: &mut Format, text: &[u8]) {
        self.changes.look(format, text, 0, Whole::Yes);
        let (watch, alerts) = (&mut self.watch, &mut self.alerts);
        self.scan.watch(format, text, &mut self.scratch, &mut |record, tally| {
            alerts.extend(watch.take(record, tally));
        });
        self.look_at_bursts();
    }

    /// Says that nothing was written for so long, in microseconds.
    pub fn silent(&mut self, quiet_us: i64) {
        let now_us = self.watch.now_us().saturating_add(quiet_us);
        let (sequence, _) = self.scan.sequence_and_tally();
        sequence.close_silent(now_us.saturating_sub(SILENCE_US));
        self.look_at_bursts();
    }

    /// What was found since this was asked last.
    pub fn alerts(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.alerts)
    }

    /// What was read since this was asked last. A burst that goes on counts by its parts.
    pub fn summary(&mut self) -> Summary {
        self.bursts.clear();
        std::mem::replace(&mut self.scan, Scan::new(1)).summary()
    }

    fn look_at_bursts(&mut self) {
        let (sequence, tally) = self.scan.sequence_and_tally();
        for (of, told) in &sequence.told.bursts {
            let (bursts, statements) = self.bursts.get(of).copied().unwrap_or_default();
            if told.bursts == bursts {
                continue;
            }
            self.bursts.insert(*of, (told.bursts, told.statements));
            let ((_, origin), before, kind) = of;
            // The largest of those that are new since the last look is at least their mean.
            let most = (told.statements - statements).div_ceil(told.bursts - bursts);
            if *kind == BurstKind::NPlusOne {
                self.alerts.extend(self.watch.burst(origin, *before, most, tally));
            }
        }
    }
}
