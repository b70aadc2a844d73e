//! What ends while a phone is without signal: a role that was given for a time, and an inspector's certificate. What the
//! phone shows then, what becomes of the work that arrives later, and what those who answer for it see. On both
//! databases.

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::link::Link;
use hazardloop_tests::rest::Rest;
use hazardloop_tests::server::{DEMO_PASSWORD, Server, ServerOptions};
use serde_json::{Value, json};

/// 09:00 in Shanghai.
const MORNING: &str = "2026-11-22T01:00:00Z";
const NOON: &str = "2026-11-22T04:00:00Z";
const EVENING: &str = "2026-11-22T11:00:00Z";
/// The next day: a certificate that was valid to the 22nd has run out.
const NEXT_DAY: &str = "2026-11-23T01:00:00Z";
const NEXT_NOON: &str = "2026-11-23T04:00:00Z";

struct Office {
    server: Server,
    link: Link,
}

impl Office {
    fn open(url: &str) -> Self {
        let server = Server::start(url, ServerOptions::default().at(MORNING));
        let link = Link::to(server.address());
        Self { server, link }
    }

    fn device(&self, user: &str, seed: u64) -> Device {
        let device = Device::new(&self.link.url(), user).repeatable(MORNING, seed);
        device.ok(&["enroll", "--name", user]);
        device.ok(&["sync"]);
        device
    }

    /// Time passes at the server.
    fn is(&mut self, when: &str) {
        self.server.stop();
        self.server.set_clock(when);
        self.server.restart();
        self.link.lead_to(self.server.address());
    }

    fn desk(&self, user: &str) -> Rest {
        self.server.rest().signed_in(user)
    }

    /// Somebody of the sample accounts, as the administrator sees them.
    fn person(&self, login: &str) -> Value {
        let people = self.desk("admin").get("/api/v1/people?limit=200").json();
        let mut all = people["items"].as_array().unwrap().iter();
        let found = all.find(|person| person["login"] == login).unwrap();
        let id = found["id"].as_str().unwrap();
        self.desk("admin")
            .get(&format!("/api/v1/people/{id}"))
            .json()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| text(&item["id"])).collect()
}

fn reported(device: &Device, enterprise: &str, what: &str) -> String {
    let found = device.json(&[
        "report",
        "--place",
        "车间",
        "--text",
        what,
        "--no-photo",
        "黑暗",
        "--enterprise",
        enterprise,
    ]);
    device.ok(&["sync"]);
    text(&found["hazard_id"]).to_owned()
}

#[test]
fn a_role_that_ends_while_the_phone_is_away_shows_nothing_more_there() {
    each_database(|url| {
        let mut office = Office::open(url);
        let own = office.device("employee", 2);
        let firm = own.json(&["enterprises"])[0]["id"].clone();
        let at_home = reported(&own, text(&firm), "本企业的隐患");
        let district = office.person("inspector1")["grants"][0]["scope"].clone();
        let employee = office.person("employee");
        let path = format!("/api/v1/people/{}/grants", text(&employee["id"]));
        let grant = json!({
            "id": "0195e8a0-0000-7000-8000-0000000000c1", "role": "inspector",
            "scope": district, "valid_until": NOON,
        });
        let version = format!("\"{}\"", employee["version"]);
        let fields = [
            ("content-type", "application/json"),
            ("if-match", version.as_str()),
        ];
        let body = grant.to_string();
        let admin = office.desk("admin");
        admin
            .ask("POST", &path, &fields, Some(body.as_bytes()))
            .expect_status(&[201]);

        let inspector = office.device("inspector1", 1);
        let elsewhere = reported(&inspector, "机械加工", "别处的隐患");
        let mut phone = office.device("employee", 3);
        let before = phone.json(&["list"]);
        assert!(ids(&before).contains(&elsewhere.as_str()), "{before}");
        let firms = ids(&phone.json(&["enterprises"])).len();

        // No signal, and the role ends.
        office.link.cut();
        phone.set_clock(NOON);
        let list = phone.json(&["list"]);
        assert_eq!(ids(&list), [at_home.as_str()], "{list}");
        assert_eq!(phone.run(&["show", &elsewhere]).status.code(), Some(2));
        assert!(ids(&phone.json(&["enterprises"])).len() < firms);
        for (lang, words) in [("zh", "职权已到期"), ("en", "your role there has ended")] {
            let told = phone.ok(&["list", "--lang", lang]);
            assert!(told.contains(words), "{told}");
        }
        let lapsed = phone.json(&["status"])["lapsed_scopes"].clone();
        // What waited for them by name, and the place itself.
        let lapsed: Vec<&str> = lapsed
            .as_array()
            .unwrap()
            .iter()
            .flat_map(Value::as_str)
            .collect();
        let [tasks, place] = lapsed[..] else {
            panic!("{lapsed:?}");
        };
        let place = place.strip_prefix("jurisdiction:").unwrap();
        assert!(
            tasks.starts_with("tasks:") && tasks.ends_with(place),
            "{lapsed:?}"
        );
        // The clock was wrong: nothing was deleted for that.
        phone.set_clock(MORNING);
        assert_eq!(ids(&phone.json(&["list"])), ids(&before));

        // At the next contact the server says so, and it is gone, whatever the clock says afterwards.
        phone.set_clock(NOON);
        office.is(EVENING);
        office.link.restore();
        phone.set_clock(EVENING);
        phone.ok(&["sync"]);
        phone.set_clock(MORNING);
        let list = phone.json(&["list"]);
        assert!(!ids(&list).contains(&elsewhere.as_str()), "{list}");
        assert_eq!(phone.json(&["status"])["lapsed_scopes"], json!([]));
    });
}

