//! What the simulator's devices really sent, replayed against the server on both databases. Invariant 20: one request
//! after the other, both say the same, and receipts as the simulated hub gave them. Invariant 10: all devices at once
//! on PostgreSQL, where commits do not come in the order of their transactions, no cursor passes what its reader was
//! not given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::mpsc;

use hazardloop_simulation::cast;
use hazardloop_simulation::schedule::Schedule;
use hazardloop_simulation::trace::{Event, Trace, record};
use hazardloop_sync_protocol::wire::{
    Outcome, PushResponse, PushResult, QuarantineReason, ResetReason, ScopeUpdate,
};
use hazardloop_tests::{TestDatabase, setting};

use self::at_once::{late_firm, own_connections};
use self::reader::Reader;
use self::replay::{Cursors, Said, ask};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Position, WriteTx};
use crate::test_support::{TestServer, firm_of};
use crate::usecases::enterprises;

mod at_once;
mod reader;
mod replay;
mod stage;

/// Schedules that each test plays at least, from which seed on, and steps of each: such that all that is looked for at
/// the end happens in them.
const SEEDS: u64 = 3;
const FIRST_SEED: u64 = 13;
const STEPS: u64 = 240;

/// Steps of each schedule in a long run.
const STEPS_OF_SOAK: u64 = 600;

/// Plays schedule after schedule, in `make soak` for SOAK_SECONDS from SOAK_SEED on; SOAK_STEPS: of another length.
fn for_each_trace(mut play: impl FnMut(u64, &Trace)) {
    let first = setting("SOAK_SEED").unwrap_or(FIRST_SEED);
    let seconds = setting("SOAK_SECONDS");
    let steps = setting("SOAK_STEPS");
    let steps = steps.unwrap_or_else(|| seconds.map_or(STEPS, |_| STEPS_OF_SOAK));
    #[allow(
        clippy::disallowed_methods,
        reason = "how long to go on is measured in real time"
    )]
    let began = std::time::Instant::now();
    for played in 0.. {
        if played >= SEEDS && began.elapsed().as_secs() >= seconds.unwrap_or(0) {
            println!("{played} traces of {steps} steps");
            return;
        }
        let seed = first.wrapping_add(played);
        let trace = record(&Schedule::of(seed, usize::try_from(steps).unwrap()));
        assert!(!trace.cut, "seed {seed}");
        println!("seed {seed}: {} events", trace.heard.len());
        play(seed, &trace);
    }
}

/// A server with the simulator's cast.
fn on<F: Future<Output = ()>>(database: &TestDatabase, test: impl FnOnce(TestServer) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = TestServer::start_with(database.url(), stage::set).await;
        stage::build(&server).await;
        test(server).await;
    });
}

/// One request after the other, at the times of the trace. `like`: what another database said.
async fn one_by_one(
    server: &TestServer,
    trace: &Trace,
    like: Option<&[Option<Said>]>,
) -> Vec<Option<Said>> {
    let (app, mut cursors, mut all) = (&server.app, Cursors::default(), Vec::new());
    for (place, heard) in trace.heard.iter().enumerate() {
        server.set_now(heard.at);
        // Nobody else writes: all there is may be forgotten.
        stage::happen(app, &heard.what, Some(Position::END)).await;
        let expected = like.and_then(|like| like[place].as_ref());
        let enough =
            |said: &Said| expected.is_none_or(|like| said.clone().without_cursors() == *like);
        let said = ask(app, &heard.what, &mut cursors, enough).await;
        all.push(said.map(Said::without_cursors));
    }
    all
}

/// What the server's answers to pushes and those of the simulated hub differ in, where they should not.
fn unlike(trace: &Trace, said: &[Option<Said>], seen: &mut Seen) -> Vec<String> {
    let mut found = Vec::new();
    let mut forgotten = false;
    for (place, (heard, said)) in trace.heard.iter().zip(said).enumerate() {
        forgotten |= heard.what == Event::RemovalsForgotten;
        let (Event::Push { answer, .. }, Some(Said::Push(said))) = (&heard.what, said) else {
            continue;
        };
        let same = match (answer, said) {
            (Some(theirs), Ok(ours)) => {
                let stated = |of: &PushResponse| (of.results.len(), of.last, of.expected);
                let mut results = theirs.results.iter().zip(&ours.results);
                stated(theirs) == stated(ours)
                    && results.all(|(theirs, ours)| {
                        let excused = forgotten && was_forgotten(theirs, ours);
                        if excused {
                            seen.count("forgotten");
                        }
                        theirs == ours || excused
                    })
            }
            (theirs, ours) => theirs.is_none() && ours.is_err(),
        };
        if !same {
            found.push(format!("{place}: {said:?}, not {answer:?}"));
        }
    }
    found
}

/// The one thing in which the rules of the two differ: whoever forgets a removal no longer knows who was responsible
/// before it (ADR 14). The server does, the hub in memory does not.
fn was_forgotten(theirs: &PushResult, ours: &PushResult) -> bool {
    let (PushResult::Receipt(theirs), PushResult::Receipt(ours)) = (theirs, ours) else {
        return false;
    };
    let reassigned = matches!(
        theirs.outcome,
        Outcome::Quarantined {
            reason: QuarantineReason::Reassigned,
            ..
        }
    );
    let same = (theirs.seq, theirs.received_at) == (ours.seq, ours.received_at);
    same && reassigned && matches!(ours.outcome, Outcome::Rejected { .. })
}

/// What came up, by name.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, usize>);

