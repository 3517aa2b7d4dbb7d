//! One end of a connection, message by message: for whoever has to hold messages back.

use std::io;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, BufWriter,
    ReadHalf, WriteHalf, split,
};

/// A message's kind, and the bytes of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    pub(crate) length: usize,
}

/// A connection whose messages are read and written one by one.
pub(crate) struct Wire<S> {
    reader: BufReader<ReadHalf<S>>,
    writer: BufWriter<WriteHalf<S>>,
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        let (reader, writer) = split(stream);
        Self { reader: BufReader::new(reader), writer: BufWriter::new(writer) }
    }

    /// Waits for something to read; false at the connection's end. Can be given up and asked again.
    pub(crate) async fn has_more(&mut self) -> io::Result<bool> {
        Ok(!self.reader.fill_buf().await?.is_empty())
    }

    /// The next message's beginning.
    ///
    /// # Errors
    /// When the connection breaks or ends, or the length is none.
    pub(crate) async fn header(&mut self) -> io::Result<Header> {
        let tag = self.reader.read_u8().await?;
        let length = self.reader.read_u32().await? as usize;
        match length.checked_sub(4) {
            Some(length) => Ok(Header { tag, length }),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a message said that it is shorter than its length",
            )),
        }
    }

    /// The first packet of a connection, which has no kind, without its length.
    pub(crate) async fn startup(&mut self) -> io::Result<Vec<u8>> {
        let length = (self.reader.read_u32().await? as usize).saturating_sub(4);
        self.body(Header { tag: 0, length }).await
    }

    /// The body of the message whose beginning was read.
    pub(crate) async fn body(&mut self, header: Header) -> io::Result<Vec<u8>> {
        // Not all at once: the length may be a lie.
        let mut body = Vec::new();
        let read = (&mut self.reader).take(header.length as u64).read_to_end(&mut body).await?;
        if read < header.length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(body) }
    }

    /// A whole message.
    pub(crate) async fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let header = self.header().await?;
        Ok((header.tag, self.body(header).await?))
    }

    /// Passes on the message whose beginning was read, in constant memory.
    pub(crate) async fn pass<T: AsyncRead + AsyncWrite>(
        &mut self,
        header: Header,
        to: &mut Wire<T>,
    ) -> io::Result<()> {
        to.write_header(header).await?;
        let mut body = (&mut self.reader).take(header.length as u64);
        let passed = tokio::io::copy_buf(&mut body, &mut to.writer).await?;
        if passed < header.length as u64 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Writes a message; [`Self::flush`] sends it.
    pub(crate) async fn write(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        self.write_header(Header { tag, length: body.len() }).await?;
        self.writer.write_all(body).await
    }

    /// Writes bytes that hold whole messages.
    pub(crate) async fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await
    }

    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().await
    }

    async fn write_header(&mut self, header: Header) -> io::Result<()> {
        self.writer.write_u8(header.tag).await?;
        self.writer.write_u32(header.length as u32 + 4).await
    }
}

/// A message's bytes.
pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 5);
    bytes.push(tag);
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}
