//! A district with three towns, a village in the one that is dissolved, and somebody who looks at each.

use std::collections::BTreeMap;

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Action, Note, Source};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId};
use hazardloop_domain::jurisdiction::Level;
use hazardloop_sync_protocol::wire::{PushResult, RecordKind};
use serde_json::json;

use super::*;
use crate::sample;
use crate::store::{events, hazards};
use crate::test_support::{
    NOW, TestDevice, TestServer, add_place, firm_of, on_each_database_with, terms,
};
use crate::usecases::enterprises;
use crate::usecases::people::{self as accounts, NewPerson, Terms};
pub(super) use crate::usecases::phone_tests::{Phone, Versions};
use crate::usecases::push::push;
use crate::usecases::read::{self, Wanted};

/// Two records a transaction.
pub(super) fn in_small_lots<F: Future<Output = ()>>(test: impl Fn(TestServer) -> F) {
    in_lots_of(2, test);
}

pub(super) fn in_lots_of<F: Future<Output = ()>>(most: usize, test: impl Fn(TestServer) -> F) {
    on_each_database_with(|settings| settings.hazards.moved_at_once = most, test);
}

pub(super) fn hazard(app: &App, number: u64) -> Hazard {
    let loaded = app
        .db
        .read_blocking(|tx| hazards::load(tx.conn(), hazard_id(number)));
    loaded.unwrap().unwrap().hazard
}

pub(super) async fn account(app: &App, login: &str, grants: Vec<Terms>) -> PersonId {
    let new = NewPerson {
        id: person(login),
        login: login.to_owned(),
        name: "某人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants,
    };
    let (key, id) = (app.digest_key, new.id);
    let registered = app
        .db
        .write(move |tx| accounts::register(tx, &key, new.clone(), None, NOW).map(drop));
    registered.await.unwrap();
    id
}

pub(super) struct World {
    /// The town that is dissolved; its successor; a third one; and a village of the first.
    pub old: JurisdictionId,
    pub successor: JurisdictionId,
    pub third: JurisdictionId,
    pub village: JurisdictionId,
    /// Of the town, its village, the successor, the district, the third town, an enterprise, and one sector of the town.
    pub phones: Vec<Phone>,
    senders: BTreeMap<String, TestDevice>,
    firms: Vec<EnterpriseId>,
    numbers: Vec<u64>,
    inspections: Vec<InspectionId>,
}

pub(super) fn place(name: &str) -> JurisdictionId {
    JurisdictionId(sample::id(name))
}

impl World {
    pub(super) async fn build(server: &TestServer) -> Self {
        let app = &server.app;
        let district = place("500153000000");
        let (old, successor) = (place("500153003000"), place("successor"));
        let (third, village) = (place("third town"), place("village"));
        for (id, parent, level) in [
            (successor, district, Level::Town),
            (third, district, Level::Town),
            (village, old, Level::Village),
        ] {
            add_place(app, id, parent, level).await;
        }
        for (login, over) in [
            ("grid2", successor),
            ("grid3", third),
            ("villager", village),
        ] {
            let grid = terms(Role::GridWorker, GrantScope::Jurisdiction(over));
            account(app, login, vec![grid]).await;
        }
        let mut of_sector = terms(Role::DepartmentReviewer, GrantScope::Jurisdiction(old));
        of_sector.sectors = vec!["hazardous-chemicals".to_owned()];
        account(app, "chemist", vec![of_sector]).await;
        let mut world = Self {
            old,
            successor,
            third,
            village,
            phones: Vec::new(),
            senders: BTreeMap::new(),
            firms: ["polishing", "chemicals", "machinery"]
                .map(enterprise)
                .into(),
            numbers: Vec::new(),
            inspections: Vec::new(),
        };
        for (at, login) in [
            "grid", "villager", "grid2", "reviewer", "grid3", "employee", "chemist",
        ]
        .into_iter()
        .enumerate()
        {
            let number = 100 + u8::try_from(at).unwrap();
            world
                .phones
                .push(Phone::of(app, person(login), number).await);
        }
        let logins = [
            "grid",
            "villager",
            "grid2",
            "reviewer",
            "grid3",
            "employee",
            "inspector1",
        ];
        for (at, login) in logins.into_iter().enumerate() {
            let number = 50 + u8::try_from(at).unwrap();
            let device = TestDevice::enrol_as(app, person(login), number).await;
            world.senders.insert(login.to_owned(), device);
        }
        for (key, over, sector) in [
            ("village firm", village, "industry-and-trade"),
            ("successor firm", successor, "hazardous-chemicals"),
            ("third firm", third, "industry-and-trade"),
        ] {
            let firm = firm_of(sample::id(key), over, sector.to_owned());
            world.register(app, firm).await;
        }
        world.fill(app).await;
        world
    }

