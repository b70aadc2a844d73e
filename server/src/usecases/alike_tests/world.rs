//! The random world: what happens in it, and who looks.

mod deeds;

use super::*;

use hazardloop_domain::access::{Grant, GrantScope};
use hazardloop_domain::command::Action;
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{GrantId, JurisdictionId, SubjectId};
use hazardloop_domain::jurisdiction::Level;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::PushResult;
use serde_json::{Value, json};

use crate::sample;
use crate::test_support::{NOW, TestServer, add_place, firm_of, hazard_id, person, terms};
use crate::usecases::hand_overs::{self, NewHandOver};
use crate::usecases::people::{self, NewGrant, NewPerson, Terms};
use crate::usecases::push::push;
use crate::usecases::{merge_jurisdictions, relocate};

/// Everything that is to happen at least once, or the world says little.
pub(super) const WHAT_HAPPENS: &[&str] = &[
    "report",
    "tipoff",
    "import",
    "amend",
    "confirm",
    "assign_sector",
    "transfer",
    "received",
    "sent_back",
    "merge",
    "withdraw",
    "reject",
    "relocate",
    "correct",
    "firm",
    "plan",
    "unannounced_visit",
    "expert_visit",
    "self_check",
    "start",
    "cancel",
    "change_team",
    "person",
    "temporary",
    "ended",
    "hand_over",
];

/// Between two things that happen.
const STEP_MS: i64 = 20 * 60_000;

const SECTORS: [&str; 3] = ["industry-and-trade", "hazardous-chemicals", "town-gas"];

/// Who acts: over the whole city, but for the employee of the first enterprise.
#[derive(Clone, Copy)]
enum Author {
    Inspector,
    Reviewer,
    Receiver,
    Expert,
    Public,
    Importer,
    Employee,
}

pub(super) struct World<'a> {
    server: &'a TestServer,
    places: Vec<JurisdictionId>,
    pub firms: Vec<EnterpriseId>,
    pub hazards: Vec<HazardId>,
    pub inspections: Vec<InspectionId>,
    /// Who reported each hazard.
    pub reporters: BTreeMap<Uuid, PersonId>,
    pub phones: Vec<Phone>,
    pub happened: BTreeMap<&'static str, usize>,
    /// When what came to its end did.
    pub ended: BTreeMap<Uuid, Timestamp>,
    /// How often somebody could look up what their phone did not hold.
    pub left_out: usize,
    /// The roles by which somebody has seen anything.
    pub seen_as: Vec<Role>,
    authors: Vec<TestDevice>,
    /// Towns that were merged into another one.
    merged: Vec<JurisdictionId>,
    number: u64,
}

