//! TCP connections that notice that they are gone.
//!
//! Whoever waits for an answer sends nothing, and so never learns that the network has forgotten the connection meanwhile
//! (a modem that dialled anew, an address translator that lost its table): without asking, that costs a whole time-out. So
//! a connection that is silent asks by itself whether it is still there.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use ureq::Error;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    RustlsConnector, Transport,
};

/// Silence after which a connection asks whether it is still there. A question takes 40 bytes.
const SILENCE: Duration = Duration::from_secs(8);
/// Time between two questions. The system gives up after some (nine, on Linux), if no time-out came first.
const ASKED_EVERY: Duration = Duration::from_secs(4);

/// An agent over such connections; else as the library makes it.
pub(crate) fn agent(config: ureq::config::Config) -> ureq::Agent {
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(Watchful)
            .chain(RustlsConnector::default());
    ureq::Agent::with_parts(config, connector, DefaultResolver::default())
}

#[derive(Debug)]
struct Watchful;

impl<In: Transport> Connector<In> for Watchful {
    type Out = Either<In, Connection>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if chained.is_some() {
            return Ok(chained.map(Either::A));
        }
        let mut failed = Error::HostNotFound;
        let mut left = details.addrs.len();
        for address in &details.addrs {
            // Each of several addresses has its share of what is left.
            let shares = u32::try_from(left.max(1)).unwrap_or(u32::MAX);
            left = left.saturating_sub(1);
            let opened = match details.timeout.not_zero() {
                Some(time) => TcpStream::connect_timeout(address, *time / shares),
                None => TcpStream::connect(address),
            };
            match opened {
                Ok(stream) => return Ok(Some(Either::B(Connection::over(stream, details)?))),
                Err(error) => failed = named(error, details.timeout),
            }
        }
        Err(failed)
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Connection {
    fn over(stream: TcpStream, details: &ConnectionDetails<'_>) -> Result<Self, Error> {
        stream.set_nodelay(details.config.no_delay())?;
        watch(&stream)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Self { stream, buffers })
    }
}

fn watch(stream: &TcpStream) -> std::io::Result<()> {
    let asks = TcpKeepalive::new()
        .with_time(SILENCE)
        .with_interval(ASKED_EVERY);
    SockRef::from(stream).set_tcp_keepalive(&asks)
}

/// What ran out of time says so, under whichever name the system has for it.
fn named(error: std::io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let time = timeout.not_zero().map(|time| *time);
        self.stream.set_write_timeout(time)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let written = self.stream.write_all(output);
        written.map_err(|error| named(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let time = timeout.not_zero().map(|time| *time);
        self.stream.set_read_timeout(time)?;
        let read = loop {
            match self.stream.read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(|error| named(error, timeout))?,
            }
        };
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// Nothing may have come on a connection that rests, not even its end.
    fn is_open(&mut self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let seen = self.stream.peek(&mut [0]);
        let rests = seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        rests && self.stream.set_nonblocking(false).is_ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_connection_that_is_silent_asks_whether_it_is_still_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = SockRef::from(&stream);
        assert!(!socket.keepalive().unwrap());
        watch(&stream).unwrap();
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), SILENCE);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), ASKED_EVERY);
    }

    #[test]
    fn a_connection_rests_until_something_comes_or_its_other_end_goes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        for leaves in [false, true] {
            let stream = TcpStream::connect(address).unwrap();
            let (mut other, _) = listener.accept().unwrap();
            let mut connection = Connection {
                stream,
                buffers: LazyBuffers::new(16, 16),
            };
            assert!(connection.is_open());
            match leaves {
                true => drop(other),
                false => other.write_all(b"unasked").unwrap(),
            }
            // It has come, or gone, once it can be waited for.
            connection.stream.peek(&mut [0]).unwrap();
            assert!(!connection.is_open(), "{leaves}");
        }
    }
}
