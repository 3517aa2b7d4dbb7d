//! `plimsoll lsp`: the language server over standard input and output.
//!
//! It runs outside the asynchronous runtime, so that a signal ends it at once.

use std::io;
use std::path::{Path, absolute};

use plimsoll_lsp::{Ending, ServeError, serve};

use crate::editor::Editor;
use crate::exit::{CLEAN, FINDINGS, Failure};

/// Serves one client and returns the exit code: 0 if it said that it would leave, else 1.
pub(crate) fn run(config: Option<&Path>) -> Result<u8, Failure> {
    let config = config
        .map(|path| absolute(path).map_err(|why| Failure::input(format!("find {}: {why}", path.display()))))
        .transpose()?;
    match serve(io::stdin(), io::stdout().lock(), Editor::new(config)) {
        Ok(Ending::Asked) => Ok(CLEAN),
        Ok(Ending::Abrupt) => Ok(FINDINGS),
        // The client is gone: as if its input had ended.
        Err(ServeError::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => Ok(FINDINGS),
        Err(error @ ServeError::Header(_)) => Err(Failure::input(error)),
        Err(error) => Err(Failure::environment(error)),
    }
}
