//! The simulator's cast on a server, under the same ids, and what happens to its hub besides requests.

use hazardloop_domain::access::{Grant, GrantScope, Role};
use hazardloop_domain::ids::{GrantId, InstallId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::Level;
use hazardloop_domain::time::Timestamp;
use hazardloop_simulation::trace::Event;
use hazardloop_simulation::{cast, hub};

use crate::app::App;
use crate::failure::Failure;
use crate::sample;
use crate::settings::{Settings, WindowSettings, Windows};
use crate::store::{Position, forgotten, installs, order, places};
use crate::test_support::{TestServer, add_place};
use crate::usecases::people::{self, NewPerson};
use crate::usecases::{enterprises, relocate, windows};

/// Small answers, and the windows of the simulator's hub.
pub(super) fn set(settings: &mut Settings) {
    settings.sync.records = 6;
    let window = WindowSettings {
        closed_days: hub::WINDOW.closed_days,
        closed_bytes: hub::WINDOW.closed_bytes,
    };
    settings.sync.windows = Windows::alike(window);
}

/// The district that both towns lie in.
pub(super) fn district() -> JurisdictionId {
    JurisdictionId(sample::id("500153000000"))
}

/// Who moves enterprises.
pub(super) fn keeper() -> PersonId {
    cast::person(90)
}

/// Somebody who sees the whole district.
pub(super) fn overseer() -> PersonId {
    cast::person(91)
}

/// Everybody and everything that a schedule begins with.
pub(super) async fn build(server: &TestServer) {
    server.set_now(cast::BEGIN);
    let app = &server.app;
    for town in [cast::town(0), cast::town(1)] {
        add_place(app, town, district(), Level::Town).await;
    }
    for firm in cast::firms() {
        let key = app.digest_key;
        let add = app
            .db
            .write(move |tx| enterprises::register(tx, &key, &firm, None, cast::BEGIN));
        add.await.unwrap();
    }
    for person in cast::people() {
        add_person(app, person.id, &person.login, person.grants).await;
    }
    let over = GrantScope::Jurisdiction(district());
    for (id, role) in [
        (keeper(), Role::Administrator),
        (overseer(), Role::DepartmentReviewer),
    ] {
        let always = Timestamp::from_millis(0);
        let grant = Grant::new(GrantId(id.0), role, over, always);
        add_person(app, id, &format!("beside{}", id.0), vec![grant]).await;
    }
}

/// With exactly these grants: what somebody was responsible for once goes by when they began.
async fn add_person(app: &App, id: PersonId, login: &str, grants: Vec<Grant>) {
    let new = NewPerson {
        id,
        login: login.to_owned(),
        name: "某某".to_owned(),
        phone: None,
        password_hash: "-".to_owned(),
        grants: Vec::new(),
    };
    let key = app.digest_key;
    let add = app.db.write(move |tx| {
        people::register(tx, &key, new.clone(), None, cast::BEGIN)?;
        for grant in &grants {
            people::add_grant(tx, &key, id, grant, None, cast::BEGIN)?;
        }
        Ok::<_, Failure>(())
    });
    add.await.unwrap();
}

/// A new install.
pub(super) async fn enrol(app: &App, id: InstallId, person_id: PersonId, public_key: Vec<u8>) {
    let row = installs::Install {
        id,
        person_id,
        device_name: "test".to_owned(),
        key_algorithm: 1,
        public_key,
        enrolled_at: cast::BEGIN,
        last_seen_at: None,
        revoked_at: None,
        revoked_reason: None,
        stolen: false,
    };
    let insert = app.db.write(move |tx| installs::insert(tx, &row));
    insert.await.unwrap();
}

/// What is not a request happens to this server too. `upto`: removals are forgotten up to here, at most; `None`: as the
/// job does, as far as everything was safe to deliver.
pub(super) async fn happen(app: &App, what: &Event, upto: Option<Position>) {
    match what {
        Event::Enrolled {
            install_id,
            person_id,
            public_key,
        } => enrol(app, *install_id, *person_id, public_key.clone()).await,
        Event::EnterpriseMoved { id, to } => {
            let id = *id;
            let firm = app.db.read(move |tx| places::enterprise(tx.conn(), id));
            let asked = relocate::Move {
                seen: firm.await.unwrap().unwrap().version,
                to: *to,
                reason: "厂房搬迁".to_owned(),
            };
            relocate::relocate(app, keeper(), id, asked).await.unwrap();
        }
        Event::RoleMoved {
            person_id,
            ended,
            begun,
        } => move_role(app, *person_id, ended.clone(), begun.clone()).await,
        Event::RemovalsForgotten => forget_removals(app, upto).await,
        Event::WindowsKept => while windows::keep(app).await.unwrap() {},
        Event::Push { .. } | Event::Pull { .. } => {}
    }
}

async fn move_role(app: &App, person: PersonId, ended: Vec<GrantId>, begun: Grant) {
    let (key, now) = (app.digest_key, app.clock.now());
    let moved = app.db.write(move |tx| {
        for id in &ended {
            crate::store::people::end_grant(tx, *id, now)?;
        }
        people::add_grant(tx, &key, person, &begun, None, now)
    });
    moved.await.unwrap();
}

/// As the job does to what is more than a year old.
async fn forget_removals(app: &App, upto: Option<Position>) {
    let forget = app.db.write(move |tx| {
        let upto = match upto {
            Some(upto) => upto,
            None => order::bounds(tx.conn())?.reached(),
        };
        forgotten::forget(tx, upto, i64::MAX)
    });
    forget.await.unwrap();
}
