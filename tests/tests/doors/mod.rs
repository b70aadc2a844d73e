//! Every door shows the same: what a device lists from its replica, without signal, is what REST lists to the same
//! person; and what it asks the server for is what REST answers.

use hazardloop_tests::device::Device;
use hazardloop_tests::each_database;
use hazardloop_tests::rest::Rest;
use hazardloop_tests::server::{Server, ServerOptions};
use serde_json::{Value, json};

const NOW: &str = "2026-11-22T01:00:00Z";

fn device(server: &Server, user: &str, seed: u64) -> Device {
    let device = Device::new(&format!("http://{}", server.address()), user).repeatable(NOW, seed);
    device.ok(&["enroll", "--name", user]);
    device.ok(&["sync"]);
    device
}

fn report(device: &Device, more: &[&str]) -> String {
    let words = ["report", "--place", "一号车间", "--no-photo", "黑暗"];
    let found = device.json(&[&words[..], more].concat());
    found["hazard_id"].as_str().unwrap().to_owned()
}

/// Two hazards at enterprises, of which the first has an order by two inspectors, and one of which nobody knows the
/// sector. Gives the first.
fn recorded(inspectors: &[Device; 2]) -> String {
    let [one, two] = inspectors;
    let dust = [
        "--text",
        "除尘管道积尘",
        "--major",
        "--enterprise",
        "打磨厂",
    ];
    let at = ["--criterion", "GM-10-3-2@1", "--at", "105.594,29.405@wgs84"];
    let ordered = report(one, &[&dust[..], &at[..]].concat());
    report(
        one,
        &[
            "--text",
            "配电箱无门",
            "--enterprise",
            "机械加工",
            "--source",
            "tipoff",
        ],
    );
    report(
        one,
        &["--text", "路边气味异常", "--at", "105.6,29.41@wgs84"],
    );
    one.ok(&[
        "confirm",
        &ordered,
        "--criterion",
        "GM-10-3-2@1",
        "--category",
        "粉尘涉爆",
        "--responsible",
        "周小河",
        "--requirement",
        "停产清扫",
        "--within",
        "10d",
        "--served-by",
        "王强",
        "--refused",
        "对结论有异议",
        "--witness",
        "李四",
    ]);
    one.ok(&["sync"]);
    two.ok(&["sync"]);
    two.ok(&["decide", &ordered, "proposal", "--yes", "--opinion", "属实"]);
    for inspector in [two, one] {
        inspector.ok(&["sync"]);
    }
    ordered
}

fn ids(items: &Value, name: &str) -> Vec<Value> {
    let items = items.as_array().unwrap().iter();
    items.map(|item| item[name].clone()).collect()
}

/// Without what only a device knows: its commands under way.
fn without_pending(shown: &Value) -> Value {
    let mut shown = shown.clone();
    assert_eq!(shown["pending"], json!([]));
    shown.as_object_mut().unwrap().remove("pending");
    shown
}

#[test]
fn a_device_lists_hazards_orders_and_packs_as_rest_does() {
    each_database(|url| {
        let server = Server::start(url, ServerOptions::default().at(NOW));
        let inspectors = [
            device(&server, "inspector1", 1),
            device(&server, "inspector2", 2),
        ];
        let ordered = recorded(&inspectors);
        let (phone, desk) = (&inspectors[0], server.rest().signed_in("inspector1"));
        hazards(phone, &desk);
        orders(phone, &desk, &ordered);
        packs(phone, &desk);
        catalog(phone, &desk);
    });
}

