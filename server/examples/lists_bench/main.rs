//! `lists_bench [--rows 10000,1000000] [--on sqlite,postgres] [--each N] [--keep DIR]`: what lists, searches and counts of
//! hazards cost in databases of several sizes that hold the same answers, on SQLite and on PostgreSQL, and how the sizes
//! compare. Filling the largest takes most of the time: `--keep` fills what is not yet in a folder, and measures it there.
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

mod kept;
mod world;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::enterprise::{Enterprise, EnterpriseProfile};
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
use rand::SeedableRng as _;
use uuid::Uuid;

use self::kept::Place;
use self::world::*;

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
            criterion: Some("GM-10-11-3".to_owned()),
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
            sectors: vec!["危化".to_owned()],
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
        "received in one month, in one town",
        0,
        newest,
        Filters {
            received: Some(Span {
                from: now.as_millis() - 30 * 86_400_000,
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

async fn run(place: &Place, rows: u64, each: usize) -> Vec<(&'static str, Duration, usize)> {
    let url = place.url().parse().unwrap();
    migrate::migrate(&url).unwrap();
    let settings = Settings {
        data_dir: place.data().to_owned(),
        ..Settings::default()
    };
    let db = Db::open(&url, settings.database.options()).unwrap();
    let shown = Arc::new(AtomicI64::new(START + YEAR));
    let shows = shown.clone();
    let clock = Clock::new(move || Timestamp::from_millis(shows.load(Ordering::SeqCst)));
    let entropy = Entropy::new(rand::rngs::StdRng::seed_from_u64(7));
    let app = serve::assemble(db, settings, clock, entropy).await.unwrap();
    if !place.is_filled() {
        world(&app).await;
        fill(&app, rows).await;
        place.filled();
    }
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
    let mut keep = None;
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .unwrap_or_else(|| panic!("{name} needs a value"));
        match name.as_str() {
            "--rows" => sizes = value.split(',').map(|rows| rows.parse().unwrap()).collect(),
            "--each" => each = value.parse().unwrap(),
            "--on" => kinds = value,
            "--keep" => keep = Some(value),
            _ => panic!("unknown: {name}"),
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for kind in kinds.split(',') {
        let mut all = Vec::new();
        for rows in &sizes {
            eprintln!("{kind}, {rows} hazards");
            let place = match &keep {
                Some(folder) => Place::kept(Path::new(folder), kind, *rows),
                None => Place::passing(kind),
            };
            all.push(runtime.block_on(run(&place, *rows, each)));
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
