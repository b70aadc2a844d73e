//! A first read of a scope: in its own order, cut anywhere, gone on with, whatever changes meanwhile.

use std::collections::BTreeSet;

use hazardloop_domain::ids::{EnterpriseId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::memory::{DomainRules, MemoryHub, Place};
use super::*;
use crate::digest::DigestKey;
use crate::wire::{
    Bytes, Checkpoint, ClosedWindow, PROTOCOL_MAX, Page, PullRequest, PullResponse, Record,
    RecordKind, Scope, ScopeCursor, ScopeUpdate, SectorName, WireLimits,
};

const KEY: DigestKey = DigestKey([5; 16]);
const ME: PersonId = PersonId(Uuid::from_u128(1));
const INSTALL: InstallId = InstallId(Uuid::from_u128(9));
const TOWN: Scope = Scope::Jurisdiction(JurisdictionId(Uuid::from_u128(3)));

fn at(ms: i64) -> Option<Timestamp> {
    Some(Timestamp::from_millis(ms))
}

fn place(settled_at: Option<Timestamp>, position: u64) -> FirstPlace<Place> {
    FirstPlace {
        settled_at,
        position: Place(position),
    }
}

#[test]
fn open_work_comes_before_what_came_to_its_end_and_of_that_the_newest() {
    let mut rows = [
        place(at(7), 2),
        place(None, 8),
        place(at(9), 1),
        place(None, 3),
        place(at(7), 4),
    ];
    rows.sort_unstable();
    let order: Vec<u64> = rows.iter().map(|row| row.position.0).collect();
    assert_eq!(order, [3, 8, 1, 4, 2]);
}

#[test]
fn the_most_personal_scope_is_read_first_and_reference_data_last() {
    let town = JurisdictionId(Uuid::from_u128(3));
    let sector = SectorName::new("town-gas").unwrap();
    let personal_first = [
        Scope::Person(ME),
        Scope::Tasks(ME, town, None),
        Scope::Tasks(ME, town, Some(sector)),
        Scope::OwnReports(ME),
        Scope::Enterprise(EnterpriseId(Uuid::from_u128(2))),
        TOWN,
        Scope::JurisdictionSector(town, sector),
        Scope::Catalog,
    ];
    let request = PullRequest {
        protocol: PROTOCOL_MAX,
        install_id: INSTALL,
        epoch: None,
        scopes: Vec::new(),
        max_records: None,
    };
    let limits = WireLimits::default();
    let reader = Reader {
        granted: BTreeSet::from_iter(personal_first.iter().rev().copied()),
        epoch: "one",
        reached: Place(5),
        unreached: Place(6),
        limits: &limits,
    };
    let mut pull = Pull::begin(&request, reader);
    let mut asked = Vec::new();
    while let PullStep::First { scope, .. } | PullStep::Sum(scope) = pull.step() {
        match pull.step() {
            PullStep::Sum(_) => pull.handle_sum(Some(Checkpoint::EMPTY)).unwrap(),
            _ => {
                asked.push(scope);
                pull.handle_first(Vec::new()).unwrap();
            }
        }
    }
    assert_eq!(asked, personal_first);
}

/// A hub in memory whose town everybody holds, and nothing else.
#[derive(Clone, Copy, Debug)]
struct HoldsTheTown;

impl memory::Rules for HoldsTheTown {
    fn decide(
        &mut self,
        tables: &mut memory::Tables,
        sender: &memory::Sender,
        opened: &crate::wire::Opened,
    ) -> Decision {
        DomainRules.decide(tables, sender, opened)
    }

    fn granted(&self, _: &memory::Tables, _: PersonId, _: Timestamp) -> BTreeSet<Scope> {
        BTreeSet::from([TOWN])
    }
}

type Hub = MemoryHub<HoldsTheTown>;

fn record(number: u128, version: i64) -> Record {
    Record {
        kind: RecordKind::Hazard,
        id: Uuid::from_u128(number),
        version,
        body: Bytes(vec![7; 20]),
    }
}

/// So many records, of which the odd ones came to their end, the later the greater their number.
fn hub(records: u128) -> Hub {
    let mut hub = MemoryHub::new("one", KEY, HoldsTheTown);
    hub.tables.enrol(INSTALL, ME, vec![0; 32]);
    for number in 1..=records {
        if number % 2 == 1 {
            let ended = Timestamp::from_millis(i64::try_from(number).unwrap());
            hub.tables
                .settle(RecordKind::Hazard, Uuid::from_u128(number), ended);
        }
        hub.tables.put(TOWN, record(number, 1));
    }
    hub
}

/// What a device holds of the town, staged or shown.
#[derive(Clone, Default)]
struct Held {
    cursor: Option<Bytes>,
    rows: std::collections::BTreeMap<Uuid, i64>,
    checkpoint: Option<Checkpoint>,
    /// In the order in which they came.
    came: Vec<Uuid>,
    rows_told: Vec<Option<u64>>,
}

impl Held {
    fn ask(&self, hub: &Hub, most: u32) -> PullResponse {
        let held = self.cursor.clone().map(|cursor| ScopeCursor {
            scope: TOWN,
            cursor: Some(cursor),
            checkpoint: self.checkpoint,
        });
        let request = PullRequest {
            protocol: PROTOCOL_MAX,
            install_id: INSTALL,
            epoch: Some("one".to_owned()),
            scopes: held.into_iter().collect(),
            max_records: Some(most),
        };
        hub.pull(ME, &request, Timestamp::from_millis(0)).unwrap()
    }

    fn take(&mut self, answer: PullResponse) -> bool {
        for answer in answer.answers {
            let ScopeUpdate::Page(page) = answer.update else {
                panic!("dropped")
            };
            self.take_page(page);
        }
        answer.more
    }

    fn take_page(&mut self, page: Page) {
        if page.reset.is_some() {
            self.rows.clear();
            self.came.clear();
        }
        for record in page.records {
            self.came.push(record.id);
            self.rows.insert(record.id, record.version);
        }
        for gone in page.removals {
            self.rows.remove(&gone.id);
        }
        self.cursor = Some(page.cursor);
        self.checkpoint = page.checkpoint;
        self.rows_told
            .push(page.extent.and_then(|extent| extent.rows));
    }

    fn is_as(&self, hub: &Hub) -> bool {
        let key = |(_, id): &(RecordKind, Uuid)| *id;
        let rows = hub.tables.scopes[&TOWN].rows.iter();
        let given = rows.filter_map(|(id, row)| Some((key(id), row.given()?.version)));
        self.rows == given.collect() && self.checkpoint == Some(hub.sum(TOWN))
    }
}

#[test]
fn a_page_is_said_to_be_one_of_so_many_rows_until_the_last() {
    let hub = hub(9);
    let mut held = Held::default();
    while held.take(held.ask(&hub, 4)) {}
    assert_eq!(held.rows_told, [Some(9), Some(9), None]);
    let numbers: Vec<u128> = held.came.iter().map(|id| id.as_u128()).collect();
    assert_eq!(numbers, [2, 4, 6, 8, 9, 7, 5, 3, 1]);
    assert!(held.is_as(&hub));
    assert!(held.ask(&hub, 4).answers.is_empty(), "nothing is new");
}

#[test]
fn what_a_scope_no_longer_holds_costs_a_first_read_nothing() {
    let mut hub = hub(40);
    for number in 3..=40 {
        hub.tables
            .remove(TOWN, RecordKind::Hazard, Uuid::from_u128(number));
    }
    let mut held = Held::default();
    assert!(!held.take(held.ask(&hub, 4)), "one page");
    assert_eq!(held.rows.len(), 2);
    assert!(held.is_as(&hub));
}

/// Cut at every page, with changes of every kind in between, and with removals forgotten by the store: the page that
/// was cut is all that is sent again, and what is held in the end is what the hub gives out.
#[test]
fn a_first_read_is_gone_on_with_after_any_page_whatever_changes_in_between() {
    for cut in 0..7 {
        for forgets in [false, true] {
            let mut hub = hub(12);
            hub.tables.window = Some(memory::Window {
                closed_days: 0,
                closed_bytes: 0,
            });
            let mut held = Held::default();
            let mut pages = 0;
            let mut again = 0;
            loop {
                let answer = held.ask(&hub, 2);
                if pages == cut && again == 0 {
                    // It never arrives. Meanwhile one changes, one leaves, one comes, and the window closes on all
                    // that came to its end.
                    again += 1;
                    assert_eq!(answer.answers, held.ask(&hub, 2).answers, "the same page");
                    hub.tables.put(TOWN, record(2, 2));
                    hub.tables
                        .remove(TOWN, RecordKind::Hazard, Uuid::from_u128(4));
                    hub.tables.put(TOWN, record(100, 1));
                    hub.tables.keep_windows(Timestamp::from_millis(1_000));
                    if forgets {
                        hub.tables.forget_removals(TOWN);
                    }
                    continue;
                }
                pages += 1;
                if !held.take(answer) {
                    break;
                }
                assert!(pages < 40, "it comes to an end");
            }
            // Once more where everything had arrived before the cut.
            while held.take(held.ask(&hub, 2)) {}
            assert!(held.is_as(&hub), "cut at {cut}, {forgets}: {:?}", held.rows);
        }
    }
}

#[test]
fn a_cursor_that_was_tampered_with_reads_nothing_that_is_not_given_out_and_breaks_nothing() {
    let hub = hub(9);
    let mut held = Held::default();
    held.take(held.ask(&hub, 2));
    let cursor = held.cursor.clone().unwrap().0;
    for bit in 0..cursor.len() * 8 {
        let mut forged = cursor.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let mut held = Held {
            cursor: Some(Bytes(forged)),
            ..Held::default()
        };
        let mut pages = 0;
        while held.take(held.ask(&hub, 2)) {
            pages += 1;
            assert!(pages < 40, "it comes to an end");
        }
        let known = |id: &Uuid| (1..=9).contains(&id.as_u128());
        assert!(held.rows.keys().all(known));
    }
}

#[test]
fn what_the_window_leaves_out_is_told_with_the_checkpoint() {
    let mut hub = hub(9);
    hub.tables.window = Some(memory::Window {
        closed_days: 3,
        closed_bytes: 40,
    });
    hub.tables.keep_windows(Timestamp::from_millis(100));
    let mut held = Held::default();
    let answer = held.ask(&hub, 100);
    let ScopeUpdate::Page(page) = &answer.answers[0].update else {
        panic!("dropped")
    };
    let window = page.extent.and_then(|extent| extent.window);
    let expected = ClosedWindow {
        closed_days: 3,
        closed_bytes: 40,
        complete_after: at(5),
    };
    assert_eq!(window, Some(expected));
    held.take(answer);
    let numbers: Vec<u128> = held.came.iter().map(|id| id.as_u128()).collect();
    assert_eq!(numbers, [2, 4, 6, 8, 9, 7], "two of 20 bytes, the newest");
}
