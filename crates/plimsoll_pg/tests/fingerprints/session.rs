//! A session that speaks the wire protocol itself: nothing runs on it but what the test sends, so that the server's
//! notes of its last query are of that.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A session of the superuser in database `postgres`.
pub(crate) struct Session {
    stream: UnixStream,
    /// The server process that serves it.
    pub(crate) process: i32,
    /// Whether it is idle (`I`), in a transaction (`T`) or in a failed one (`E`).
    pub(crate) status: u8,
}

/// What came back from one message and its end.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The rows' fields; NULL is empty.
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) failed: bool,
}

impl Session {
    pub(crate) fn open(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut session = Self { stream, process: 0, status: b'I' };
        let mut startup = 196_608_u32.to_be_bytes().to_vec();
        startup.extend(b"user\0postgres\0database\0postgres\0\0");
        session.send(None, &startup)?;
        session.answer()?;
        Ok(session)
    }

    /// Runs a text by the simple protocol.
    pub(crate) fn run(&mut self, text: &str) -> io::Result<Answer> {
        self.send(Some(b'Q'), &[text.as_bytes(), b"\0"].concat())?;
        self.answer()
    }

    /// Lets the server parse and analyse a statement, and no more.
    pub(crate) fn analyse(&mut self, text: &str) -> io::Result<Answer> {
        self.send(Some(b'P'), &[b"\0", text.as_bytes(), b"\0\0\0"].concat())?;
        self.send(Some(b'S'), b"")?;
        self.answer()
    }

    fn send(&mut self, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend((body.len() as u32 + 4).to_be_bytes());
        message.extend(body);
        self.stream.write_all(&message)
    }

    fn receive(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length as usize - 4];
        self.stream.read_exact(&mut body)?;
        Ok((head[0], body))
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let (kind, body) = self.receive()?;
            match kind {
                b'Z' => {
                    self.status = body[0];
                    return Ok(answer);
                }
                b'K' => self.process = i32::from_be_bytes([body[0], body[1], body[2], body[3]]),
                b'D' => answer.rows.push(fields(&body)),
                b'E' => answer.failed = true,
                // A COPY from the client: it has nothing.
                b'G' | b'W' => self.send(Some(b'f'), b"nothing\0")?,
                _ => {}
            }
        }
    }
}

/// The fields of a row.
fn fields(body: &[u8]) -> Vec<String> {
    let mut rest = &body[2..];
    let mut fields = Vec::new();
    while let Some((length, after)) = rest.split_at_checked(4) {
        let length = i32::from_be_bytes([length[0], length[1], length[2], length[3]]).max(0) as usize;
        let (field, after) = after.split_at(length);
        fields.push(String::from_utf8_lossy(field).into_owned());
        rest = after;
    }
    fields
}
