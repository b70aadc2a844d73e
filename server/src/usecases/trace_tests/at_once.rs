//! The requests of a trace all at once: each device in its own order, by a task and over connections of its own, with
//! transactions that stay open across others' commits, and readers that pull all the while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hazardloop_domain::ids::{EnterpriseId, PersonId};
use hazardloop_simulation::cast;
use hazardloop_simulation::trace::{Event, Heard, Trace};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::reader::Reader;
use super::replay::{Cursors, Said, ask, sender};
use super::stage;
use crate::app::App;
use crate::failure::Failure;
use crate::store::DbOptions;
use crate::test_support::{TestServer, firm_of};
use crate::usecases::enterprises;

/// So many requests are answered while a transaction stays open.
const HELD_FOR: usize = 6;

/// Times that a device sends a request: a push may give way to others.
const TRIES: usize = 100;

/// How many requests were answered by now.
type Answered = watch::Sender<usize>;

/// Connections of one task alone. On a busy machine a transaction may be held for long.
pub(super) fn own_connections() -> DbOptions {
    DbOptions {
        readers: 1,
        writers: 1,
        idle_in_transaction_timeout: Duration::from_secs(120),
        ..DbOptions::default()
    }
}

/// What all tasks share.
#[derive(Clone)]
struct Field {
    answered: Arc<Answered>,
    /// Requests of the whole trace.
    total: usize,
    now: Arc<AtomicI64>,
}

impl Field {
    /// Time goes on, and for nobody back.
    fn advance(&self, heard: &Heard) {
        self.now.fetch_max(heard.at.as_millis(), Ordering::SeqCst);
    }
}

/// Plays a trace at once, and answers the readers once everything has ended.
pub(super) async fn play(server: &TestServer, trace: &Trace, readers: Vec<Reader>) -> Vec<Reader> {
    let mut of_devices: BTreeMap<PersonId, Vec<Heard>> = BTreeMap::new();
    let mut of_hub = Vec::new();
    let mut total = 0;
    for heard in &trace.heard {
        match sender(&heard.what) {
            Some(by) => {
                of_devices.entry(by).or_default().push(heard.clone());
                total += 1;
            }
            // Whoever sends first is not known here.
            None if matches!(heard.what, Event::Enrolled { .. }) => {
                stage::happen(&server.app, &heard.what, None).await;
            }
            None => of_hub.push((total, heard.clone())),
        }
    }
    let field = Field {
        answered: Arc::new(watch::channel(0).0),
        total,
        now: server.hand(),
    };
    let mut reading = JoinSet::new();
    for reader in readers {
        reading.spawn(read_on(reader, field.answered.subscribe()));
    }
    let mut working = JoinSet::new();
    working.spawn(happen_in_turn(field.clone(), server.app.clone(), of_hub));
    let beside = server.beside_with(own_connections()).await;
    working.spawn(hold_open(field.clone(), beside));
    for heard in of_devices.into_values() {
        let beside = server.beside_with(own_connections()).await;
        working.spawn(send_all(field.clone(), beside, heard));
    }
    drop(field);
    while let Some(ended) = working.join_next().await {
        ended.unwrap();
    }
    reading.join_all().await
}

/// One device: its requests in their order.
async fn send_all(field: Field, app: App, heard: Vec<Heard>) {
    let mut cursors = Cursors::default();
    for heard in heard {
        field.advance(&heard);
        let taken = match &heard.what {
            Event::Push { answer, .. } => answer.is_some(),
            Event::Pull { answer, .. } => answer.is_some(),
            _ => false,
        };
        for tried in 1.. {
            match ask(&app, &heard.what, &mut cursors, |_| true).await {
                Some(Said::Push(Err(why)) | Said::Pull(Err(why))) if taken => {
                    assert!(tried < TRIES, "{why}");
                }
                _ => break,
            }
        }
        field.answered.send_modify(|answered| *answered += 1);
    }
}

/// What happens to the hub, each about when it did.
async fn happen_in_turn(field: Field, app: App, events: Vec<(usize, Heard)>) {
    let mut answered = field.answered.subscribe();
    for (before, heard) in events {
        // The sender is this task's own.
        answered.wait_for(|done| *done >= before).await.unwrap();
        field.advance(&heard);
        stage::happen(&app, &heard.what, None).await;
        field.answered.send_modify(|_| ());
    }
}

/// One transaction after the other is given its number, stays open while others commit under later ones, and only then
/// writes what all readers of a town and of the district are to be told.
async fn hold_open(field: Field, app: App) {
    let handle = Handle::current();
    let answered = field.answered.subscribe();
    let mut number = 0;
    while *answered.borrow() < field.total {
        number += 1;
        let (handle, answered, total) = (handle.clone(), answered.clone(), field.total);
        let (key, now) = (app.digest_key, app.clock.now());
        let late = app.db.write(move |tx| {
            tx.number()?;
            let mut answered = answered.clone();
            let enough = total.min(*answered.borrow() + HELD_FOR);
            // Where it cannot be waited for, a task has failed: that is said there.
            let _gone = handle.block_on(answered.wait_for(|done| *done >= enough));
            let town = cast::town(usize::try_from(number).unwrap_or(0));
            let firm = firm_of(late_firm(number).0, town, "industry-and-trade".to_owned());
            enterprises::register(tx, &key, &firm, None, now)?;
            Ok::<_, Failure>(())
        });
        late.await.unwrap();
        field.answered.send_modify(|_| ());
    }
}

/// The enterprises that are registered late.
pub(super) fn late_firm(number: u32) -> EnterpriseId {
    EnterpriseId(Uuid::from_u128(
        0x019a_b000_0001_7000_8000 << 48 | u128::from(number),
    ))
}

/// One reader, until nobody works any more.
async fn read_on(mut reader: Reader, mut answered: watch::Receiver<usize>) -> Reader {
    loop {
        answered.mark_unchanged();
        let more = reader.pull().await;
        if !more && answered.changed().await.is_err() {
            return reader;
        }
        if answered.has_changed().is_err() {
            return reader;
        }
    }
}
