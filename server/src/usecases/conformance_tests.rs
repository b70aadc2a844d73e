//! The server as a hub like any other: the cases of the sync protocol's conformance suite, on both databases.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::future::Future;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::{EnterpriseId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::TimeProof;
use hazardloop_sync_protocol::conformance::hub::{HubUnderTest, NoAnswer};
use hazardloop_sync_protocol::hub_cases;
use hazardloop_sync_protocol::wire::{
    ClosedWindow, OfferRequest, OfferResponse, PullRequest, PullResponse, PushRequest, PushResponse,
};

use super::people::{self, NewPerson, Terms};
use super::{
    enterprises, forget, jurisdictions, offers, pull, push, relocate, time_proof, windows,
};
use crate::failure::Failure;
use crate::sample;
use crate::settings::{Settings, WindowSettings, Windows};
use crate::store::{access, installs};
use crate::test_support::{NOW, TestServer, firm_of, on_each_database_with, person, terms};

struct Server {
    server: TestServer,
    now: Timestamp,
    /// How often each enterprise has moved.
    moves: BTreeMap<EnterpriseId, i64>,
}

/// Waits for a use case: cases know of no runtime.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

fn refused(failure: Failure) -> NoAnswer {
    match failure {
        Failure::NotFound("device") => NoAnswer::UnknownDevice,
        Failure::Unauthenticated(_) => NoAnswer::UnknownDevice,
        Failure::DeviceRevoked => NoAnswer::Revoked,
        Failure::Conflict(_) => NoAnswer::NotRevoked,
        Failure::TooLarge { .. } => NoAnswer::TooLarge,
        Failure::Invalid { .. } => NoAnswer::Invalid,
        Failure::UpgradeRequired { .. } => NoAnswer::UpgradeRequired,
        other => panic!("{other}"),
    }
}

impl HubUnderTest for Server {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.server.set_now(now);
    }

    fn add_town(&mut self, id: JurisdictionId) {
        let town = Jurisdiction {
            id,
            parent_id: Some(JurisdictionId(sample::id("500153000000"))),
            name: format!("镇{}", id.0.as_bytes()[15]),
            level: Level::Town,
            division_code: None,
            version: 1,
            merged_into: None,
            merged_at: None,
        };
        let (key, now) = (self.server.app.digest_key, self.now);
        wait(
            self.server
                .app
                .db
                .write(move |tx| jurisdictions::add(tx, &key, &town, None, None, now)),
        )
        .unwrap();
    }

    fn add_enterprise_of(&mut self, sector: &str, id: EnterpriseId, town: JurisdictionId) {
        let firm = firm_of(id.0, town, sector.to_owned());
        let (key, now) = (self.server.app.digest_key, self.now);
        wait(
            self.server
                .app
                .db
                .write(move |tx| enterprises::register(tx, &key, &firm, None, now)),
        )
        .unwrap();
    }

    fn add_person_for(&mut self, sectors: &[&str], id: PersonId, role: Role, over: GrantScope) {
        let sectors = sectors.iter().map(|name| (*name).to_owned()).collect();
        let terms = Terms {
            sectors,
            ..terms(role, over)
        };
        let new = NewPerson {
            id,
            login: format!("conformance{}", id.0.as_bytes()[15]),
            name: "某人".to_owned(),
            phone: None,
            password_hash: "-".to_owned(),
            grants: vec![terms],
        };
        let (key, now) = (self.server.app.digest_key, self.now);
        wait(
            self.server
                .app
                .db
                .write(move |tx| people::register(tx, &key, new.clone(), None, now).map(drop)),
        )
        .unwrap();
    }

    fn end_role(&mut self, id: PersonId) {
        let app = &self.server.app;
        let read = app.db.read(move |tx| access::grants_of(tx.conn(), id));
        let grant = wait(read).unwrap()[0].id;
        wait(people::end_grant(app, person("admin"), id, 1, grant)).unwrap();
    }

    fn move_enterprise(&mut self, id: EnterpriseId, to: JurisdictionId) {
        let moves = self.moves.entry(id).or_default();
        let asked = relocate::Move {
            seen: 1 + *moves,
            to,
            reason: "厂房搬迁".to_owned(),
        };
        let app = &self.server.app;
        wait(relocate::relocate(app, person("admin"), id, asked)).unwrap();
        *moves += 1;
    }

    fn window(&self) -> ClosedWindow {
        let set = self.server.app.settings.sync.windows.enterprise;
        ClosedWindow {
            closed_days: set.closed_days,
            closed_bytes: set.closed_bytes,
            complete_after: None,
        }
    }

    fn keep_windows(&mut self) {
        while wait(windows::keep(&self.server.app)).unwrap() {}
    }

    fn forget_removals(&mut self) {
        wait(forget::forget(&self.server.app)).unwrap();
        let days = i64::from(self.server.app.settings.sync.removals_kept_days) + 1;
        self.set_now(self.now.plus_millis(days * 24 * 60 * 60 * 1000));
        while wait(forget::forget(&self.server.app)).unwrap() {}
    }

    fn enrol(&mut self, install_id: InstallId, person_id: PersonId, public_key: Vec<u8>) {
        let row = installs::Install {
            id: install_id,
            person_id,
            device_name: "test".to_owned(),
            key_algorithm: 1,
            public_key,
            enrolled_at: self.now,
            last_seen_at: None,
            revoked_at: None,
            revoked_reason: None,
            stolen: false,
        };
        wait(
            self.server
                .app
                .db
                .write(move |tx| installs::insert(tx, &row)),
        )
        .unwrap();
    }

    fn revoke(&mut self, install_id: InstallId) {
        let now = self.now;
        assert!(
            wait(
                self.server
                    .app
                    .db
                    .write(move |tx| installs::revoke(tx, install_id, "丢失", now))
            )
            .unwrap()
        );
    }

    fn time_proof(&mut self, command: SentCommand) -> TimeProof {
        let mut found = wait(time_proof::of_commands(&self.server.app, vec![command])).unwrap();
        let mut proof = found.remove(&command).unwrap();
        proof.claimed_at = None;
        proof
    }

    fn push(&mut self, by: PersonId, request: PushRequest) -> Result<PushResponse, NoAnswer> {
        wait(push::push(&self.server.app, by, request)).map_err(refused)
    }

    fn pull(&mut self, by: PersonId, request: PullRequest) -> Result<PullResponse, NoAnswer> {
        wait(pull::pull(&self.server.app, by, request)).map_err(refused)
    }

    fn offer(&mut self, request: OfferRequest) -> Result<OfferResponse, NoAnswer> {
        wait(offers::offer(&self.server.app, request)).map_err(refused)
    }
}

/// The same window for every scope.
fn alike(settings: &mut Settings) {
    let window = WindowSettings {
        closed_days: 10,
        closed_bytes: 2_000,
    };
    settings.sync.windows = Windows::alike(window);
}

fn on_the_server(case: impl Fn(&mut dyn HubUnderTest)) {
    on_each_database_with(alike, async |server| {
        let mut hub = Server {
            server,
            now: NOW,
            moves: BTreeMap::new(),
        };
        case(&mut hub);
    });
}

hub_cases!(on_the_server);
