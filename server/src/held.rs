//! What a request holds until all the work that it began is over.
//!
//! Whoever hangs up ends their request, but not the work that waits in the queue of the database or runs on the blocking
//! pool: that goes on to its end. If a turn ended with the request, somebody who asks and hangs up again and again could
//! have any amount of work begun. So what a request holds goes with each piece of its work, and is let go with the last.

use std::any::Any;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;

tokio::task_local! {
    static CURRENT: Held;
}

/// What is held. All clones hold the same, until the last of them is dropped.
#[derive(Clone, Default)]
pub struct Held(Arc<Mutex<Vec<Box<dyn Any + Send>>>>);

impl Held {
    /// Holds `what` too.
    pub fn keep(&self, what: impl Any + Send) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Box::new(what));
    }
}

/// Runs `future`; the work that it begins by [`blocking`], or in the database, takes `held` along.
pub async fn during<F: Future>(held: Held, future: F) -> F::Output {
    CURRENT.scope(held, future).await
}

/// What is held where this is called: by the request whose handler calls it, if there is one.
pub fn current() -> Option<Held> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs `work` on the blocking pool. What is held here is held until it is over, whoever has stopped waiting for it.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where it is wrapped"
)]
pub fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let held = current();
    tokio::task::spawn_blocking(move || {
        let _held = held;
        work()
    })
}

/// Runs `work` as a task of its own, which goes on when nobody waits for it any more. What is held here is held until then.
pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let held = current().unwrap_or_default();
    tokio::spawn(during(held, work))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;
    use crate::test_support::{TestServer, on_each_database};
    use tokio::sync::{mpsc, oneshot};

    /// Tells when it is dropped.
    struct Told(#[allow(dead_code, reason = "dropping it tells")] mpsc::Sender<()>);

    fn told() -> (Held, mpsc::Receiver<()>) {
        let (tell, hear) = mpsc::channel(1);
        let held = Held::default();
        held.keep(Told(tell));
        (held, hear)
    }

    /// Work that says when it has begun, and ends when it is told to.
    struct Gate {
        begun: oneshot::Receiver<()>,
        end: std::sync::mpsc::Sender<()>,
    }

    fn gate() -> (Gate, impl FnMut() + Send + 'static) {
        let ((begin, begun), (end, ended)) = (oneshot::channel(), std::sync::mpsc::channel());
        let mut begin = Some(begin);
        let work = move || {
            if let Some(begin) = begin.take() {
                begin.send(()).unwrap();
            }
            ended.recv().unwrap();
        };
        (Gate { begun, end }, work)
    }

    /// Waits until `work` has begun, hangs up, and looks whether what it held is held until it has ended.
    async fn outlives_its_request<T>(gate: Gate, work: impl Future<Output = T>) {
        let (held, mut hear) = told();
        {
            let request = std::pin::pin!(during(held, work));
            tokio::select! {
                _ended = request => panic!("it ended before it was told to"),
                begun = gate.begun => begun.unwrap(),
            }
        }
        assert_eq!(hear.try_recv(), Err(mpsc::error::TryRecvError::Empty));
        gate.end.send(()).unwrap();
        assert_eq!(hear.recv().await, None);
    }

    #[test]
    fn what_a_request_holds_is_held_while_its_work_goes_on() {
        on_each_database(async |server: TestServer| {
            let db = server.app.db.clone();
            let (writing, mut work) = gate();
            let write = db.write(move |_| {
                work();
                Ok::<_, StoreError>(())
            });
            outlives_its_request(writing, write).await;

            let (reading, mut work) = gate();
            let read = db.read(move |_| {
                work();
                Ok::<_, StoreError>(())
            });
            outlives_its_request(reading, read).await;

            let (computing, work) = gate();
            let compute = async move { blocking(work).await.unwrap() };
            outlives_its_request(computing, compute).await;

            let (going_on, work) = gate();
            let go_on = async move {
                let task = spawn(async move { blocking(work).await.unwrap() });
                task.await.unwrap();
            };
            outlives_its_request(going_on, go_on).await;
        });
    }

    #[test]
    fn it_is_let_go_before_the_answer_is_told() {
        on_each_database(async |server: TestServer| {
            for _ in 0..20 {
                let (held, mut hear) = told();
                let written = server.app.db.write(|_| Ok::<_, StoreError>(()));
                during(held, written).await.unwrap();
                assert_eq!(
                    hear.try_recv(),
                    Err(mpsc::error::TryRecvError::Disconnected)
                );
            }
        });
    }
}
