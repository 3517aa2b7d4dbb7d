//! What one block tells of sessions, small enough to be gone through in order after blocks were read side by side.

/// Values of a statement that are followed.
pub(crate) const MOST_VALUES: usize = 8;

/// What has to be known of a query to tell what its bursts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Whether it reads or writes rows.
    pub(crate) is_traffic: bool,
    pub(crate) ends_transaction: bool,
    pub(crate) inserts: bool,
    pub(crate) writes: bool,
    /// Whether it takes a part of its rows, by LIMIT or OFFSET.
    pub(crate) pages: bool,
    /// A bit for each of its first values: whether it is compared for equality.
    pub(crate) equated: u8,
}

/// A statement's values, as hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) hashes: [u32; MOST_VALUES],
    pub(crate) count: u8,
}

/// Which query, and who ran it from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// The fingerprint.
    pub(crate) query: u64,
    /// The number that the reader has given.
    pub(crate) who: u32,
    /// A hash of the route; 0 if there is none.
    pub(crate) route: u64,
}

/// What happened in a session.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// A hash of the session, or of the trace where the statement carries one.
    pub(crate) session: u64,
    /// Whether it is a trace.
    pub(crate) is_traced: bool,
    pub(crate) process: u32,
    /// When it ended, in microseconds since 1970.
    pub(crate) ended_us: i64,
    pub(crate) happening: Happening,
}

/// See [`Step`].
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A statement has run.
    Ran(Ran),
    /// A statement was told before it ran; its duration may come later.
    Began { origin: Origin },
    /// The duration of the statement that was told before.
    Lasted { duration_us: u64 },
    /// A process waits for a lock, or waits no longer.
    Blocked(Box<Blocked>),
    /// The session is over.
    Ended,
}

/// What a log tells of a wait for a lock.
#[derive(Clone, Debug)]
pub(crate) struct Blocked {
    /// The number that the reader has given to the lock and the query that waits.
    pub(crate) wait: u32,
    /// Who waits.
    pub(crate) process: u32,
    /// Who holds the lock; none when the wait is over.
    pub(crate) holders: Vec<u32>,
    /// How long it has waited so far.
    pub(crate) waited_us: u64,
    pub(crate) is_over: bool,
}

/// A statement that has run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    pub(crate) origin: Origin,
    pub(crate) duration_us: u64,
    pub(crate) shape: Shape,
    pub(crate) values: Values,
}
