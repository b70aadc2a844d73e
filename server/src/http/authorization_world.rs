//! Who asks what in the table of authorizations: fifteen roles inside of a scope, the same
//! outside, and what there is to ask for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, InstallId, JurisdictionId, KeyId, PersonId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::test_client::{
    Ask, anonymous, ask, command_body, confirmation, new_id, post, report_body, second_district,
};
use crate::photos::samples;
use crate::sample;
use crate::settings::SignIn;
use crate::store::person_keys::PersonKey;
use crate::store::{self, WriteTx};
use crate::test_support::{TestDevice, TestServer, person, terms};
use crate::usecases::devices::proof_message;
use crate::usecases::people::{self, NewPerson, Terms};
use crate::usecases::person_keys;

/// The roles in the order of the table's columns, which is that of [`Role::ALL`]: login, role.
pub(crate) const COLUMNS: [(&str, Role); 15] = [
    ("employee", Role::Employee),
    ("safety", Role::SafetyOfficer),
    ("principal", Role::Principal),
    ("grid", Role::GridWorker),
    ("inspector1", Role::Inspector),
    ("reviewer", Role::DepartmentReviewer),
    ("supervisor", Role::Supervisor),
    ("admin", Role::Administrator),
    ("expert", Role::Expert),
    ("head", Role::DepartmentHead),
    ("listing", Role::ListingAuthority),
    ("gateway", Role::Gateway),
    ("insurer", Role::Insurer),
    ("importer", Role::Importer),
    ("public", Role::Public),
];

/// Those of them who are not in the sample.
const NOT_IN_THE_SAMPLE: [usize; 3] = [11, 13, 14];

/// The column of reviewers, of whom one inside is limited to a sector that nothing here is of.
pub(crate) const REVIEWER: usize = 5;

/// The login of that one.
pub(crate) const OTHER_SECTOR: &str = "gas-reviewer";

/// Nobody outside may ever read this.
pub(crate) const SECRET: &str = "机密积尘";

/// What there is.
pub(crate) struct World {
    pub server: TestServer,
    pub photo: Vec<u8>,
    pub target: PersonId,
    pub device: InstallId,
    pub key: KeyId,
    pub upload: String,
    pub import: String,
    pub hand_over: String,
}

/// One question: who asks, and a number that no other question has.
pub(crate) struct Case<'a> {
    pub world: &'a World,
    pub column: usize,
    pub number: u64,
    pub session: &'a Session,
}

/// A sign-in of somebody.
pub(crate) struct Session {
    pub login: String,
    pub person_id: PersonId,
    pub access: String,
    pub refresh: String,
}

impl Case<'_> {
    /// A request with the token of this case.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        let bearer = format!("Bearer {}", self.session.access);
        anonymous(&self.world.server, method, path).with("Authorization", &bearer)
    }

    pub fn post(&self, path: &str, body: &Value) -> Ask<'_> {
        self.ask("POST", path).json(body)
    }

    /// An id of version 7 that no other case has.
    pub fn id(&self) -> String {
        new_id(10_000 + self.number)
    }

    pub fn role(&self) -> Role {
        COLUMNS[self.column].1
    }

    /// A command of the target's device that could not be judged.
    pub fn quarantined(&self, seq: usize, rest: &str) -> String {
        format!("/quarantined/{}/{seq}{rest}", self.world.device)
    }

    /// The same to its author.
    pub fn attention(&self, seq: usize, rest: &str) -> String {
        format!("/attention/{}/{seq}{rest}", self.world.device)
    }

    /// Somebody new at the polishing works, with one role there.
    pub fn colleague(&self) -> PersonId {
        let login = format!("colleague-{}", self.number);
        let polishing = GrantScope::Enterprise(EnterpriseId(sample::id("polishing")));
        add_person(&self.world.server, &login, Role::Employee, polishing)
    }

    /// Somebody else new there.
    pub fn successor(&self) -> PersonId {
        let login = format!("successor-{}", self.number);
        let polishing = GrantScope::Enterprise(EnterpriseId(sample::id("polishing")));
        add_person(&self.world.server, &login, Role::Employee, polishing)
    }

    /// A device that the caller has enrolled, and a token bound to it.
    pub async fn own_device(&self) -> (TestDevice, String) {
        let app = &self.world.server.app;
        let number = u8::try_from(100 + self.number % 100).unwrap();
        let device = TestDevice::enrol(app, &self.session.login, number).await;
        let bearer = crate::usecases::sign_in::access_token::Bearer {
            person_id: device.person_id,
            session_id: Uuid::from_u128(7),
            install_id: Some(device.install_id),
        };
        let now = app.clock.now();
        let (token, _) = crate::usecases::sign_in::session::access(app, bearer, now).unwrap();
        (device, format!("Bearer {token}"))
    }

    /// The body of a registration of a PIN key by the caller.
    pub fn pin_key(&self) -> Value {
        let key = SigningKey::from_bytes(&[u8::try_from(self.number % 250).unwrap() + 1; 32]);
        let public = key.verifying_key().to_bytes();
        let (id, host) = (KeyId(self.id().parse().unwrap()), self.world.device);
        let message = person_keys::proof_message(id, self.session.person_id, host, &public);
        json!({
            "id": id,
            "host_install": host,
            "algorithm": "ed25519",
            "public_key": URL_SAFE_NO_PAD.encode(public),
            "proof": URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes()),
        })
    }

    /// The body of an enrolment by the caller.
    pub fn enrolment(&self) -> Value {
        let key = SigningKey::from_bytes(&[u8::try_from(self.number % 250).unwrap() + 1; 32]);
        let public = key.verifying_key().to_bytes();
        let install_id = InstallId(self.id().parse().unwrap());
        let message = proof_message(install_id, self.session.person_id, &public);
        json!({
            "install_id": install_id,
            "device_name": "phone",
            "key_algorithm": "ed25519",
            "public_key": URL_SAFE_NO_PAD.encode(public),
            "proof": URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes()),
        })
    }
}

