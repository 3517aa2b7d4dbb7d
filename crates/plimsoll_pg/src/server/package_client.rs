//! Fetches a wheel through the Python package client that the machine has and its owner
//! configured: mirrors, proxies and certificates are the client's business.
//!
//! Changes no setting of the client and installs nothing into any Python.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use super::die_with_us::die_with_us;
use super::packages::Package;

/// The clients that are tried, in order.
const CLIENTS: [(&[&str], Dialect); 4] = [
    (&["pip"], Dialect::Pip),
    (&["pip3"], Dialect::Pip),
    (&["python3", "-m", "pip"], Dialect::Pip),
    (&["uv", "pip"], Dialect::Uv),
];

/// The Python that the wheels want; none is run, and none needs to be there in that version.
const PYTHON: &str = "3.12";

#[derive(Clone, Copy, Debug)]
enum Dialect {
    Pip,
    Uv,
}

/// A package client that runs on this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackageClient {
    words: &'static [&'static str],
    dialect: Dialect,
}

impl PackageClient {
    /// Finds one that can be run.
    pub(super) fn find() -> Option<Self> {
        let mut clients = CLIENTS.into_iter().map(|(words, dialect)| Self { words, dialect });
        clients.find(|client| client.runs())
    }

    /// What the user would type to run it.
    pub(super) fn name(self) -> String {
        self.words.join(" ")
    }

    /// Unpacks the package into `target`. `requirements` is a file that pins it by hash.
    pub(super) fn fetch(
        self,
        package: &Package,
        requirements: &Path,
        target: &Path,
    ) -> std::io::Result<Output> {
        let mut command = base_command(self.words);
        command.args(["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
        command.args(["--python-version", PYTHON]).arg("--requirement").arg(requirements);
        command.arg("--target").arg(target);
        match self.dialect {
            Dialect::Pip => {
                command.args(["--disable-pip-version-check", "--no-input", "--no-compile"]);
                command.args(["--platform", package.tag]);
                // pip's `install` compares what the wheel requires with the Python that runs
                // pip, whatever --python-version says; nothing in the wheel is run by Python.
                command.arg("--ignore-requires-python");
                // The user's defaults may forbid what --target needs, and can't suit it.
                command.env("PIP_USER", "0").env("PIP_REQUIRE_VIRTUALENV", "0");
            }
            Dialect::Uv => {
                // A hard link would let our `chmod` change uv's own cache.
                command.args(["--link-mode", "copy", "--python-platform", package.platform.uv_name()]);
            }
        }
        die_with_us(&mut command, Signal::TERM);
        command.output()
    }

    fn runs(self) -> bool {
        let mut command = match self.dialect {
            Dialect::Pip => base_command(self.words),
            // `uv pip` itself has no --version.
            Dialect::Uv => base_command(&self.words[..1]),
        };
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

fn base_command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    command
}

/// One line of a requirements file that admits exactly this wheel.
pub(super) fn requirement(package: &Package) -> String {
    format!("{}=={} --hash=sha256:{}\n", package.name, package.version, package.sha256)
}
