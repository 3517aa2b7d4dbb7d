//! Messages over a pair of streams: a header with the length, then JSON (LSP, "Base Protocol").
//!
//! Reading has a thread of its own: what the client sent since is known while an answer is made,
//! and a client that waits for the server to read never waits for long.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::sync::mpsc::{Receiver, channel};

use lsp_server::{ErrorCode, Message, RequestId};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

/// Bytes of a message beyond which it isn't read: far more than any document that is edited.
const LONGEST_MESSAGE: usize = 256 << 20;
/// Bytes of a header's line.
const LONGEST_LINE: u64 = 4096;

/// Why the server had to stop.
#[derive(Debug, Error)]
pub enum ServeError {
    /// What comes in is no message, and where the next one begins can't be known.
    #[error("read a message: {0}")]
    Header(String),
    /// The stream broke.
    #[error("read a message: {0}")]
    Input(io::Error),
    /// The client doesn't take what it is sent.
    #[error("send a message: {0}")]
    Output(io::Error),
}

/// What came in.
pub(crate) enum Incoming {
    Message(Message),
    /// A message of the right length that isn't one: the code and the reason for the answer.
    Broken(ErrorCode, String),
    /// No more can be read.
    Failed(ServeError),
}

/// Reads messages on a thread of their own, to the end of the stream.
pub(crate) fn messages(input: impl Read + Send + 'static) -> Receiver<Incoming> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut input = BufReader::new(input);
        loop {
            let incoming = match read(&mut input) {
                Ok(Some(incoming)) => incoming,
                Ok(None) => return,
                Err(error) => Incoming::Failed(error),
            };
            let last = matches!(incoming, Incoming::Failed(_));
            if sender.send(incoming).is_err() || last {
                return;
            }
        }
    });
    receiver
}

/// The next message; none at the stream's end, wherever that comes.
fn read(input: &mut impl BufRead) -> Result<Option<Incoming>, ServeError> {
    let Some(length) = read_header(input)? else { return Ok(None) };
    let mut body = vec![0; length];
    match input.read_exact(&mut body) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(ServeError::Input(error)),
    }
    Ok(Some(match serde_json::from_slice::<Value>(&body) {
        Err(error) => Incoming::Broken(ErrorCode::ParseError, format!("this is no JSON: {error}")),
        Ok(value) => match serde_json::from_value(value) {
            Ok(message) => Incoming::Message(message),
            Err(_) => Incoming::Broken(ErrorCode::InvalidRequest, "this is no message of JSON-RPC".into()),
        },
    }))
}

/// The length of the message that follows.
fn read_header(input: &mut impl BufRead) -> Result<Option<usize>, ServeError> {
    let mut length = None;
    let mut is_first = true;
    loop {
        let mut line = Vec::new();
        input.take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(ServeError::Input)?;
        if line.is_empty() {
            return Ok(None);
        }
        let wrong = |why: &str| ServeError::Header(format!("{why}: {:?}", String::from_utf8_lossy(&line)));
        if !line.ends_with(b"\n") {
            return match line.len() as u64 == LONGEST_LINE {
                true => Err(wrong("a header's line is too long")),
                false => Ok(None),
            };
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            // Some write an empty line behind a message.
            if is_first {
                continue;
            }
            return length.map(Some).ok_or_else(|| ServeError::Header("there is no Content-Length".into()));
        }
        is_first = false;
        let text = std::str::from_utf8(text).map_err(|_| wrong("a header isn't UTF-8"))?;
        let (name, value) = text.split_once(':').ok_or_else(|| wrong("this is no header"))?;
        if name.trim().eq_ignore_ascii_case("content-length") {
            let value: usize = value.trim().parse().map_err(|_| wrong("this is no length"))?;
            if value > LONGEST_MESSAGE {
                return Err(wrong("a message is too long"));
            }
            length = Some(value);
        }
    }
}

/// Sends messages.
pub(crate) struct Outbox<W: Write> {
    output: BufWriter<W>,
    /// Number of the next request.
    next_request: i32,
}

