//! `lists_bench [--rows 10000,1000000] [--on sqlite,postgres] [--each N]`: what lists, searches and counts of hazards cost in
//! databases of several sizes that hold the same answers, on SQLite and on PostgreSQL, and how the sizes compare.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot do its work stops and says why; it measures time"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::geography::Wgs84Point;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::search_text::Query;
use hazardloop_domain::time::Timestamp;
use hazardloop_server::app::App;
use hazardloop_server::clock::Clock;
use hazardloop_server::entropy::Entropy;
use hazardloop_server::serve;
use hazardloop_server::settings::Settings;
use hazardloop_server::store::{Conn, Db, StoreError, WriteTx, migrate};
use hazardloop_server::usecases::bulk::{self, Made};
use hazardloop_server::usecases::execute::Door;
use hazardloop_server::usecases::read::hazards::{Filters, Order, Span, count, list};
use hazardloop_server::usecases::read::{Area, Wanted};
use hazardloop_server::usecases::{enterprises, index_text, jurisdictions, people};
use hazardloop_tests::TestDatabase;
use rand::SeedableRng as _;
use uuid::Uuid;

/// Hazards whose answers are looked for: as many in every database.
const KEPT: u64 = 10_000;

/// Hazards of one transaction while the database is filled.
const AT_ONCE: u64 = 500;

/// 2026-01-01 in Shanghai, and a year later.
const START: i64 = 1_767_196_800_000;
const YEAR: i64 = 365 * 86_400_000;

/// Towns; the answers are in the first.
const TOWNS: u64 = 40;

/// Enterprises; the first ten are in the first town, the others elsewhere.
const FIRMS: u64 = 4_000;

fn id(kind: u64, number: u64) -> Uuid {
    let mut random = [0; 10];
    random[0] = u8::try_from(kind).unwrap();
    random[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(START).unwrap(), &random).into_uuid()
}

fn town(number: u64) -> JurisdictionId {
    JurisdictionId(id(1, 2 + number))
}

fn city() -> JurisdictionId {
    JurisdictionId(id(1, 0))
}

fn firm(number: u64) -> EnterpriseId {
    EnterpriseId(id(2, number))
}

/// Of the first town, then of the city.
fn person(number: u64) -> PersonId {
    PersonId(id(3, number))
}

fn town_of(firm: u64) -> u64 {
    if firm < 10 { 0 } else { 1 + firm % (TOWNS - 1) }
}

fn sector_of(firm: u64) -> String {
    ["工贸", "危化", "矿山", "建筑施工"][usize::try_from(firm % 4).unwrap()].to_owned()
}

async fn world(app: &App) {
    let key = app.digest_key;
    let now = Timestamp::from_millis(START);
    let work = move |tx: &mut WriteTx<'_>| {
        let all = [city(), JurisdictionId(id(1, 1))]
            .into_iter()
            .chain((0..TOWNS).map(town));
        for (number, id) in all.enumerate() {
            let (parent_id, level) = match number {
                0 => (None, Level::City),
                1 => (Some(city()), Level::District),
                _ => (Some(JurisdictionId(self::id(1, 1))), Level::Town),
            };
            let new = Jurisdiction {
                id,
                parent_id,
                name: format!("第{number}镇"),
                level,
                division_code: None,
                version: 1,
            };
            jurisdictions::add(tx, &key, &new, None, None, now)?;
        }
        for number in 0..FIRMS {
            let new = Enterprise {
                id: firm(number),
                name: format!("第{number}机械制造有限公司"),
                credit_code: None,
                jurisdiction_id: town(town_of(number)),
                sector: sector_of(number),
                address: None,
                position: None,
                version: 1,
            };
            enterprises::register(tx, &key, &new, None, now)?;
        }
        for (number, place) in [town(0), city(), city()].into_iter().enumerate() {
            let new = people::NewPerson {
                id: person(u64::try_from(number).unwrap()),
                login: format!("p{number}"),
                name: "某人".to_owned(),
                phone: None,
                password_hash: "-".to_owned(),
                grants: vec![(Role::Supervisor, GrantScope::Jurisdiction(place)).into()],
            };
            people::register(tx, &key, new, None, now)?;
        }
        Ok::<_, hazardloop_server::failure::Failure>(())
    };
    app.db.write(work).await.unwrap();
}

