//! The language server: diagnostics, hover and quick fixes for migrations, over the Language Server
//! Protocol 3.17 on any pair of streams.
//!
//! It speaks the protocol and keeps the open documents; what a document means is asked of a
//! [`Judge`], which knows the project's files. Deliberately absent: an asynchronous runtime, and
//! any file but the open ones.

mod actions;
mod diagnostics;
mod document;
mod hover;
mod judge;
mod position;
mod server;
mod transport;
mod uri;

pub use judge::{Judge, Judged};
pub use server::{Ending, serve};
pub use transport::ServeError;