pub(crate) fn add_person(
    server: &TestServer,
    login: &str,
    role: Role,
    scope: GrantScope,
) -> PersonId {
    add_with(server, login, terms(role, scope))
}

pub(crate) fn add_with(server: &TestServer, login: &str, terms: Terms) -> PersonId {
    let app = server.app.clone();
    let rules = SignIn {
        argon2_memory_kib: 64,
        argon2_passes: 1,
        ..SignIn::default()
    };
    let password_hash = people::hash_password(&rules, &app.entropy, sample::DEMO_PASSWORD).unwrap();
    let id = person(login);
    let new = NewPerson {
        id,
        login: login.to_owned(),
        name: format!("某{login}"),
        phone: None,
        password_hash,
        grants: vec![terms.clone()],
    };
    let now = app.clock.now();
    let register = move |tx: &mut WriteTx<'_>| {
        people::register(tx, &app.digest_key, new.clone(), None, now).map(drop)
    };
    server.app.db.write_blocking(register).unwrap();
    id
}

/// A key of somebody, kept on this device.
fn pin_key_of(server: &TestServer, person_id: PersonId, host_install: InstallId) -> KeyId {
    let key = PersonKey {
        id: KeyId(new_id(801).parse().unwrap()),
        person_id,
        host_install,
        algorithm: 1,
        public_key: vec![7; 32],
        registered_at: server.app.clock.now(),
        revoked_at: None,
        revoked_reason: None,
    };
    let id = key.id;
    let insert = move |tx: &mut WriteTx<'_>| store::person_keys::insert(tx, &key);
    server.app.db.write_blocking(insert).unwrap();
    id
}

/// Metadata of a tus upload of these bytes.
pub(crate) fn announcement(bytes: &[u8]) -> String {
    let hash = STANDARD.encode(Digest::sha256(bytes).to_string());
    format!("sha256 {hash},filetype {}", STANDARD.encode("image/jpeg"))
}

