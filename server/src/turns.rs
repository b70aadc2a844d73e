//! Turns: whoever asks for much waits behind their own requests, not others behind theirs.
//!
//! The database and the cores serve requests in the order in which they come. A device that sends a thousand at once
//! would hold up everybody for as long as those take; so only a few of one person's requests are worked on at a time,
//! and the rest wait in a line of that person's own. Nobody is refused for what others do.
//!
//! Whoever waits has not sent more than the buffers of a connection hold, for a body is read when its turn has come. A turn
//! ends with the last work that its request began (see `held`), not when whoever asked hangs up.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hazardloop_domain::ids::{InstallId, PersonId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::usecases::sign_in::attempts::SourceNetwork;

/// Seconds after which whoever found the line full may ask again.
const ASK_AGAIN_AFTER_S: u64 = 1;

/// The lines of a server. A request stands in that of its session first and then in that of its person, a push or pull
/// besides in that of its device: whoever has one token of a person (a phone that was lost) takes half of that person's
/// turns at most.
pub struct Turns {
    sessions: Line<Uuid>,
    people: Line<PersonId>,
    devices: Line<InstallId>,
    offers: Line<SourceNetwork>,
}

/// The turn of a request.
#[must_use]
pub struct RequestTurn {
    _session: Turn<Uuid>,
    _person: Turn<PersonId>,
}

impl Turns {
    /// As the settings say.
    pub fn new(settings: &Settings) -> Self {
        let (http, syncs) = (&settings.http, settings.sync.syncs_at_once);
        let (at_once, waiting) = (http.requests_at_once, http.requests_waiting);
        Self {
            sessions: Line::new(at_once, waiting),
            people: Line::new(at_once.saturating_mul(2), at_once.saturating_mul(2)),
            // As many as a session has turns for may wait: whoever is told to come again at once costs more than
            // whoever waits.
            devices: Line::new(syncs, at_once),
            offers: Line::new(syncs, at_once),
        }
    }

    /// The turn of a request of any kind.
    ///
    /// # Errors
    /// [`Failure::RateLimited`] where more than may wait would.
    pub async fn request(&self, session: Uuid, person: PersonId) -> Result<RequestTurn, Failure> {
        let session = self.sessions.turn(&session).await?;
        Ok(RequestTurn {
            _session: session,
            _person: self.people.turn(&person).await?,
        })
    }

    /// The turn of a push or pull, which has its turn as a request already: the most work for the fewest bytes.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn sync(&self, device: InstallId) -> Result<Turn<InstallId>, Failure> {
        self.devices.turn(&device).await
    }

    /// The turn of an offer, which nobody has signed in for: whoever makes many waits behind their own.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub async fn offer(&self, from: SourceNetwork) -> Result<Turn<SourceNetwork>, Failure> {
        self.offers.turn(&from).await
    }
}

/// One line a key. Memory: an entry for each key of which something is worked on or waits.
pub struct Line<K: Eq + Hash>(Arc<Keys<K>>);

struct Keys<K: Eq + Hash> {
    at_once: usize,
    waiting: usize,
    lines: Mutex<HashMap<K, Places>>,
}

struct Places {
    turns: Arc<Semaphore>,
    /// Who has a turn or waits for one.
    members: usize,
}

/// A turn. It ends when this is dropped; what holds it is `held::Held`.
#[must_use]
pub struct Turn<K: Eq + Hash> {
    // In this order: the turn is free before its line may be forgotten.
    _turn: OwnedSemaphorePermit,
    _member: Member<K>,
}

/// A place in a line, given up when this is dropped, wherever the wait was broken off.
struct Member<K: Eq + Hash> {
    keys: Arc<Keys<K>>,
    key: Option<K>,
}

impl<K: Eq + Hash + Clone> Line<K> {
    /// `at_once` turns a key at a time (at least one), and so many that wait for theirs.
    pub fn new(at_once: usize, waiting: usize) -> Self {
        Self(Arc::new(Keys {
            at_once: at_once.clamp(1, Semaphore::MAX_PERMITS),
            waiting,
            lines: Mutex::default(),
        }))
    }

