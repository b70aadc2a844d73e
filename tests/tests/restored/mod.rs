//! A database restored from a backup: it is not served until somebody has said so, then devices
//! offer again what it lost, and the audit trail goes on.

use std::path::{Path, PathBuf};

use hazardloop_tests::TestDatabase;
use hazardloop_tests::backup::{copy_sqlite, dump, load};
use hazardloop_tests::device::Device;
use hazardloop_tests::link::Link;
use hazardloop_tests::photo::write_photo;
use hazardloop_tests::postgres::{Cluster, Database, psql};
use hazardloop_tests::process::described;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::{Value, json};

const BEGIN_EPOCH: [&str; 6] = [
    "restore",
    "begin-epoch",
    "--by",
    "张三",
    "--reason",
    "磁盘损坏",
];

/// A server with two devices, and what they say.
struct Office {
    server: Server,
    link: Link,
    employee: Device,
    inspector: Device,
}

impl Office {
    fn open(database: &str) -> Self {
        let server = Server::start(database, ServerOptions::default());
        let link = Link::to(server.address());
        let device = |user: &str| {
            let device = Device::new(&link.url(), user);
            device.ok(&["enroll"]);
            device.ok(&["sync"]);
            device
        };
        let (employee, inspector) = (device("employee"), device("inspector1"));
        Self {
            server,
            link,
            employee,
            inspector,
        }
    }

    fn reported(&self, text: &str) -> String {
        let arguments = [
            "report",
            "--no-photo",
            "防爆区",
            "--place",
            "车间",
            "--text",
            text,
        ];
        let reported = self.employee.json(&arguments);
        self.settle();
        reported["hazard_id"].as_str().unwrap().to_owned()
    }

    /// A report whose photo the server has verified, so that the device holds it no longer.
    fn photographed(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        let photo = write_photo(folder.path(), "photo.jpg", 1, 20_000);
        let photo = photo.to_str().unwrap();
        let arguments = [
            "report",
            "--photo",
            photo,
            "--place",
            "车间",
            "--text",
            "有照片",
        ];
        let reported = self.employee.json(&arguments);
        self.settle();
        let hazard = reported["hazard_id"].as_str().unwrap().to_owned();
        assert_eq!(self.photo_of(&hazard), "verified");
        hazard
    }

    fn photo_of(&self, hazard: &str) -> Value {
        let held = &self.employee.json(&["show", hazard])["hazard"];
        held["photos"][0]["state"]["name"].clone()
    }

    fn noted(&self, hazard: &str, text: &str) {
        self.employee.ok(&["note", hazard, "--text", text]);
        self.settle();
    }

    /// Everybody syncs until nothing is under way.
    fn settle(&self) {
        for device in [
            &self.employee,
            &self.inspector,
            &self.employee,
            &self.inspector,
        ] {
            device.ok(&["sync"]);
        }
        let status = self.employee.json(&["status"]);
        assert_eq!(
            (&status["on_device"], &status["needs_attention"]),
            (&json!(0), &json!(0)),
            "{status}"
        );
    }

    fn start_again(&mut self) {
        self.server.restart();
        self.link.lead_to(self.server.address());
    }

    fn notes_of(&self, hazard: &str) -> Vec<Value> {
        let inspector = self.server.rest().signed_in("inspector1");
        let path = format!("/api/v1/hazards/{hazard}");
        let seen = inspector.get(&path).expect_status(&[200]).json();
        for device in [&self.employee, &self.inspector] {
            let held = &device.json(&["show", hazard])["hazard"];
            assert_eq!(held["version"], seen["version"], "a replica differs");
            assert_eq!(held["notes"], seen["notes"], "a replica differs");
        }
        let notes = seen["notes"].as_array().unwrap().iter();
        notes.map(|note| note["text"].clone()).collect()
    }

    /// The server is stopped; its audit trail is sound. Answers its head.
    fn audited(&self, kept: Option<&str>) -> String {
        let mut arguments = vec!["audit", "verify", "--json"];
        arguments.extend(kept.into_iter().flat_map(|head| ["--kept-head", head]));
        let verified = self.server.task(&arguments);
        assert!(verified.status.success(), "{}", described(&verified));
        let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert_eq!(
            (&report["faults"], &report["unsealed"]),
            (&json!(0), &json!(0))
        );
        let head = &report["head"];
        format!("{}:{}", head["position"], head["hash"].as_str().unwrap())
    }

    fn told(&self, arguments: &[&str]) {
        let output = self.server.task(arguments);
        assert!(output.status.success(), "{}", described(&output));
    }

    /// Neither serves nor migrates nor administers, and says what to do.
    fn refused(&self) {
        let serve = ["serve", "--demo", "--listen", "127.0.0.1:0"];
        for arguments in [&serve[..], &["migrate"], &["user", "list"]] {
            let output = self.server.task(arguments);
            assert_eq!(output.status.code(), Some(1), "{}", described(&output));
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(said.trim().lines().count(), 1, "{said}");
            assert!(said.contains("`hazardloop restore begin-epoch`"), "{said}");
            assert!(said.contains("数据库是恢复或复制而来的"), "{said}");
        }
    }
}

/// Uses up transaction ids, so that what is stored lies above those of a new cluster.
fn use_up_ids(url: &str) {
    psql(
        url,
        "DO $$ BEGIN FOR i IN 1..3000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$",
    )
    .unwrap();
}