impl Seen {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn note(&mut self, said: &Said) {
        match said {
            Said::Push(Ok(answer)) => {
                for result in &answer.results {
                    self.count(match result {
                        PushResult::Receipt(receipt) => receipt.outcome.name(),
                        PushResult::IdReused { .. } => "id_reused",
                    });
                }
            }
            Said::Pull(Ok(answer)) => {
                for answer in &answer.answers {
                    let ScopeUpdate::Page(page) = &answer.update else {
                        self.count("drop");
                        continue;
                    };
                    if page.reset == Some(ResetReason::CursorUnknown) {
                        self.count("begun anew");
                    }
                    if !page.removals.is_empty() {
                        self.count("removal");
                    }
                    self.count("page");
                }
            }
            Said::Push(Err(_)) | Said::Pull(Err(_)) => self.count("refused"),
        }
    }
}

#[test]
fn both_databases_say_the_same_to_every_request_and_give_the_simulated_hubs_receipts() {
    let mut seen = Seen::default();
    for_each_trace(|seed, trace| {
        let mut on_sqlite = Vec::new();
        on(&TestDatabase::sqlite(), async |server| {
            on_sqlite = one_by_one(&server, trace, None).await;
        });
        on_sqlite.iter().flatten().for_each(|said| seen.note(said));
        let unlike = unlike(trace, &on_sqlite, &mut seen);
        assert_eq!(unlike, Vec::<String>::new(), "seed {seed}");
        on(&TestDatabase::postgres(), async |server| {
            let on_postgres = one_by_one(&server, trace, Some(&on_sqlite)).await;
            for (place, said) in on_postgres.iter().enumerate() {
                assert_eq!(said, &on_sqlite[place], "seed {seed}: {place}");
            }
        });
    });
    println!("{:?}", seen.0);
    for what in [
        "applied",
        "merged",
        "conflict",
        "blocked_by",
        "rejected",
        "quarantined",
        "id_reused",
        "page",
        "removal",
        "drop",
    ] {
        assert!(seen.0.contains_key(what), "no {what}");
    }
}

/// Somebody of each kind reads, and somebody who sees all of it.
async fn readers(server: &TestServer) -> Vec<Reader> {
    let mut readers = Vec::new();
    for (number, (person, most)) in (0xa0..).zip([
        (cast::person(0), 3),
        (cast::person(3), 6),
        (cast::person(4), 2),
        (stage::overseer(), 5),
    ]) {
        let beside = server.beside_with(own_connections()).await;
        readers.push(Reader::of(beside, person, number, most).await);
    }
    readers
}

#[test]
fn no_cursor_passes_a_change_while_all_devices_sync_at_once() {
    for_each_trace(|seed, trace| {
        on(&TestDatabase::postgres(), async |server| {
            let readers = readers(&server).await;
            let read = at_once::play(&server, trace, readers).await;
            for (number, mut reader) in (0xb0..).zip(read) {
                println!("{} answers meanwhile", reader.answers);
                reader.catch_up().await;
                if reader.person_id() == stage::overseer() {
                    assert!(reader.holds(late_firm(1)), "nothing was committed late");
                }
                let mut fresh = reader.anew(number).await;
                fresh.catch_up().await;
                reader.compare(&fresh);
                assert_eq!(reader.found, Vec::<String>::new(), "seed {seed}");
                assert_eq!(fresh.found, Vec::<String>::new(), "seed {seed}");
            }
        });
    });
}

/// A new enterprise in the first town, which all of the district are told of.
fn register(number: u32) -> impl Fn(&App, &mut WriteTx<'_>) -> Result<(), Failure> + Clone {
    let firm = firm_of(late_firm(number).0, cast::town(0), "工贸".to_owned());
    move |app, tx| enterprises::register(tx, &app.digest_key, &firm, None, cast::BEGIN)
}

async fn write(
    app: &App,
    work: impl Fn(&App, &mut WriteTx<'_>) -> Result<(), Failure> + Send + 'static,
) {
    let own = app.clone();
    app.db.write(move |tx| work(&own, tx)).await.unwrap();
}

#[test]
fn a_cursor_that_passes_what_is_in_flight_and_a_record_that_is_lost_are_found_out() {
    on(&TestDatabase::postgres(), async |server| {
        let app = &server.app;
        let who = stage::overseer();
        let mut sound = Reader::of(app.clone(), who, 0xa0, 50).await;
        let mut naive = sound.anew(0xa1).await;
        let mut careless = sound.anew(0xa2).await;
        for reader in [&mut sound, &mut naive, &mut careless] {
            reader.catch_up().await;
            assert_eq!(reader.found, Vec::<String>::new());
        }
        careless.lose_one();

        let (begun, has_begun) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let beside = server.beside_with(own_connections()).await;
        let early = tokio::spawn(async move {
            let late = register(1);
            write(&beside, move |app, tx| {
                tx.number()?;
                begun.send(()).unwrap();
                // Where nobody lets it go, the test has failed.
                let _gone = may_go.recv();
                late(app, tx)
            })
            .await;
        });
        tokio::task::block_in_place(|| has_begun.recv().unwrap());
        write(app, register(2)).await;
        sound.pull().await;
        naive.look_at_all().await;
        go.send(()).unwrap();
        early.await.unwrap();
        sound.catch_up().await;
        naive.look_at_all().await;
        careless.catch_up().await;

        assert_eq!(sound.found, Vec::<String>::new());
        let lost = |reader: &Reader, number| {
            let id = late_firm(number).to_string();
            reader.found.iter().any(|what| what.contains(&id))
        };
        assert!(lost(&naive, 1), "{:?}", naive.found);
        assert!(!lost(&naive, 2), "{:?}", naive.found);
        assert!(
            lost(&careless, 1) || lost(&careless, 2),
            "{:?}",
            careless.found
        );
        let in_the_end = careless.found.len();
        careless.compare(&sound);
        assert!(careless.found.len() > in_the_end, "{:?}", careless.found);
    });
}
