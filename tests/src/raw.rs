//! HTTP/1.1 by hand, for requests that no well-behaved client sends and for measuring without a client's own cost.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection, kept between requests.
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// A status and a body.
#[derive(Debug)]
pub struct RawAnswer {
    /// HTTP status.
    pub status: u16,
    /// Status line and header fields as they came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// What the network says.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            read: Vec::new(),
        })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// What the network says.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// No more will be sent.
    ///
    /// # Errors
    /// What the network says.
    pub fn finish(&self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    /// One request with a body of known length; its answer.
    ///
    /// # Errors
    /// What the network says, or that the answer is no HTTP.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        fields: &str,
        body: &[u8],
    ) -> io::Result<RawAnswer> {
        let length = body.len();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n").into_bytes();
        request.extend_from_slice(body);
        self.send(&request)?;
        self.answer()
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk)?;
        self.read
            .extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// Reads one answer. A server that closes without one gives [`io::ErrorKind::UnexpectedEof`].
    ///
    /// # Errors
    /// What the network says, or that the answer is no HTTP.
    pub fn answer(&mut self) -> io::Result<RawAnswer> {
        let end = loop {
            if let Some(at) = self
                .read
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break at + 4;
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        let head = String::from_utf8(head).map_err(|_| broken("the head is not text"))?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| broken("no status"))?;
        let field = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        if field("transfer-encoding").is_some() {
            let body = self.chunks()?;
            return Ok(RawAnswer { status, head, body });
        }
        let length: usize = field("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        while self.read.len() < length {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let body = self.read.drain(..length).collect();
        Ok(RawAnswer { status, head, body })
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = self.read.windows(2).position(|window| window == b"\r\n") {
                    break at;
                }
                if self.fill()? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            };
            let line: Vec<u8> = self.read.drain(..end + 2).collect();
            let size = String::from_utf8_lossy(&line);
            let size =
                usize::from_str_radix(size.trim(), 16).map_err(|_| broken("no chunk size"))?;
            while self.read.len() < size + 2 {
                if self.fill()? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let chunk: Vec<u8> = self.read.drain(..size + 2).collect();
            body.extend_from_slice(chunk.get(..size).unwrap_or_default());
            if size == 0 {
                return Ok(body);
            }
        }
    }
}