impl World {
    /// A hazard with a photo at the polishing works, a second district with an enterprise, and the
    /// roles there too.
    pub async fn build(server: TestServer) -> Self {
        let town = second_district(&server).await;
        super::packs::tests::with_packs(&server).await;
        let mill = new_id(800);
        let body = json!({"id": mill, "name": "邻厂", "jurisdiction_id": town, "sector": "工贸"});
        post(&server, "admin", "/enterprises", &body)
            .await
            .expect(201);
        for (login, role) in COLUMNS {
            let scope = if role.is_of_enterprise() {
                GrantScope::Enterprise(EnterpriseId(mill.parse().unwrap()))
            } else {
                GrantScope::Jurisdiction(JurisdictionId(town.parse().unwrap()))
            };
            add_person(&server, &outside_login(login), role, scope);
        }
        let import = new_id(850);
        let text = format!("id,名称\n{},\n", sample::id("polishing"));
        let path = format!("/enterprises/imports?id={import}");
        let imported = ask(&server, "admin", "POST", &path).bytes("text/csv", text.into());
        imported.answer().await.expect(201);
        let district = GrantScope::Jurisdiction(JurisdictionId(sample::id("500153000000")));
        for column in NOT_IN_THE_SAMPLE {
            let (login, role) = COLUMNS[column];
            add_person(&server, login, role, district);
        }
        let gas = Terms {
            sectors: vec!["城镇燃气".to_owned()],
            ..terms(Role::DepartmentReviewer, district)
        };
        add_with(&server, OTHER_SECTOR, gas);
        let photo = samples::jpeg(40, 30);
        let brought = ask(&server, "employee", "POST", "/photos")
            .with("Tus-Resumable", "1.0.0")
            .with("Upload-Length", &photo.len().to_string())
            .with("Upload-Metadata", &announcement(&photo))
            .bytes("application/offset+octet-stream", photo.clone());
        brought.answer().await.expect(201);
        let begun = ask(&server, "employee", "POST", "/photos")
            .with("Tus-Resumable", "1.0.0")
            .with("Upload-Length", "1000");
        let begun = begun.answer().await;
        let upload = begun
            .header("location")
            .trim_start_matches("/api/v1")
            .to_owned();
        begun.expect(201);
        let mut report = report_body(&hazard(), "polishing", SECRET);
        report["photos"] = json!([{
            "sha256": Digest::sha256(&photo).to_string(), "size": photo.len(),
            "media_type": "image/jpeg", "kind": "before",
        }]);
        post(&server, "employee", "/hazards", &report)
            .await
            .expect(201);
        let report = report_body(&ordered(), "polishing", SECRET);
        post(&server, "employee", "/hazards", &report)
            .await
            .expect(201);
        let path = format!("/hazards/{}/commands", ordered());
        let order = command_body(901, confirmation());
        post(&server, "inspector1", &path, &order).await.expect(200);
        let path = format!("/inspections/{}/commands", inspection());
        post(&server, "employee", &path, &command_body(900, self_check()))
            .await
            .expect(200);
        let polishing = GrantScope::Enterprise(EnterpriseId(sample::id("polishing")));
        let target = add_person(&server, "target", Role::Employee, polishing);
        let mut phone = TestDevice::enrol(&server.app, "target", 1).await;
        let unknown = (0..20).map(|_| phone.seal_raw("teleport", 1, vec![1]));
        let unknown = unknown.collect();
        let batch = phone.push(unknown);
        crate::usecases::push::push(&server.app, target, batch)
            .await
            .unwrap();
        let hand_over = hand_over(&server, polishing).await;
        let device = phone.install_id;
        let key = pin_key_of(&server, target, device);
        Self {
            server,
            photo,
            target,
            device,
            key,
            upload,
            import,
            hand_over,
        }
    }

    pub fn photo_path(&self) -> String {
        format!("/photos/{}", Digest::sha256(&self.photo))
    }

    /// Signs somebody in.
    pub async fn sign_in(&self, login: String) -> Session {
        let body = json!({"login": login, "password": sample::DEMO_PASSWORD});
        let answer = anonymous(&self.server, "POST", "/sessions")
            .json(&body)
            .answer()
            .await;
        let answer = answer.expect(201);
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let person_id = person(&login);
        Session {
            person_id,
            access: text("access_token"),
            refresh: text("refresh_token"),
            login,
        }
    }
}

/// Hands over what one person of the enterprise was to another.
async fn hand_over(server: &TestServer, polishing: GrantScope) -> String {
    let [from, to] =
        ["leaver", "taker"].map(|login| add_person(server, login, Role::Employee, polishing));
    let id = new_id(860);
    let body = json!({"id": id, "from_person": from, "to_person": to, "reason": "离职"});
    post(server, "admin", "/hand-overs", &body)
        .await
        .expect(201);
    id
}

/// The login of the same role outside.
pub(crate) fn outside_login(login: &str) -> String {
    format!("outside-{login}")
}

/// A self-check of the polishing works that found nothing.
pub(crate) fn self_check() -> Value {
    json!({
        "kind": "submit_self_check",
        "start": {
            "setup": {
                "kind": "self_check", "enterprise_id": sample::id("polishing"), "cadence": "daily",
                "checklists": [{"code": "GM-CK-D-DUST", "edition": 1, "mandatory": ["1"]}],
            },
            "started_at": "2026-11-22T00:30:00Z", "place_text": "打磨车间",
        },
        "results": [{"item": {"checklist": "GM-CK-D-DUST", "item": "1"}, "outcome": "ok"}],
        "completion": {
            "completed_at": "2026-11-22T00:50:00Z", "situation": SECRET, "no_hazard_found": true,
        },
    })
}

/// The inspection that everything is about.
pub(crate) fn inspection() -> String {
    new_id(3)
}

/// A hazard with an order over it.
pub(crate) fn ordered() -> String {
    new_id(4)
}

/// The hazard that everything is about.
pub(crate) fn hazard() -> String {
    new_id(1)
}
