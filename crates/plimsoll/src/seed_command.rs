//! A shell command of the user's that loads rows, and that ends with this program.
//!
//! Its shell and all that it starts are a process group of their own. A watcher in that group
//! reads from a pipe whose other end only this program holds: however the program ends (`kill -9`
//! included), the pipe closes, and the watcher kills the group.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// The pipe is the script's standard input, moved out of the command's way. The watcher's output
/// goes nowhere, so that it doesn't hold the command's open.
const SCRIPT: &str = "exec 3<&0 </dev/null
{ read -r _; kill -s KILL 0; } <&3 >/dev/null 2>&1 &
exec 3<&-
exec /bin/sh -c \"$1\"";

/// Runs the command in a folder, after `prepare` has set its environment, and waits for its end.
pub(crate) async fn run(
    command: &str,
    folder: &Path,
    prepare: impl FnOnce(&mut std::process::Command),
) -> io::Result<Output> {
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", SCRIPT, "plimsoll-seed", command]).current_dir(folder);
    prepare(&mut shell);
    let mut shell = Command::from(shell);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut shell = shell.spawn()?;
    let (pipe, stdout, stderr) = (shell.stdin.take(), shell.stdout.take(), shell.stderr.take());
    let ended = async {
        let status = shell.wait().await;
        // What the command left running in the background ends with it.
        drop(pipe);
        status
    };
    let (status, stdout, stderr) = tokio::try_join!(ended, all_of(stdout), all_of(stderr))?;
    Ok(Output { status, stdout, stderr })
}

async fn all_of(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