    pub(super) async fn register(&mut self, app: &App, firm: Enterprise) {
        let (key, id) = (app.digest_key, firm.id);
        let registered = app
            .db
            .write(move |tx| enterprises::register(tx, &key, &firm, None, NOW));
        registered.await.unwrap();
        self.firms.push(id);
    }

    async fn fill(&mut self, app: &App) {
        for number in 1..=3 {
            self.send(app, "employee", number, Action::Report(report("积尘")))
                .await;
        }
        self.file(app, "grid", 4, None).await;
        self.file(app, "grid", 5, Some(enterprise("chemicals")))
            .await;
        self.file(
            app,
            "villager",
            6,
            Some(EnterpriseId(sample::id("village firm"))),
        )
        .await;
        self.file(app, "villager", 7, None).await;
        self.file(
            app,
            "grid2",
            8,
            Some(EnterpriseId(sample::id("successor firm"))),
        )
        .await;
        self.file(app, "grid3", 9, None).await;
        // One that came to its end.
        let reject = json!({"kind": "reject", "reason": "现场不构成隐患"});
        self.send(app, "reviewer", 5, serde_json::from_value(reject).unwrap())
            .await;
        let team = [person("inspector1"), person("inspector2")];
        self.plan(app, 1_001, enterprise("machinery"), &team).await;
    }

    /// An unannounced visit, planned by inspector 1.
    pub(super) async fn plan(
        &mut self,
        app: &App,
        number: u64,
        firm: EnterpriseId,
        team: &[PersonId],
    ) {
        let team: Vec<_> = team.iter().map(|id| json!({"person_id": id})).collect();
        let plan = json!({
            "kind": "plan_inspection", "window_from": "2026-11-23", "window_to": "2026-11-27",
            "setup": {"kind": "unannounced_visit", "enterprise_id": firm,
                "checklists": [], "basis": "年度计划", "team": team},
        });
        let id = InspectionId(hazard_id(number).0);
        let action: Action = serde_json::from_value(plan).unwrap();
        let device = self.senders.get_mut("inspector1").unwrap();
        let sealed = device.seal_on(id.into(), action);
        let batch = device.push(vec![sealed]);
        let answer = push(app, device.person_id, batch).await.unwrap();
        assert!(took_effect(&answer.results[0]), "{answer:?}");
        self.inspections.push(id);
    }

    /// What was filed right in the town before it was merged.
    pub(super) fn filed_in_town(&self) -> [u64; 5] {
        [1, 2, 3, 4, 5]
    }

    /// A command, sealed and not sent yet.
    pub(super) fn seal(
        &mut self,
        login: &str,
        number: u64,
        action: Action,
    ) -> hazardloop_sync_protocol::wire::Envelope {
        let device = self.senders.get_mut(login).unwrap();
        device.seal(hazard_id(number), action)
    }

    pub(super) async fn push(
        &mut self,
        app: &App,
        login: &str,
        sealed: Vec<hazardloop_sync_protocol::wire::Envelope>,
    ) -> Vec<PushResult> {
        let device = &self.senders[login];
        let batch = device.push(sealed);
        push(app, device.person_id, batch).await.unwrap().results
    }

    pub(super) async fn send(&mut self, app: &App, login: &str, number: u64, action: Action) {
        let begins = matches!(action, Action::Report(_));
        let sealed = self.seal(login, number, action);
        let results = self.push(app, login, vec![sealed]).await;
        assert!(took_effect(&results[0]), "{number} by {login}: {results:?}");
        if begins {
            self.numbers.push(number);
        }
    }

    pub(super) fn found(source: Source, firm: Option<EnterpriseId>) -> Action {
        let mut found = report("占道堆放");
        (found.source, found.enterprise_id) = (source, firm);
        Action::Report(found)
    }

    /// A grid worker reports something, of an enterprise or of none.
    pub(super) async fn file(
        &mut self,
        app: &App,
        login: &str,
        number: u64,
        firm: Option<EnterpriseId>,
    ) {
        self.send(app, login, number, Self::found(Source::Grid, firm))
            .await;
    }