#[test]
fn a_dump_in_a_new_cluster_is_refused_until_an_epoch_begins_and_then_loses_nothing() {
    let before = TestDatabase::postgres();
    use_up_ids(before.url());
    let mut office = Office::open(before.url());
    let hazard = office.reported("积尘");
    office.noted(&hazard, "备份之前");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.sql");
    dump(before.url(), &file);
    office.noted(&hazard, "备份之后");
    let later = office.photographed();
    let newcomer = Device::new(&office.link.url(), "principal");
    newcomer.ok(&["enroll"]);
    newcomer.ok(&["sync"]);
    newcomer.ok(&["note", &hazard, "--text", "新设备"]);
    newcomer.ok(&["sync"]);
    assert!(office.server.stop().success());

    let cluster = Cluster::start(false).unwrap();
    let restored = Database::create_on(cluster.url()).unwrap();
    load(restored.url(), &file);
    office.server.use_database(restored.url());
    office.refused();
    office.told(&BEGIN_EPOCH);
    let head = office.audited(None);
    office.start_again();
    office.settle();
    assert_eq!(office.notes_of(&hazard), ["备份之前", "备份之后"]);
    // The photo came after the backup: it lies in the data folder, and the device has none.
    assert_eq!(office.photo_of(&later), "awaiting_photo");
    office.told(&["restore", "photos"]);
    office.settle();
    assert_eq!(office.photo_of(&later), "verified");
    // A device that the backup does not know enrols again, and keeps its work.
    assert!(!newcomer.run(&["sync"]).status.success());
    newcomer.ok(&["enroll"]);
    newcomer.ok(&["sync"]);
    newcomer.ok(&["sync"]);
    office.settle();
    assert_eq!(office.notes_of(&hazard), ["备份之前", "备份之后", "新设备"]);
    office.noted(&hazard, "恢复之后");
    assert_eq!(office.notes_of(&hazard)[3..], ["恢复之后"]);
    assert!(office.server.stop().success());
    office.audited(Some(&head));

    // What was settled stays so, and a second restore is noticed like the first.
    office.start_again();
    assert!(office.server.stop().success());
    dump(restored.url(), &file);
    let again = Database::create_on(cluster.url()).unwrap();
    load(again.url(), &file);
    office.server.use_database(again.url());
    office.refused();
    // All of it is there: devices may go on.
    office.told(&["restore", "keep-epoch", "--by", "张三", "--reason", "换库"]);
    office.start_again();
    office.noted(&hazard, "搬迁之后");
    assert_eq!(office.notes_of(&hazard).len(), 5);
    assert!(office.server.stop().success());
    office.audited(Some(&head));
}

fn sqlite_file(database: &TestDatabase) -> PathBuf {
    Path::new(database.url().strip_prefix("sqlite://").unwrap()).to_owned()
}

#[test]
fn an_older_sqlite_file_is_noticed_by_devices_and_settled_by_an_epoch() {
    let database = TestDatabase::sqlite();
    let mut office = Office::open(database.url());
    let hazard = office.reported("积尘");
    office.noted(&hazard, "备份之前");
    assert!(office.server.stop().success());
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    copy_sqlite(&sqlite_file(&database), &copy);
    office.start_again();
    office.noted(&hazard, "备份之后");
    let expected = ["备份之前", "备份之后"];
    assert!(office.server.stop().success());

    // Nobody says anything: devices notice, and nothing is lost.
    copy_sqlite(&copy, &sqlite_file(&database));
    office.start_again();
    office.settle();
    assert_eq!(office.notes_of(&hazard), expected);
    assert!(
        office
            .server
            .log()
            .contains("`hazardloop restore begin-epoch`")
    );
    assert!(office.server.stop().success());
    office.audited(None);

    copy_sqlite(&copy, &sqlite_file(&database));
    let epoch = |office: &Office| office.employee.json(&["status"])["epoch"].clone();
    let old = epoch(&office);
    office.told(&BEGIN_EPOCH);
    office.start_again();
    office.settle();
    assert_ne!(epoch(&office), old);
    assert_eq!(office.notes_of(&hazard), expected);
    assert!(office.server.stop().success());
    office.audited(None);
}

#[test]
fn a_replica_that_took_over_is_served_as_if_nothing_had_been() {
    let primary = Cluster::start(false).unwrap();
    psql(primary.url(), "CREATE DATABASE office").unwrap();
    let database = primary.url_of("office").unwrap();
    let mut office = Office::open(&database);
    let hazard = office.reported("积尘");
    let epoch = office.employee.json(&["status"])["epoch"].clone();
    let replica = primary.replica().unwrap();
    office.noted(&hazard, "换机之前");
    assert!(office.server.stop().success());
    primary.is_followed().unwrap();
    drop(primary);
    replica.promote().unwrap();
    office
        .server
        .use_database(&replica.url_of("office").unwrap());
    office.start_again();
    office.noted(&hazard, "换机之后");
    assert_eq!(office.notes_of(&hazard), ["换机之前", "换机之后"]);
    assert_eq!(office.employee.json(&["status"])["epoch"], epoch);
    assert!(office.server.stop().success());
    office.audited(None);
}

#[test]
fn a_server_whose_database_is_exchanged_under_it_stops() {
    let database = TestDatabase::postgres();
    let mut server = Server::start(database.url(), ServerOptions::default());
    // As pg_restore --clean leaves it: with other tables than those that were recorded.
    let exchanged = "UPDATE server_meta SET value = regexp_replace(value, 'table=.*', 'table=1') \
                     WHERE name = 'database_identity'";
    psql(database.url(), exchanged).unwrap();
    assert_eq!(server.ends().code(), Some(1));
    assert!(server.log().contains("`hazardloop restore begin-epoch`"));
}
