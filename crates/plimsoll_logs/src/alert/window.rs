//! How often something happened within a sliding window, in bounded room.

use std::collections::VecDeque;

/// The last moments at which something happened; as many as its threshold.
#[derive(Debug, Default)]
pub(crate) struct Window {
    moments: VecDeque<i64>,
}

impl Window {
    /// Counts one; whether it has now happened `threshold` times within so many microseconds.
    pub(crate) fn reaches(&mut self, time_us: i64, threshold: u64, width_us: i64) -> bool {
        self.moments.push_back(time_us);
        while self.moments.len() as u64 > threshold {
            self.moments.pop_front();
        }
        let first = self.moments.front().copied().unwrap_or(time_us);
        self.moments.len() as u64 == threshold && time_us.saturating_sub(first) < width_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_reached_within_the_window_alone() {
        let mut window = Window::default();
        assert!(!window.reaches(0, 3, 100));
        assert!(!window.reaches(50, 3, 100));
        assert!(window.reaches(99, 3, 100));
        // From 50 to 150.
        assert!(!window.reaches(150, 3, 100));
        assert!(window.reaches(190, 3, 100));
    }

    #[test]
    fn one_is_enough_where_one_is_asked_for() {
        assert!(Window::default().reaches(5, 1, 10));
    }
}
