//! How to get PostgreSQL on this platform, as commands that can be copied.

use std::fmt;
use std::path::Path;

use super::find::Wanted;
use super::packages::NEWEST_INSTALLABLE_MAJOR;
use super::packages::Package;
use super::platform::Platform;

/// The commands that install the server that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallAdvice {
    commands: Vec<String>,
}

impl InstallAdvice {
    /// `root` is the root of the file system, where `etc/os-release` says which system it is.
    pub(super) fn new(wanted: Wanted, root: &Path) -> Self {
        let major = match wanted {
            Wanted::Newest => NEWEST_INSTALLABLE_MAJOR,
            Wanted::Major(major) => major,
        };
        let installable = Platform::current().and_then(|platform| Package::find(major, platform)).is_some();
        let own = installable.then(|| format!("plimsoll server install {major}"));
        let of_system = system_command(wanted, root);
        Self { commands: own.into_iter().chain(of_system).collect() }
    }

    /// Leaves out Plimsoll's own command, for where that is what failed.
    pub(super) fn of_system(wanted: Wanted, root: &Path) -> Self {
        Self { commands: system_command(wanted, root).into_iter().collect() }
    }

    /// The commands, the preferred one first. Empty where none is known.
    #[must_use]
    pub fn commands(&self) -> &[String] {
        &self.commands
    }
}

impl fmt::Display for InstallAdvice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.commands.as_slice() {
            [] => formatter.write_str("install PostgreSQL's server programs, and put their folder on PATH"),
            [first, others @ ..] => {
                write!(formatter, "install it with `{first}`")?;
                others.iter().try_for_each(|other| write!(formatter, " or `{other}`"))
            }
        }
    }
}

fn system_command(wanted: Wanted, root: &Path) -> Option<String> {
    if cfg!(target_os = "macos") {
        let major = match wanted {
            Wanted::Newest => NEWEST_INSTALLABLE_MAJOR,
            Wanted::Major(major) => major,
        };
        return Some(format!("brew install postgresql@{major}"));
    }
    let os_release = std::fs::read_to_string(root.join("etc/os-release")).ok()?;
    let command = match family(&os_release)? {
        Family::Debian => "apt-get install postgresql",
        Family::RedHat => "dnf install postgresql-server",
        Family::Alpine => "apk add postgresql",
    };
    // Each of these has one major version of PostgreSQL; Debian's meta package says so best
    // when a certain one is asked for.
    match (wanted, family(&os_release)?) {
        (Wanted::Major(major), Family::Debian) => Some(format!("{command}-{major}")),
        _ => Some(command.to_owned()),
    }
}

#[derive(Clone, Copy)]
enum Family {
    Debian,
    RedHat,
    Alpine,
}

/// Reads `ID` and `ID_LIKE` of an os-release file.
fn family(os_release: &str) -> Option<Family> {
    let values = os_release.lines().filter_map(|line| {
        line.strip_prefix("ID=")
            .or_else(|| line.strip_prefix("ID_LIKE="))
            .map(|value| value.trim_matches('"'))
    });
    values.flat_map(str::split_whitespace).find_map(|name| match name {
        "debian" | "ubuntu" => Some(Family::Debian),
        "fedora" | "rhel" | "centos" => Some(Family::RedHat),
        "alpine" => Some(Family::Alpine),
        _ => None,
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn check(os_release: &str, wanted: Wanted, expected: &str) {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/os-release"), os_release).unwrap();
        let advice = InstallAdvice::new(wanted, root.path());
        assert_eq!(advice.commands().last().map(String::as_str), Some(expected));
    }

    #[test]
    fn each_system_gets_its_own_command() {
        check("ID=debian\n", Wanted::Newest, "apt-get install postgresql");
        check("ID=ubuntu\nID_LIKE=debian\n", Wanted::Major(17), "apt-get install postgresql-17");
        check(
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
            Wanted::Newest,
            "dnf install postgresql-server",
        );
        check("ID=alpine\n", Wanted::Newest, "apk add postgresql");
    }

    #[test]
    fn an_unknown_system_still_gets_words() {
        let advice = InstallAdvice { commands: Vec::new() };
        assert!(advice.to_string().contains("put their folder on PATH"), "{advice}");
    }
}
