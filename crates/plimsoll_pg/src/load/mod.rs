//! The workload on a private server: what its statements lock, and what they feel while a change runs among them.
//!
//! Requests arrive when their rate says, whatever became of the earlier ones; each counts from that moment. A generator
//! that waits for an answer before it asks again would leave out just those who waited.
//!
//! Deliberately absent: judgement, and any wish to find out how much the machine can take.

mod arrivals;
mod behind;
mod change;
mod error;
mod locks;
mod run;
mod session;
mod timing;

pub use behind::LongTransaction;
pub use change::{ChangeRun, run_change};
pub use error::LoadError;
pub use locks::measure_traffic;
pub use run::{ChangeAmongRequests, LoadSettings, run_load};
pub use timing::{sizes, time_change};