fn v7(kind: u8, number: u64) -> Uuid {
    let mut tail = [kind; 10];
    tail[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(1_795_309_200_000, &tail).into_uuid()
}

fn one_of<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

fn read(value: Value) -> Action {
    serde_json::from_value(value).unwrap()
}

fn took_effect(result: &PushResult) -> bool {
    matches!(result, PushResult::Receipt(receipt) if receipt.outcome.took_effect())
}

async fn register(app: &App, id: PersonId, login: &str, grants: Vec<Terms>) {
    let new = NewPerson {
        id,
        login: login.to_owned(),
        name: "某人".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants,
    };
    let key = app.digest_key;
    let registered = app
        .db
        .write(move |tx| people::register(tx, &key, new.clone(), None, NOW).map(drop));
    registered.await.unwrap();
}

impl<'a> World<'a> {
    /// The sample's district with two towns, and another with one.
    pub async fn build(server: &'a TestServer) -> Self {
        // Self-checks go by its checklists.
        crate::test_support::with_pack(server, "industry-and-trade").await;
        let app = &server.app;
        let city = JurisdictionId(sample::id("500000000000"));
        let district = JurisdictionId(sample::id("500153000000"));
        let (away, far) = (JurisdictionId(v7(9, 1)), JurisdictionId(v7(9, 2)));
        let near = JurisdictionId(v7(9, 3));
        let added = [
            (away, city, Level::District),
            (far, away, Level::Town),
            (near, district, Level::Town),
        ];
        for (id, parent, level) in added {
            add_place(app, id, parent, level).await;
        }
        let roles = [
            Role::Inspector,
            Role::DepartmentReviewer,
            Role::DepartmentReviewer,
            Role::Expert,
            Role::Public,
            Role::Importer,
        ];
        let mut authors = Vec::new();
        for (number, role) in (200_u8..).zip(roles) {
            let id = PersonId(v7(8, u64::from(number)));
            let over = terms(role, GrantScope::Jurisdiction(city));
            register(app, id, &format!("author{number}"), vec![over]).await;
            authors.push(TestDevice::enrol_as(app, id, number).await);
        }
        authors.push(TestDevice::enrol(app, "employee", 230).await);
        let mut phones = Vec::new();
        for (number, author) in (240_u8..).zip([Author::Public, Author::Importer]) {
            // They look, too.
            let who = authors[author as usize].person_id;
            phones.push(Phone::of(app, who, number).await);
        }
        let town = JurisdictionId(sample::id("500153003000"));
        Self {
            server,
            places: vec![district, away, town, near, far],
            firms: ["polishing", "chemicals", "machinery"]
                .map(|key| EnterpriseId(sample::id(key)))
                .to_vec(),
            hazards: Vec::new(),
            inspections: Vec::new(),
            reporters: BTreeMap::new(),
            phones,
            happened: BTreeMap::new(),
            ended: BTreeMap::new(),
            left_out: 0,
            seen_as: Vec::new(),
            authors,
            merged: Vec::new(),
            number: 0,
        }
    }

    pub fn app(&self) -> &'a App {
        &self.server.app
    }

    pub async fn grants(&self, who: PersonId) -> Vec<Grant> {
        let read = self
            .app()
            .db
            .read(move |tx| crate::store::access::grants_of(tx.conn(), who));
        read.await.unwrap()
    }

    /// Notes by which roles somebody has seen something.
    pub fn saw(&mut self, grants: &[Grant], pulled: &Versions) {
        let now = self.app().clock.now();
        let held: Vec<_> = grants.iter().filter(|grant| grant.holds_at(now)).collect();
        if let ([only], false) = (held.as_slice(), pulled.is_empty()) {
            self.seen_as.push(only.role);
        }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn did(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    fn who(&self, author: Author) -> PersonId {
        self.authors[author as usize].person_id
    }

    /// Whether it took effect.
    async fn send(&mut self, author: Author, subject: Uuid, action: Value) -> bool {
        let device = &mut self.authors[author as usize];
        let sealed = device.seal_on(SubjectId(subject), read(action));
        let (who, batch) = (device.person_id, device.push(vec![sealed]));
        let answer = push(&self.server.app, who, batch).await.unwrap();
        took_effect(&answer.results[0])
    }

    async fn try_on(
        &mut self,
        rng: &mut StdRng,
        what: &'static str,
        author: Author,
        action: Value,
    ) {
        if self.hazards.is_empty() {
            return;
        }
        let hazard = one_of(rng, &self.hazards);
        if self.send(author, hazard.0, action).await {
            self.did(what);
        }
    }

    async fn try_on_visit(
        &mut self,
        rng: &mut StdRng,
        what: &'static str,
        author: Author,
        action: Value,
    ) {
        if self.inspections.is_empty() {
            return;
        }
        let visit = one_of(rng, &self.inspections);
        if self.send(author, visit.0, action).await {
            self.did(what);
        }
    }

    /// What there is before anybody's roles change.
    pub async fn begin(&mut self, rng: &mut StdRng) {
        for _ in 0..20 {
            self.report(rng).await;
        }
        for _ in 0..12 {
            self.plan(rng).await;
        }
        self.repeated().await;
        ends::note(self);
    }

    /// Something happens, some minutes after what happened before.
    pub async fn step(&mut self, rng: &mut StdRng) {
        let steps = i64::try_from(self.next()).unwrap();
        self.server.set_now(NOW.plus_millis(steps * STEP_MS));
        self.happen(rng).await;
        ends::note(self);
    }

    async fn happen(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..27) {
            0..=5 => self.report(rng).await,
            6..=8 => self.plan(rng).await,
            9 | 10 => self.move_on_visit(rng).await,
            11 => self.firm(rng).await,
            12 => self.relocate(rng).await,
            13 => self.correct(rng).await,
            14 | 15 => self.transfer(rng).await,
            16 | 17 => self.receive(rng).await,
            18 if self.phones.len() < 38 => self.person(rng, None).await,
            19 => self.temporary(rng).await,
            20 => self.end(rng).await,
            21 => self.hand_over(rng).await,
            _ => self.move_on(rng).await,
        }
    }

    /// Terms of this role over a random place within random sectors.
    fn terms(&self, rng: &mut StdRng, role: Role, places: &[JurisdictionId]) -> Terms {
        let firm = GrantScope::Enterprise(one_of(rng, &self.firms));
        let place = GrantScope::Jurisdiction(one_of(rng, places));
        let over_firm = role.may_be_held_over(firm)
            && (!role.may_be_held_over(place) || rng.random_range(0..2) == 0);
        let mut terms = terms(role, if over_firm { firm } else { place });
        let whole = terms.clone();
        terms.sectors = SECTORS
            .into_iter()
            .filter(|_| rng.random_range(0..3) == 0)
            .map(str::to_owned)
            .collect();
        if terms.check().is_ok() { terms } else { whole }
    }

    /// Somebody who looks: with this role over the first district, or with random roles.
    pub async fn person(&mut self, rng: &mut StdRng, role: Option<Role>) {
        let number = self.next();
        let id = PersonId(v7(1, number));
        let district = self.places[0];
        let mut grants = Vec::new();
        match role {
            Some(role) => {
                let firm = GrantScope::Enterprise(self.firms[0]);
                let over = match role.is_of_enterprise() {
                    true => firm,
                    false => GrantScope::Jurisdiction(district),
                };
                grants.push(terms(role, over));
            }
            None => {
                let home = self.places.clone();
                let home = one_of(
                    rng,
                    &[[home[0], home[2], home[3]], [home[1], home[4], home[4]]],
                );
                for _ in 0..rng.random_range(1..4) {
                    let role = one_of(rng, &Role::ALL);
                    let terms = self.terms(rng, role, &home);
                    let same =
                        |other: &Terms| (other.role, other.scope) == (terms.role, terms.scope);
                    if !grants.iter().any(same) {
                        grants.push(terms);
                    }
                }
            }
        }
        let of_one_role = role.is_some_and(|role| [Role::Public, Role::Importer].contains(&role));
        let app = self.app();
        register(app, id, &format!("p{number}"), grants).await;
        let device = u8::try_from(self.phones.len()).unwrap() + 1;
        let mut phone = Phone::of(app, id, device).await;
        if of_one_role {
            // They have handed something in.
            let hazard = hazard_id(self.next());
            let source = if role == Some(Role::Public) {
                "tipoff"
            } else {
                "import"
            };
            let report = json!({
                "kind": "report", "source": source, "grade": "general", "description": "积尘",
                "place_text": "2#除尘器", "found_at": NOW.to_string(), "no_photo_reason": "试验",
                "enterprise_id": self.firms[0],
            });
            let sealed = phone.device.seal(hazard, read(report));
            let batch = phone.device.push(vec![sealed]);
            let answer = push(app, id, batch).await.unwrap();
            assert!(took_effect(&answer.results[0]), "{answer:?}");
            self.hazards.push(hazard);
            self.reporters.insert(hazard.0, id);
        }
        self.phones.push(phone);
        self.did("person");
    }

    /// One of those who look, but of none who act.
    fn someone(&self, rng: &mut StdRng) -> PersonId {
        self.phones[rng.random_range(2..self.phones.len())]
            .device
            .person_id
    }

    /// A role anywhere, for some minutes.
    async fn temporary(&mut self, rng: &mut StdRng) {
        let (who, now) = (self.someone(rng), self.app().clock.now());
        let seen = people::one(self.app(), person("admin"), who).await;
        let jurisdictional = [
            Role::Inspector,
            Role::Expert,
            Role::DepartmentReviewer,
            Role::Public,
        ];
        let role = one_of(rng, &jurisdictional);
        let place = GrantScope::Jurisdiction(one_of(rng, &self.places));
        let new = NewGrant {
            id: GrantId(v7(3, self.next())),
            terms: (role, place).into(),
            valid_from: None,
            valid_until: Some(now.plus_millis(rng.random_range(1..80) * STEP_MS)),
            temporary_reason: Some("异地交叉执法".to_owned()),
        };
        // Somebody whose last role has ended is nobody's to see.
        if let Ok(seen) = seen
            && people::grant(self.app(), person("admin"), who, seen.version, new)
                .await
                .is_ok()
        {
            self.did("temporary");
        }
    }

    async fn end(&mut self, rng: &mut StdRng) {
        let who = self.someone(rng);
        let grants = self.grants(who).await;
        if grants.len() < 2 {
            // The first ones go on looking.
            return;
        }
        let grant = grants[rng.random_range(0..grants.len())].id;
        let Ok(seen) = people::one(self.app(), person("admin"), who).await else {
            return;
        };
        let ended = people::end_grant(self.app(), person("admin"), who, seen.version, grant).await;
        if ended.is_ok() {
            self.did("ended");
        }
    }

    async fn hand_over(&mut self, rng: &mut StdRng) {
        let (from, to) = (self.someone(rng), self.someone(rng));
        let now = self.app().clock.now();
        let later = rng.random_range(0..2) == 0;
        let new = NewHandOver {
            id: v7(4, self.next()),
            from_person: from,
            to_person: to,
            grants: None,
            reason: "调任".to_owned(),
            effective_at: later.then(|| now.plus_millis(5 * STEP_MS)),
        };
        if hand_overs::make(self.app(), person("admin"), new)
            .await
            .is_ok()
        {
            self.did("hand_over");
        }
    }
}
