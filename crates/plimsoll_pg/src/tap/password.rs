//! The password that a client must know which comes through the port: everybody on the machine can reach that.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::backend::error_message;

/// `AuthenticationCleartextPassword`: it doesn't leave the machine.
const ASK: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];

const LONGEST_ANSWER: usize = 1024;

/// A random password.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

impl Password {
    /// 128 bits from the system, in hexadecimal digits.
    ///
    /// # Errors
    /// When the system has no source of randomness.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The password, for a child's environment.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Asks the client for it; false if it knows another.
    pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(&self, client: &mut S) -> io::Result<bool> {
        client.write_all(&ASK).await?;
        let mut header = [0; 5];
        client.read_exact(&mut header).await?;
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let known = if header[0] == b'p' && (4..=LONGEST_ANSWER).contains(&length) {
            let mut answer = vec![0; length - 4];
            client.read_exact(&mut answer).await?;
            let expected = self.0.as_bytes();
            let answer = answer.strip_suffix(&[0]).unwrap_or(&answer);
            // All bytes are compared, whichever differs, so that the time says nothing.
            answer.len() == expected.len()
                && answer.iter().zip(expected).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
        } else {
            false
        };
        if !known {
            let message =
                "password authentication failed: PGPASSWORD in the environment that Plimsoll gave has it";
            client.write_all(&error_message("28P01", message)).await?;
        }
        Ok(known)
    }
}