fn hazards(phone: &Device, desk: &Rest) {
    let firms = phone.json(&["enterprises"]);
    let mut firms = firms.as_array().unwrap().iter();
    let firm = firms
        .find(|firm| firm["name"].as_str().unwrap().contains("打磨厂"))
        .unwrap();
    let (firm, place) = (
        firm["id"].as_str().unwrap(),
        firm["jurisdiction_id"].as_str().unwrap(),
    );
    let cases: &[(&[&str], &str, usize)] = &[
        (&[], "", 3),
        (
            &["--state", "confirmed,closed"],
            "status=confirmed,closed",
            1,
        ),
        (&["--grade", "major"], "grade=major", 1),
        (&["--enterprise", firm], &format!("enterprise_id={firm}"), 1),
        (
            &["--jurisdiction", place],
            &format!("jurisdiction_id={place}"),
            2,
        ),
        (
            &["--sector", "industry-and-trade"],
            "sector=industry-and-trade",
            2,
        ),
        (&["--sector", "工贸"], "sector=%E5%B7%A5%E8%B4%B8", 2),
        (&["--criterion", "GM-10-3-2"], "criterion=GM-10-3-2", 1),
        (&["--source", "tipoff"], "source=tipoff", 1),
        (&["--mine"], "reporter=me", 3),
        (&["--search", "积尘"], "q=%E7%A7%AF%E5%B0%98", 1),
        (&["--since", NOW], &format!("received_from={NOW}"), 3),
        (
            &["--until", "2026-11-21"],
            "received_until=2026-11-21T15:59:59.999Z",
            0,
        ),
        (&["--due-until", "2026-12-31"], "due_until=2026-12-31", 1),
        (
            &["--near", "105.594,29.405,100@wgs84"],
            "near=105.594,29.405@wgs84&radius_m=100",
            1,
        ),
        (
            &["--bbox", "105.59,29.4,105.61,29.42@gcj02"],
            "bbox=105.59,29.4,105.61,29.42@gcj02",
            2,
        ),
        (&["--overdue"], "overdue=true", 0),
        (&["--not-overdue"], "overdue=false", 3),
    ];
    for (words, query, count) in cases {
        let here = phone.json(&[&["list"], *words].concat());
        let there = desk.get(&format!("/api/v1/hazards?{query}")).json();
        assert_eq!(ids(&here, "id"), ids(&there["items"], "id"), "{words:?}");
        assert_eq!(here.as_array().unwrap().len(), *count, "{words:?}: {here}");
        // The same words look up on the server what may not be here.
        let found = phone.json(&[&["find"], *words].concat());
        assert_eq!(
            ids(&found["items"], "id"),
            ids(&there["items"], "id"),
            "find {words:?}"
        );
    }
}

fn orders(phone: &Device, desk: &Rest, ordered: &str) {
    let here = phone.json(&["orders"]);
    let there = desk.get("/api/v1/orders").json();
    let items = here["items"].as_array().unwrap().iter();
    let items: Vec<Value> = items.map(without_pending).collect();
    assert_eq!(json!(items), there["items"]);
    assert_eq!(items.len(), 1);
    let whole = desk.get(&format!("/api/v1/orders/{ordered}")).json();
    let asked = phone.json(&["orders", ordered, "--online"]);
    assert_eq!(without_pending(&asked), whole);
    let mut offline = without_pending(&phone.json(&["orders", ordered]));
    // All but what no replica holds of the other inspector.
    assert_eq!(offline["signatories"][0], whole["signatories"][0]);
    assert_eq!(
        offline["signatories"][1]["person_id"],
        whole["signatories"][1]["person_id"]
    );
    offline["signatories"] = whole["signatories"].clone();
    assert_eq!(offline, whole);
    let document = phone.ok(&["orders", ordered]);
    for part in [
        "due: 2026-12-02; 10 calendar days from 2026-11-22",
        "refused to sign: 对结论有异议",
        "--online",
    ] {
        assert!(document.contains(part), "{part} in:\n{document}");
    }
}

fn packs(phone: &Device, desk: &Rest) {
    let here = phone.json(&["packs"]);
    let there = desk.get("/api/v1/packs?limit=200").json();
    assert_eq!(ids(&here, "name"), ids(&there["items"], "name"));
    assert_eq!(ids(&here, "version"), ids(&there["items"], "version"));
    assert_eq!(ids(&here, "criteria"), ids(&there["items"], "criteria"));
    let lists = here.as_array().unwrap().iter();
    let lists: Vec<usize> = lists
        .map(|pack| pack["checklists"].as_array().unwrap().len())
        .collect();
    assert_eq!(json!(lists), json!(ids(&there["items"], "checklists")));
}

/// Criteria and checklists, by the same filters offline as over REST.
fn catalog(phone: &Device, desk: &Rest) {
    let cases: &[(&[&str], &str)] = &[
        (&["checklists"], "checklists?retired=false"),
        (&["checklists", "--retired"], "checklists?retired=true"),
        (
            &["checklists", "--cadence", "daily"],
            "checklists?cadence=daily",
        ),
        (
            &[
                "checklists",
                "--sector",
                "工贸",
                "--site-type",
                "dust-workshop",
            ],
            "checklists?sector=%E5%B7%A5%E8%B4%B8&site_type=dust-workshop",
        ),
        (
            &["criteria", "--standard", "RQ-4"],
            "criteria?standard=RQ-4",
        ),
        (&["criteria", "--citable"], "criteria?citable=true"),
        (&["criteria", "--not-citable"], "criteria?citable=false"),
        (
            &[
                "criteria",
                "--sector",
                "燃气",
                "--in-force-on",
                "2026-11-22",
            ],
            "criteria?sector=%E7%87%83%E6%B0%94&in_force_on=2026-11-22",
        ),
        (
            &["criteria", "--in-force-on", "1999-01-01"],
            "criteria?in_force_on=1999-01-01",
        ),
    ];
    let mut found = Vec::new();
    for (words, query) in cases {
        let here = ids(&phone.json(words), "code");
        assert_eq!(here, all_codes(desk, query), "{words:?}");
        found.push(here.len());
    }
    let (lists, criteria) = found.split_at(4);
    assert!(
        lists[2] > 0 && lists[2] < lists[0] && lists[3] > 0 && lists[3] < lists[0],
        "{lists:?}"
    );
    assert!(criteria[..4].iter().all(|found| *found > 0), "{criteria:?}");
    assert!(criteria[4] < criteria[1] + criteria[2], "{criteria:?}");
    // Words and a filter together: the best of those that pass.
    let words = [
        "criteria",
        "除尘",
        "管道",
        "积尘",
        "--citable",
        "--limit",
        "5",
    ];
    let here = phone.json(&words);
    assert_eq!(here.as_array().unwrap().len(), 5);
    for criterion in here.as_array().unwrap() {
        assert_ne!(criterion["citability"], "not_citable", "{criterion}");
    }
}

