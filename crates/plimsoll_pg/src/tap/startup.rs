//! The first packet of a connection, which has no kind: a session's start, a request for encryption, or for the
//! cancelling of a statement.
//!
//! Source: PostgreSQL documentation, "Message Formats" (StartupMessage, SSLRequest, GSSENCRequest, CancelRequest), and
//! `src/include/libpq/pqcomm.h`.

use super::reader::Reader;
use super::statement::Session;

/// PostgreSQL takes no longer one (`MAX_STARTUP_PACKET_LENGTH`).
pub(super) const LONGEST: usize = 10_000;

const CANCEL: i32 = 80_877_102;
const SSL: i32 = 80_877_103;
const GSS: i32 = 80_877_104;
const MAJOR: i32 = 3;

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A session.
    Session(Session),
    /// A request for encryption: `N` says that there is none.
    Encryption,
    /// A request to cancel another session's statement.
    Cancel,
    /// A protocol that isn't followed.
    Other,
}

/// Reads a packet behind its length.
pub(super) fn opening(body: &[u8]) -> Opening {
    let mut reader = Reader(body);
    match reader.int32() {
        Some(CANCEL) => Opening::Cancel,
        Some(SSL | GSS) => Opening::Encryption,
        Some(version) if version >> 16 == MAJOR => Opening::Session(session(reader)),
        _ => Opening::Other,
    }
}

fn session(mut reader: Reader<'_>) -> Session {
    let mut session = Session::default();
    loop {
        let name = reader.string();
        if name.is_empty() {
            break;
        }
        let value = String::from_utf8_lossy(reader.string()).into_owned();
        match name {
            b"user" => session.user = value,
            b"database" => session.database = value,
            b"application_name" => session.application_name = value,
            _ => {}
        }
    }
    if session.database.is_empty() {
        // As the server has it.
        session.database.clone_from(&session.user);
    }
    session
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_are_told_apart() {
        assert_eq!(opening(&SSL.to_be_bytes()), Opening::Encryption);
        assert_eq!(opening(&GSS.to_be_bytes()), Opening::Encryption);
        assert_eq!(opening(&[&CANCEL.to_be_bytes()[..], &[0; 40]].concat()), Opening::Cancel);
        assert_eq!(opening(&[0, 2, 0, 0]), Opening::Other);
        assert_eq!(opening(&[]), Opening::Other);
        for minor in [0, 2, 9999] {
            let packet =
                [&(MAJOR << 16 | minor).to_be_bytes()[..], b"user\0ada\0application_name\0psql\0\0"].concat();
            let Opening::Session(session) = opening(&packet) else { panic!("a session") };
            assert_eq!((session.user.as_str(), session.database.as_str()), ("ada", "ada"));
            assert_eq!(session.application_name, "psql");
        }
    }

    #[test]
    fn a_packet_cut_short_is_read_as_far_as_it_goes() {
        let packet = [&(MAJOR << 16).to_be_bytes()[..], b"user\0ad"].concat();
        assert!(matches!(opening(&packet), Opening::Session(session) if session.user == "ad"));
    }
}
