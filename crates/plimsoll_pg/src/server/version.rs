//! A server's version, as `postgres --version` prints it.

use std::fmt;

/// The oldest major version that private servers support.
pub const OLDEST_SUPPORTED_MAJOR: u32 = 15;

/// The version of a PostgreSQL server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion {
    /// 18 of 18.6.
    pub major: u32,
    /// 6 of 18.6; 0 for a development version or a beta.
    pub minor: u32,
    /// All that the server says of itself: `15.18 (Debian 15.18-0+deb12u1)`.
    pub text: String,
}

impl ServerVersion {
    /// Parses the output of `postgres --version`.
    pub(super) fn parse(output: &str) -> Option<Self> {
        let text = output.trim().strip_prefix("postgres (PostgreSQL) ")?;
        let (major, rest) = leading_number(text)?;
        let minor = rest.strip_prefix('.').and_then(leading_number).map_or(0, |(minor, _)| minor);
        Some(Self { major, minor, text: text.to_owned() })
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without what the packager added in brackets.
        formatter.write_str(self.text.split(' ').next().unwrap_or(&self.text))
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: Option<(u32, u32, &str)>) {
        let parsed = ServerVersion::parse(output);
        let seen = parsed.as_ref().map(|version| (version.major, version.minor, version.to_string()));
        assert_eq!(seen, expected.map(|(major, minor, shown)| (major, minor, shown.to_owned())));
    }

    #[test]
    fn what_servers_print_is_understood() {
        check("postgres (PostgreSQL) 18.6\n", Some((18, 6, "18.6")));
        check("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some((15, 18, "15.18")));
        check("postgres (PostgreSQL) 19beta1\n", Some((19, 0, "19beta1")));
        check("postgres (PostgreSQL) 20devel\n", Some((20, 0, "20devel")));
    }

    #[test]
    fn other_programs_are_not_taken_for_a_server() {
        check("psql (PostgreSQL) 18.6\n", None);
        check("postgres (PostgreSQL) eighteen\n", None);
        check("", None);
    }
}