/// The codes of every page of a list.
fn all_codes(desk: &Rest, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk
            .get(&format!("/api/v1/{query}&limit=200{after}"))
            .json();
        found.extend(ids(&page["items"], "code"));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

#[test]
fn desk_work_is_read_from_the_server_by_the_devices_own_session() {
    each_database(|url| {
        let mut server = Server::start(url, ServerOptions::default().at(NOW));
        let inspectors = [
            device(&server, "inspector1", 1),
            device(&server, "inspector2", 2),
        ];
        recorded(&inspectors);
        let head = device(&server, "head", 3);
        let desk = server.rest().signed_in("head");

        let here = head.json(&["unclaimed"]);
        assert_eq!(
            here["items"],
            desk.get("/api/v1/hazards/unclaimed").json()["items"]
        );
        assert_eq!(here["items"].as_array().unwrap().len(), 1, "{here}");
        let refused = inspectors[0].run(&["unclaimed"]);
        assert_eq!(refused.status.code(), Some(3), "inspectors may not");

        let gas = head.ok(&["responsibilities", "--sector", "town-gas"]);
        let own = head.json(&["responsibilities"]);
        let rows = own["responsibilities"]["rows"].as_array().unwrap().iter();
        let mut rows = rows.filter(|row| row["sector"] == "town-gas");
        let department = rows.next().unwrap()["department"].as_str().unwrap();
        assert!(gas.contains(department), "{gas}");

        let of = |login: &str| {
            let session = server
                .rest()
                .signed_in(login)
                .get("/api/v1/sessions/current");
            session.json()["person"].clone()
        };
        let (from, to) = (of("inspector1"), of("inspector2"));
        let own = [
            "hand-over",
            "--from",
            "inspector1",
            "--to",
            "inspector2",
            "--reason",
            "调任其他岗位",
        ];
        let refused = device(&server, "employee", 4).run(&own);
        assert_eq!(refused.status.code(), Some(2), "sees no inspectors");
        // By name the first time; afterwards the predecessor holds no role by which the head would see them.
        let id = "0193ab12-0000-7000-8000-0000000000aa";
        let made = head.json(&[&own[..], &["--again", id]].concat());
        assert_eq!(made["to_person"], to["id"]);
        let people = [from["id"].as_str().unwrap(), to["id"].as_str().unwrap()];
        let by_id = [
            "hand-over",
            "--from",
            people[0],
            "--to",
            people[1],
            "--reason",
            "调任其他岗位",
        ];
        assert_eq!(
            head.json(&[&by_id[..], &["--again", id]].concat())["made_at"],
            made["made_at"],
            "asked again, it is not done twice"
        );
        let twice = head.run(&by_id);
        assert_eq!(twice.status.code(), Some(3), "nothing is left to hand over");
        let told = head.ok(&["hand-overs"]);
        let line = format!(
            "{} → {}",
            from["name"].as_str().unwrap(),
            to["name"].as_str().unwrap()
        );
        assert!(told.contains(&line), "{told}");
        let successor = inspectors[1].json(&["hand-overs"]);
        assert_eq!(ids(&successor["items"], "reason"), ["调任其他岗位"]);
        assert!(
            device(&server, "employee", 4)
                .ok(&["hand-overs"])
                .contains("no hand-over concerns you")
        );

        server.stop();
        for words in ["unclaimed", "responsibilities", "hand-overs"] {
            assert_eq!(head.run(&[words]).status.code(), Some(4), "{words}");
        }
        assert_eq!(
            head.json(&["list"]).as_array().unwrap().len(),
            3,
            "the replica stays"
        );
    });
}