/// Hazard `number` of `rows`: one in so many is of the kept ones, the same in every database.
fn made(number: u64, rows: u64) -> Made {
    let every = rows / KEPT;
    let kept = number.is_multiple_of(every);
    let own = if kept { number / every } else { number };
    let (place, description) = bulk::words(usize::try_from(own * 7 % 600).unwrap());
    let words = if kept && own.is_multiple_of(250) {
        "，罐区防雷接地断开，丙烯腈泄漏"
    } else {
        ""
    };
    let firm_number = if kept && own % 5 == 2 {
        own / 5 % 10
    } else {
        10 + own % (FIRMS - 10)
    };
    let status = match (kept, own % 10) {
        (_, 0 | 1) => StatusName::Reported,
        (_, 2 | 3) => StatusName::Confirmed,
        (true, 4) => StatusName::PendingReinspection,
        _ => StatusName::Closed,
    };
    // Only kept ones are overdue by the end of the year.
    let overdue = kept && own % 100 == 2;
    let near = kept && own % 100 == 5;
    Made {
        id: HazardId(id(4, number)),
        enterprise_id: Some(firm(firm_number)),
        jurisdiction_id: town(town_of(firm_number)),
        sector: Some(sector_of(firm_number)),
        person_id: person(if kept && own % 50 == 1 { 1 } else { 2 }),
        source: if kept && own % 40 == 3 {
            Source::UnannouncedVisit
        } else {
            Source::DeptInspection
        },
        grade: if own % 20 == 2 {
            Grade::Major
        } else {
            Grade::General
        },
        criterion: (kept && own % 100 == 7).then(|| "GM10-11-3".to_owned()),
        description: format!("{description}{words}"),
        place_text: place.to_owned(),
        point: Some(Wgs84Point {
            longitude: if near {
                105.5
            } else {
                105.6 + (own % 1_000) as f64 / 5_000.0
            },
            latitude: if near {
                29.3
            } else {
                29.4 + (own / 1_000 % 1_000) as f64 / 5_000.0
            },
        }),
        status,
        due_date: if overdue { "2026-12-01" } else { "2027-03-01" }
            .parse()
            .unwrap(),
    }
}

async fn fill(app: &App, rows: u64) {
    let begun = Instant::now();
    for start in (0..rows).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let at = START + YEAR / i64::try_from(rows).unwrap() * i64::try_from(start).unwrap();
        let door = Door::new(app);
        let all: Vec<Made> = (start..(start + AT_ONCE).min(rows))
            .map(|n| made(n, rows))
            .collect();
        let write =
            move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, Timestamp::from_millis(at), &all);
        app.db.write(write).await.unwrap();
        if start % (rows / 10).max(AT_ONCE) == 0 {
            eprintln!(
                "  {start} of {rows} after {:.0} s",
                begun.elapsed().as_secs_f64()
            );
        }
    }
    let db = app.db.clone();
    let indexed =
        tokio::task::spawn_blocking(move || index_text::index_in_lots(&db, 4_096).unwrap());
    let indexed = indexed.await.unwrap();
    eprintln!(
        "  {indexed} indexed after {:.0} s",
        begun.elapsed().as_secs_f64()
    );
}

/// What is measured: a name, who asks, in which order, how, and whether it is counted.
struct Case {
    name: &'static str,
    who: PersonId,
    order: Order,
    filters: Filters,
    counts: bool,
}

fn cases(now: Timestamp) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name, who, order, filters| {
        cases.push(Case {
            name,
            who: person(who),
            order,
            filters,
            counts: false,
        });
    };
    let none = Filters::default;
    let text = |text: &str| Filters {
        text: Some(Query::new(text).unwrap()),
        ..none()
    };
    let (newest, due) = (Order::Newest, Order::Due);
    let overdue_majors = || Filters {
        grade: Some(Grade::Major),
        overdue: Some(true),
        ..none()
    };
    add("newest 50 of the city", 1, newest, none());
    add("newest 50 of one town", 0, newest, none());
    add(
        "state, in one town",
        0,
        newest,
        Filters {
            statuses: vec![StatusName::Confirmed],
            ..none()
        },
    );
    add(
        "state, in the city",
        1,
        newest,
        Filters {
            statuses: vec![StatusName::PendingReinspection],
            ..none()
        },
    );
    add("overdue majors, by due date", 1, due, overdue_majors());
    add("overdue majors, newest first", 1, newest, overdue_majors());
    add(
        "overdue, in one town",
        0,
        due,
        Filters {
            overdue: Some(true),
            ..none()
        },
    );
    add(
        "one enterprise",
        1,
        newest,
        Filters {
            enterprise_id: Some(firm(3)),
            ..none()
        },
    );
    add(
        "near a point",
        1,
        newest,
        Filters {
            area: Some(Area::Near {
                centre: Wgs84Point {
                    longitude: 105.5,
                    latitude: 29.3,
                },
                radius_m: 500.0,
            }),
            ..none()
        },
    );
    add(
        "one criterion",
        1,
        newest,
        Filters {
            criterion: Some("GM10-11-3".to_owned()),
            ..none()
        },
    );
    add(
        "one's own reports",
        1,
        newest,
        Filters {
            reported_by: Some(person(1)),
            ..none()
        },
    );
    add(
        "a sector, in one town",
        0,
        newest,
        Filters {
            sector: Some("危化".to_owned()),
            ..none()
        },
    );
    add(
        "a source and a state, in the city",
        1,
        newest,
        Filters {
            source: Some(Source::UnannouncedVisit),
            statuses: vec![StatusName::Confirmed],
            ..none()
        },
    );
    add(
        "received in one week, in one town",
        0,
        newest,
        Filters {
            received: Some(Span {
                from: now.as_millis() - 7 * 86_400_000,
                until: now.as_millis(),
            }),
            ..none()
        },
    );
    add("search 粉尘, in one town", 0, newest, text("粉尘"));
    add("search 安全, in the city", 1, newest, text("安全"));
    add("search 尘, in one town", 0, newest, text("尘"));
    add("search a rare word, in the city", 1, newest, text("丙烯腈"));
    add(
        "search two words, in the city",
        1,
        newest,
        text("接地 丙烯腈"),
    );
    add(
        "search part of a sentence, in the city",
        1,
        newest,
        text("罐区防雷接地断开"),
    );
    add(
        "search what is nowhere, in the city",
        1,
        newest,
        text("核反应堆"),
    );
    add(
        "search a word and a state, in the city",
        1,
        newest,
        Filters {
            statuses: vec![StatusName::Reported],
            ..text("丙烯腈")
        },
    );
    add("search, by due date, in the city", 1, due, text("丙烯腈"));
    let mut count = |name, who, filters| {
        let order = Order::Newest;
        cases.push(Case {
            name,
            who: person(who),
            order,
            filters,
            counts: true,
        });
    };
    count("count the city", 1, none());
    count("count one town", 0, none());
    count("count overdue majors, in the city", 1, overdue_majors());
    count("count a search, in one town", 0, text("粉尘"));
    count("count a rare search, in the city", 1, text("丙烯腈"));
    cases
}