/// An inspector whose certificate is valid to the 22nd, at the side of `inspector2`.
fn newcomer(office: &Office) {
    let scope = office.person("inspector1")["grants"][0]["scope"].clone();
    let new = json!({
        "id": "0195e8a0-0000-7000-8000-0000000000d1", "login": "newcomer", "name": "李新",
        "password": DEMO_PASSWORD,
        "grants": [{
            "role": "inspector", "scope": scope,
            "certificate": { "number": "示例执法证7001", "valid_to": "2026-11-22" },
        }],
    });
    let added = office.desk("admin").post("/api/v1/people", &new);
    added.expect_status(&[201]);
}

/// A visit of both, begun on the phone of the first; its id.
fn begun(phone: &Device, colleague: &str) -> String {
    let started = phone.json(&[
        "inspect",
        "start",
        "--kind",
        "tip",
        "--enterprise",
        "打磨厂",
        "--checklist",
        "GM-CK-I-DUST@1",
        "--must",
        "1",
        "--place",
        "打磨车间",
        "--with",
        colleague,
        "--basis",
        "举报线索",
        "--reason",
        "接到举报",
        "--certificates-shown",
        "--rights-told",
    ]);
    let id = text(&started["inspection_id"]).to_owned();
    phone.ok(&["inspect", "result", &id, "--ok", "1"]);
    id
}

#[test]
fn a_certificate_that_runs_out_while_the_phone_is_away_decides_nothing_by_itself() {
    each_database(|url| {
        let mut office = Office::open(url);
        newcomer(&office);
        let colleague = text(&office.person("inspector2")["id"]).to_owned();
        let mut phone = office.device("newcomer", 1);
        let mut beside = office.device("inspector2", 2);
        let (first, second) = (begun(&phone, &colleague), begun(&phone, &colleague));
        phone.ok(&["sync"]);

        // No signal. By day they sign the first; the colleague has seen that, and is home before midnight.
        office.link.cut();
        phone.set_clock(NOON);
        phone.ok(&["inspect", "sign", &first]);
        let head = phone.json(&["witness", "show"])["text"].clone();
        beside.set_clock(NOON);
        beside.ok(&["witness", "take", text(&head)]);
        office.is(EVENING);
        office.link.restore();
        beside.set_clock(EVENING);
        beside.ok(&["sync"]);
        office.link.cut();

        // The next day the certificate has run out: they may assist, and may not complete.
        phone.set_clock(NEXT_DAY);
        phone.ok(&["inspect", "sign", &second]);
        let shown = phone.ok(&["inspect", "show", &second, "--lang", "zh"]);
        assert!(shown.contains("不计入执法人员"), "{shown}");
        let complete = [
            "inspect",
            "complete",
            &second,
            "--situation",
            "无",
            "--nothing-found",
        ];
        let refused = phone.run(&complete);
        assert_eq!(
            refused.status.code(),
            Some(3),
            "the phone knows that already"
        );
        // What was signed in time is doubtful by now, and says why.
        let shown = phone.ok(&["inspect", "show", &first, "--lang", "zh"]);
        assert!(shown.contains("须持有效执法证件"), "{shown}");

        office.is(NEXT_NOON);
        office.link.restore();
        phone.set_clock(NEXT_NOON);
        let run = phone.run(&["sync"]);
        assert_eq!(run.status.code(), Some(5), "a person is needed");

        // The author: the one waits for a person, the other was taken as assistance.
        let open = phone.json(&["attention"]);
        let [waits] = open.as_array().unwrap().as_slice() else {
            panic!("{open}");
        };
        assert_eq!(waits["kind"], "sign_inspection", "{waits}");
        assert_eq!(waits["outcome"]["name"], "quarantined", "{waits}");
        let told = phone.run(&["attention", "--lang", "zh"]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains("执法证已失效"), "{told}");

        // Whoever answers for it: what it is about, and what proves when it was made.
        let desk = office.desk("head");
        let listed = desk.get("/api/v1/quarantined").json();
        let [one] = listed["items"].as_array().unwrap().as_slice() else {
            panic!("{listed}");
        };
        assert_eq!(one["kind"], "sign_inspection", "{one}");
        assert!(text(&one["detail"]).contains("certificate"), "{one}");
        let proof = &one["time_proof"];
        assert_eq!(proof["level"], "witnessed", "{one}");
        assert!(
            text(&proof["proven_at"]).starts_with("2026-11-22T11"),
            "{one}"
        );

        // On the record: nothing of the first, and of the second a signature that does not count.
        let inspection = |id: &str| desk.get(&format!("/api/v1/inspections/{id}")).json();
        assert_eq!(inspection(&first)["signatures"], json!([]));
        let signatures = inspection(&second)["signatures"].clone();
        assert_eq!(signatures[0]["certified"], false, "{signatures}");

        // At the desk they sign as who assists, and complete nothing.
        let desk = office.desk("newcomer");
        let complete = json!({
            "command_id": "0195e8a0-0000-7000-8000-0000000000e1",
            "command": {
                "kind": "complete_inspection", "completed_at": NEXT_NOON, "situation": "无",
                "no_hazard_found": true,
            },
        });
        let refused = desk.post(&format!("/api/v1/inspections/{second}/commands"), &complete);
        assert_eq!(
            refused.expect_status(&[403]).problem(),
            "CERTIFICATE_NEEDED"
        );
    });
}
