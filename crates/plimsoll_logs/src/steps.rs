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

/// What happened in a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// A hash of the session, or of the trace where the statement carries one.
    pub(crate) session: u64,
    /// When it ended, in microseconds since 1970.
    pub(crate) ended_us: i64,
    pub(crate) happening: Happening,
}

/// See [`Step`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// A statement has run.
    Ran(Ran),
    /// A statement was told before it ran; its duration may come later.
    Began { stream: u32 },
    /// The duration of the statement that was told before.
    Lasted { duration_us: u64 },
    /// The session is over.
    Ended,
}

/// A statement that has run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    /// The number that the reader has given to its query and place.
    pub(crate) stream: u32,
    pub(crate) query: u64,
    pub(crate) duration_us: u64,
    pub(crate) shape: Shape,
    pub(crate) values: Values,
}