/// How long one answer takes, the middle of many, and how many records it has.
async fn measure(app: &App, case: &Case, now: Timestamp, each: usize) -> (Duration, usize) {
    let (mut took, mut found) = (Vec::new(), 0);
    for _ in 0..each {
        let begun = Instant::now();
        let filters = case.filters.clone();
        found = if case.counts {
            count(app, case.who, filters, case.order, now)
                .await
                .unwrap()
                .count
        } else {
            let wanted = Wanted {
                after: None,
                limit: 50,
            };
            let page = list(app, case.who, filters, case.order, wanted, now)
                .await
                .unwrap();
            page.items.len()
        };
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    (took[took.len() / 2], found)
}

async fn run(url: &str, rows: u64, each: usize) -> Vec<(&'static str, Duration, usize)> {
    let url = url.parse().unwrap();
    migrate::migrate(&url).unwrap();
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        data_dir: data.path().to_owned(),
        ..Settings::default()
    };
    let db = Db::open(&url, settings.database.options()).unwrap();
    let shown = Arc::new(AtomicI64::new(START + YEAR));
    let shows = shown.clone();
    let clock = Clock::new(move || Timestamp::from_millis(shows.load(Ordering::SeqCst)));
    let entropy = Entropy::new(rand::rngs::StdRng::seed_from_u64(7));
    let app = serve::assemble(db, settings, clock, entropy).await.unwrap();
    world(&app).await;
    fill(&app, rows).await;
    if app
        .db
        .read_blocking(|tx| Ok::<_, StoreError>(matches!(tx.conn(), Conn::Postgres(_))))
        .unwrap()
    {
        // As its own housekeeping does, sooner or later.
        let analyze = |tx: &mut WriteTx<'_>| {
            diesel::sql_query("ANALYZE").execute(tx.conn())?;
            Ok::<_, StoreError>(())
        };
        app.db.write(analyze).await.unwrap();
    }
    let now = Timestamp::from_millis(START + YEAR);
    let mut figures = Vec::new();
    for case in cases(now) {
        let (took, found) = measure(&app, &case, now, each).await;
        figures.push((case.name, took, found));
    }
    figures
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut sizes, mut each, mut kinds) =
        (vec![10_000, 1_000_000], 15, "sqlite,postgres".to_owned());
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .unwrap_or_else(|| panic!("{name} needs a value"));
        match name.as_str() {
            "--rows" => sizes = value.split(',').map(|rows| rows.parse().unwrap()).collect(),
            "--each" => each = value.parse().unwrap(),
            "--on" => kinds = value,
            _ => panic!("unknown: {name}"),
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for kind in kinds.split(',') {
        let mut all = Vec::new();
        for rows in &sizes {
            eprintln!("{kind}, {rows} hazards");
            let database = match kind {
                "sqlite" => TestDatabase::sqlite(),
                _ => TestDatabase::postgres(),
            };
            all.push(runtime.block_on(run(database.url(), *rows, each)));
        }
        print(kind, &sizes, &all);
    }
}

fn print(kind: &str, sizes: &[u64], all: &[Vec<(&'static str, Duration, usize)>]) {
    let (first, last) = (&all[0], &all[all.len() - 1]);
    println!("\n### {kind}\n");
    println!(
        "| what | records | ms at {} | ms at {} | ratio |\n|---|---:|---:|---:|---:|",
        sizes[0],
        sizes[sizes.len() - 1]
    );
    for (small, large) in first.iter().zip(last) {
        let ms = |took: Duration| took.as_secs_f64() * 1_000.0;
        let records = if small.2 == large.2 {
            small.2.to_string()
        } else {
            format!("{} / {}", small.2, large.2)
        };
        println!(
            "| {} | {records} | {:.2} | {:.2} | {:.1} |",
            small.0,
            ms(small.1),
            ms(large.1),
            ms(large.1) / ms(small.1)
        );
    }
}