    pub(super) async fn note(&mut self, app: &App, login: &str, number: u64) {
        let text = "现场已看过".to_owned();
        self.send(app, login, number, Action::Note(Note { text }))
            .await;
    }

    pub(super) async fn merge(&self, app: &App) -> Result<Merged, Failure> {
        self.merge_one(app, self.old, self.successor).await
    }

    pub(super) async fn merge_one(
        &self,
        app: &App,
        from: JurisdictionId,
        into: JurisdictionId,
    ) -> Result<Merged, Failure> {
        let node = crate::usecases::jurisdictions::one(app, from)
            .await
            .unwrap();
        let asked = Asked {
            seen: node.node.version,
            into,
            reason: "区划调整".to_owned(),
        };
        merge(app, person("admin"), from, asked).await
    }

    pub(super) fn kinds_of(&self, app: &App, number: u64) -> Vec<String> {
        let id = hazard_id(number).0;
        let history = app
            .db
            .read_blocking(|tx| events::history(tx.conn(), &id, 0, 100));
        history
            .unwrap()
            .into_iter()
            .map(|event| event.kind)
            .collect()
    }

    /// Each phone holds what REST lists and what it shows one by one; of those `behind`, lists may be shorter.
    pub(super) async fn check_all(&mut self, app: &App, behind: &[usize]) -> Vec<Versions> {
        let mut phones = std::mem::take(&mut self.phones);
        let mut all = Vec::new();
        for (at, phone) in phones.iter_mut().enumerate() {
            let who = phone.device.person_id;
            let pulled = phone.pull(app).await;
            assert_eq!(pulled, listed(app, who).await, "phone {at}: lists");
            let shown = self.shown(app, who).await;
            match behind.contains(&at) {
                true => assert!(
                    pulled
                        .iter()
                        .all(|(key, version)| shown.get(key) == Some(version))
                ),
                false => assert_eq!(pulled, shown, "phone {at}: one by one"),
            }
            all.push(pulled);
        }
        self.phones = phones;
        all
    }

    async fn shown(&self, app: &App, who: PersonId) -> Versions {
        let mut shown = Versions::new();
        for number in &self.numbers {
            let id: HazardId = hazard_id(*number);
            if let Ok(seen) = read::hazard::one(app, who, id).await {
                shown.insert((RecordKind::Hazard, id.0), seen.hazard.version);
            }
        }
        for id in &self.inspections {
            if let Ok(seen) = read::inspection::one(app, who, *id).await {
                shown.insert((RecordKind::Inspection, id.0), seen.inspection.version);
            }
        }
        for id in &self.firms {
            if let Ok(firm) = enterprises::one(app, who, *id).await {
                shown.insert((RecordKind::Enterprise, id.0), firm.version);
            }
        }
        shown
    }
}

pub(super) fn took_effect(result: &PushResult) -> bool {
    matches!(result, PushResult::Receipt(receipt) if receipt.outcome.took_effect())
}

/// What REST lists, of one jurisdiction or of all.
pub(super) async fn listed_in(
    app: &App,
    who: PersonId,
    within: Option<JurisdictionId>,
) -> Versions {
    let mut all = Versions::new();
    let at_once = || Wanted {
        after: None,
        limit: 200,
    };
    let order = read::hazards::Order::Newest;
    let filters = read::hazards::Filters {
        jurisdiction_id: within,
        ..Default::default()
    };
    let found = read::hazards::list(app, who, filters, order, at_once(), app.clock.now()).await;
    let found = found.unwrap().items;
    all.extend(
        found
            .iter()
            .map(|it| ((RecordKind::Hazard, it.id.0), it.version)),
    );
    let filters = read::inspections::Filters {
        jurisdiction_id: within,
        ..Default::default()
    };
    let visits = read::inspections::list(app, who, filters, at_once()).await;
    let visits = visits.unwrap().items;
    all.extend(
        visits
            .iter()
            .map(|it| ((RecordKind::Inspection, it.id.0), it.version)),
    );
    let filters = read::enterprises::Filters {
        jurisdiction_id: within,
        ..Default::default()
    };
    let firms = read::enterprises::list(app, who, filters, at_once()).await;
    let firms = firms.unwrap().items;
    all.extend(
        firms
            .iter()
            .map(|it| ((RecordKind::Enterprise, it.id.0), it.version)),
    );
    all
}

async fn listed(app: &App, who: PersonId) -> Versions {
    listed_in(app, who, None).await
}
