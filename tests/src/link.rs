//! A network between a device and a server that the test cuts: for good, at a byte, or while it looks elsewhere.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::Duration;

/// How long a planned cut may take to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which way bytes flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the server.
    Up,
    /// To the client.
    Down,
}

/// Where a connection is to be stopped.
#[derive(Clone, Debug)]
pub struct Place {
    /// What the client must have sent on it: the beginning of a request line.
    pub request: &'static str,
    /// Which bytes count.
    pub way: Way,
    /// How many of them get through, counted from the request's first byte (up) or the answer's (down).
    pub bytes: usize,
}

/// A loopback forwarder with a stable address.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    ended: AtomicBool,
}

struct State {
    target: SocketAddr,
    up: bool,
    plan: Option<(Place, mpsc::Sender<()>)>,
    /// Both ends of what is open, to be shut.
    open: Vec<TcpStream>,
}

/// A cut that is planned: it happens once.
pub struct Planned(mpsc::Receiver<()>);

impl Planned {
    /// Waits until the connection stands still at the planned byte. The link is down from then on.
    ///
    /// # Panics
    /// When that does not happen within a minute.
    pub fn wait(self) {
        if let Err(error) = self.0.recv_timeout(PATIENCE) {
            panic!("the planned cut did not happen: {error}");
        }
    }

    /// Whether it has happened.
    #[must_use]
    pub fn happened(&self) -> bool {
        self.0.try_recv().is_ok()
    }
}

impl Link {
    /// A link to `target`, open.
    ///
    /// # Panics
    /// When there is no loopback network.
    #[must_use]
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("its address");
        let state = State {
            target,
            up: true,
            plan: None,
            open: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads to another address from now on (a server that was started again).
    pub fn lead_to(&self, target: SocketAddr) {
        self.shared.lock().target = target;
    }

    /// Takes the network away: what is open breaks, what is new is refused.
    pub fn cut(&self) {
        self.shared.take_down();
    }

    /// Gives the network back.
    pub fn restore(&self) {
        let mut state = self.shared.lock();
        state.up = true;
        state.plan = None;
    }

    /// Plans a stop: at that place the connection stands still, and the link is down for everybody else. The client
    /// notices at [`Link::cut`].
    #[must_use]
    pub fn stop_at(&self, place: Place) -> Planned {
        let (send, receive) = mpsc::channel();
        self.shared.lock().plan = Some((place, send));
        Planned(receive)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.take_down();
        // Wakes the accepting thread, so that it ends.
        let _refused = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no thread of the link has panicked")
    }

    fn take_down(&self) {
        let mut state = self.lock();
        state.up = false;
        state.plan = None;
        for stream in state.open.drain(..) {
            let _gone = stream.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    /// How many bytes of a chunk that flows `way` on a connection may pass, and whether the connection stops there.
    fn admit(&self, passed: &Mutex<Passed>, way: Way, chunk: &[u8]) -> (usize, bool) {
        let mut state = self.lock();
        let mut passed = passed.lock().expect("no thread of the link has panicked");
        if passed.stopped {
            return (0, true);
        }
        let Some((place, _)) = &state.plan else {
            return (chunk.len(), false);
        };
        let counted_from = if way == Way::Up {
            passed.look(chunk, place.request)
        } else {
            0
        };
        if !passed.found || way != place.way {
            return (chunk.len(), false);
        }
        let counted = chunk.len() - counted_from;
        let left = place.bytes.saturating_sub(passed.bytes);
        if counted < left {
            passed.bytes += counted;
            return (chunk.len(), false);
        }
        passed.stopped = true;
        if let Some((_, told)) = state.plan.take() {
            state.up = false;
            let _nobody_waits = told.send(());
        }
        (counted_from + left, true)
    }

    /// Waits until the test cuts the link.
    fn stand_still(&self) {
        let state = self.lock();
        let _woken = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !state.open.is_empty());
    }
}

/// What has passed on one connection since the request that the plan names.
#[derive(Default)]
struct Passed {
    tail: Vec<u8>,
    found: bool,
    bytes: usize,
    /// The planned stop happened here: nothing more passes, either way.
    stopped: bool,
}

impl Passed {
    /// Looks for the beginning of the request; the place in `chunk` from which bytes count.
    fn look(&mut self, chunk: &[u8], request: &str) -> usize {
        if self.found {
            return 0;
        }
        let before = self.tail.len();
        self.tail.extend_from_slice(chunk);
        if let Some(at) = self
            .tail
            .windows(request.len())
            .position(|window| window == request.as_bytes())
        {
            self.found = true;
            return at.saturating_sub(before);
        }
        let excess = self.tail.len().saturating_sub(request.len());
        self.tail.drain(..excess);
        chunk.len()
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().map_while(Result::ok) {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let mut state = shared.lock();
        if !state.up {
            continue;
        }
        let Ok(server) = TcpStream::connect(state.target) else {
            continue;
        };
        let _faster = client.set_nodelay(true);
        let _faster = server.set_nodelay(true);
        let ends = [client.try_clone(), server.try_clone()];
        state.open.extend(ends.into_iter().flatten());
        drop(state);
        let passed = Arc::new(Mutex::new(Passed::default()));
        for (way, from, to) in [(Way::Up, &client, &server), (Way::Down, &server, &client)] {
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
                continue;
            };
            let (shared, passed) = (shared.clone(), passed.clone());
            thread::spawn(move || forward(&shared, &passed, way, from, to));
        }
    }
}

fn forward(
    shared: &Shared,
    passed: &Mutex<Passed>,
    way: Way,
    mut from: TcpStream,
    mut to: TcpStream,
) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let chunk = buffer.get(..count).unwrap_or_default();
        let (admitted, stops) = shared.admit(passed, way, chunk);
        if to
            .write_all(chunk.get(..admitted).unwrap_or_default())
            .is_err()
        {
            break;
        }
        if stops {
            shared.stand_still();
            break;
        }
    }
    let _gone = to.shutdown(Shutdown::Write);
    let _gone = from.shutdown(Shutdown::Read);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers `pong` to whatever comes, once a connection.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let mut buffer = [0; 1024];
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        let _gone = stream.write_all(&buffer[..count]);
                    }
                });
            }
        });
        address
    }

    fn through(link: &Link, text: &str) -> String {
        let mut stream = TcpStream::connect(link.address()).unwrap();
        let _refused = stream.write_all(text.as_bytes());
        let _refused = stream.shutdown(Shutdown::Write);
        let mut answer = String::new();
        let _broken = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn bytes_pass_until_the_link_is_cut_and_again_when_it_is_restored() {
        let link = Link::to(echo());
        assert_eq!(through(&link, "hello"), "hello");
        link.cut();
        assert_eq!(through(&link, "hello"), "");
        link.restore();
        assert_eq!(through(&link, "hello"), "hello");
    }

    #[test]
    fn a_planned_stop_lets_exactly_so_many_bytes_through() {
        for (way, bytes, expected) in [
            (Way::Up, 6, "GET /b"),
            (Way::Down, 3, "GET"),
            (Way::Down, 0, ""),
        ] {
            let link = Link::to(echo());
            let planned = link.stop_at(Place {
                request: "GET /b",
                way,
                bytes,
            });
            assert_eq!(through(&link, "GET /a"), "GET /a");
            thread::scope(|scope| {
                let client = scope.spawn(|| through(&link, "GET /bcd"));
                planned.wait();
                link.cut();
                let answer = client.join().unwrap();
                // What an echo of the request's beginning had still under way when the link was cut may be lost.
                assert!(expected.starts_with(&answer), "{way:?} {bytes}: {answer}");
            });
        }
    }
}