#[derive(Serialize)]
struct Response<'a, R> {
    jsonrpc: &'static str,
    id: Option<&'a RequestId>,
    result: R,
}

#[derive(Serialize)]
struct Refusal<'a> {
    jsonrpc: &'static str,
    id: Option<&'a RequestId>,
    error: Complaint<'a>,
}

#[derive(Serialize)]
struct Complaint<'a> {
    code: i32,
    message: &'a str,
}

#[derive(Serialize)]
struct Call<'a, P> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i32>,
    method: &'a str,
    params: P,
}

const JSONRPC: &str = "2.0";

impl<W: Write> Outbox<W> {
    pub(crate) fn new(output: W) -> Self {
        Self { output: BufWriter::new(output), next_request: 1 }
    }

    /// Answers a request.
    pub(crate) fn answer(&mut self, id: &RequestId, result: impl Serialize) -> Result<(), ServeError> {
        self.send(&Response { jsonrpc: JSONRPC, id: Some(id), result })
    }

    /// Refuses a request; one without an id couldn't be read.
    pub(crate) fn refuse(
        &mut self,
        id: Option<&RequestId>,
        code: ErrorCode,
        message: &str,
    ) -> Result<(), ServeError> {
        self.send(&Refusal { jsonrpc: JSONRPC, id, error: Complaint { code: code as i32, message } })
    }

    /// Tells the client something.
    pub(crate) fn notify(&mut self, method: &str, params: impl Serialize) -> Result<(), ServeError> {
        self.send(&Call { jsonrpc: JSONRPC, id: None, method, params })
    }

    /// Asks the client something whose answer isn't waited for.
    pub(crate) fn request(&mut self, method: &str, params: impl Serialize) -> Result<(), ServeError> {
        let id = self.next_request;
        self.next_request += 1;
        self.send(&Call { jsonrpc: JSONRPC, id: Some(id), method, params })
    }

    fn send(&mut self, message: &impl Serialize) -> Result<(), ServeError> {
        let body = serde_json::to_vec(message).map_err(|error| ServeError::Output(error.into()))?;
        let mut write = || {
            write!(self.output, "Content-Length: {}\r\n\r\n", body.len())?;
            self.output.write_all(&body)?;
            self.output.flush()
        };
        write().map_err(ServeError::Output)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(bytes: &[u8]) -> Vec<String> {
        let messages = messages(io::Cursor::new(bytes.to_vec()));
        let show = |incoming| match incoming {
            Incoming::Message(Message::Notification(one)) => one.method,
            Incoming::Message(_) => "another message".into(),
            Incoming::Broken(code, _) => (code as i32).to_string(),
            Incoming::Failed(error) => error.to_string(),
        };
        messages.into_iter().map(show).collect()
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(shown(text.as_bytes()), expected);
    }

    #[test]
    fn messages_follow_each_other_and_end_anywhere() {
        let one = "Content-Length: 22\r\n\r\n{\"method\":\"exit\"     }";
        check(one, &["exit"]);
        check(
            &format!("{one}Content-Type: x\r\ncontent-length:14\n\n[\"a\", 1, 2, 3]{one}"),
            &["exit", "-32600", "exit"],
        );
        check("Content-Length: 2\r\n\r\n{x", &["-32700"]);
        check("Content-Length: 9\r\n\r\n{", &[]);
        check("Content-Len", &[]);
    }

    #[test]
    fn what_is_no_message_ends_the_stream() {
        check("hello\r\n\r\n", &["read a message: this is no header: \"hello\\r\\n\""]);
        check("a: b\r\n\r\n{}", &["read a message: there is no Content-Length"]);
        let long = "Content-Length: 99999999999999\r\n";
        check(long, &["read a message: a message is too long: \"Content-Length: 99999999999999\\r\\n\""]);
        let [told] = &shown("x".repeat(9000).as_bytes())[..] else { panic!("it goes on") };
        assert!(told.starts_with("read a message: a header's line is too long"), "{told}");
    }

    proptest! {
        #[test]
        fn garbage_is_survived(bytes: Vec<u8>) {
            shown(&bytes);
        }
    }
}
