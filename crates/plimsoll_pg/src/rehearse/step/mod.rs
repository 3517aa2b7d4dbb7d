//! A program's rehearsal: a tap that holds each statement's answer while we look at what the statement did.

mod aside;
mod conversation;
mod script;
mod session;
mod stage;

pub use script::ProgramScript;
pub use stage::{ProgramRehearsal, rehearse_program};