    /// Waits for a turn of `key`, behind those of the same key who came before.
    ///
    /// # Errors
    /// [`Failure::RateLimited`] where more than may wait would.
    pub async fn turn(&self, key: &K) -> Result<Turn<K>, Failure> {
        let (turns, member) = self.join(key)?;
        let turn = turns.acquire_owned().await;
        let turn = turn.map_err(|_closed| Failure::Internal("a line is closed".to_owned()))?;
        Ok(Turn {
            _turn: turn,
            _member: member,
        })
    }

    fn join(&self, key: &K) -> Result<(Arc<Semaphore>, Member<K>), Failure> {
        let keys = &self.0;
        let mut lines = keys.locked();
        let places = lines.entry(key.clone()).or_insert_with(|| Places {
            turns: Arc::new(Semaphore::new(keys.at_once)),
            members: 0,
        });
        if places.members >= keys.at_once.saturating_add(keys.waiting) {
            return Err(Failure::RateLimited {
                retry_after_s: ASK_AGAIN_AFTER_S,
            });
        }
        places.members += 1;
        let member = Member {
            keys: Arc::clone(keys),
            key: Some(key.clone()),
        };
        Ok((Arc::clone(&places.turns), member))
    }

    /// Keys of which something is worked on or waits.
    #[cfg(test)]
    fn keys(&self) -> usize {
        self.0.locked().len()
    }
}

impl<K: Eq + Hash> Keys<K> {
    fn locked(&self) -> MutexGuard<'_, HashMap<K, Places>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Member<K> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut lines = self.keys.locked();
        let left = lines.get_mut(&key).map(|places| {
            places.members = places.members.saturating_sub(1);
            places.members
        });
        if left == Some(0) {
            lines.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn now<K: Eq + Hash + Clone>(line: &Line<K>, key: K) -> Option<Turn<K>> {
        match once(pin!(line.turn(&key))) {
            Poll::Ready(turn) => Some(turn.ok().unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn the_same_one_waits_for_itself_and_a_neighbour_for_nobody() {
        let line = Line::new(2, 10);
        let first = now(&line, "a").unwrap();
        let _second = now(&line, "a").unwrap();
        let mut third = pin!(line.turn(&"a"));
        assert!(once(third.as_mut()).is_pending());
        assert!(now(&line, "b").is_some());
        drop(first);
        assert!(once(third.as_mut()).is_ready());
    }

    #[test]
    fn turns_come_in_the_order_of_asking() {
        let line = Line::new(1, 10);
        let first = now(&line, "a").unwrap();
        let mut second = Box::pin(line.turn(&"a"));
        assert!(once(second.as_mut()).is_pending());
        let mut third = pin!(line.turn(&"a"));
        assert!(once(third.as_mut()).is_pending());
        drop(first);
        assert!(once(third.as_mut()).is_pending(), "the third came first");
        // Whoever gives up waiting lets the next one through.
        drop(second);
        assert!(once(third.as_mut()).is_ready());
    }

    #[test]
    fn so_many_wait_and_the_next_one_is_told_when_to_come_again() {
        let line = Line::new(1, 1);
        let _first = now(&line, "a").unwrap();
        let mut second = pin!(line.turn(&"a"));
        assert!(once(second.as_mut()).is_pending());
        let third = once(pin!(line.turn(&"a")));
        let told = Failure::RateLimited { retry_after_s: 1 };
        assert!(matches!(third, Poll::Ready(Err(failure)) if failure == told));
    }

    #[test]
    fn a_line_that_nobody_stands_in_is_forgotten() {
        let line = Line::new(1, 1);
        for key in 0..1_000 {
            assert!(now(&line, key).is_some());
        }
        let held = now(&line, 7).unwrap();
        {
            let mut waiting = pin!(line.turn(&7));
            assert!(once(waiting.as_mut()).is_pending());
        }
        assert_eq!(line.keys(), 1);
        drop(held);
        assert_eq!(line.keys(), 0);
    }
}
