//! Trunks and branches: private, writable copies of a database that cost next to nothing.
//!
//! A *trunk* is a stopped, consistent data directory, taken from a server, a folder, a dump or scripts, and made safe: it
//! touches nothing outside its folder. A *branch* is a writable copy of a trunk, or of another branch, with a server of
//! its own. [`mechanism`] has the ways of copying; [`State`] keeps all of it in files.

mod branch;
mod collect;
mod configuration;
mod contents;
mod error;
mod host;
mod keeper;
mod manifest;
pub mod masking;
pub mod mechanism;
mod name;
mod plans;
mod rehearsed;
mod running;
mod state;
pub mod trunk;
pub mod yard;

pub use branch::{
    NewBranch, Origin, PrivateAddress, SOCKET_PORT, Say, create, drop_branch, reset, start, start_new, stop,
};
pub use collect::{Collected, collect};
pub use contents::{RowCount, row_counts, schema};
pub use error::BranchError;
pub use host::Host;
pub use keeper::{KeeperProgram, Kept, Running, keep, running, runtime};
pub use manifest::{Branch, Lifetime, Moment, Parent, Port, ServerFacts, Source, Trunk};
pub use masking::require_masked;
pub use name::{BadName, Name};
pub use plans::{NewPlanBranch, create_of_plans};
pub use rehearsed::{on_branch, on_plan_branch};
pub use state::{State, Trial};
