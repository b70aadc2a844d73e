//! The district of the benchmark: the same answers among ever more other hazards.
#![allow(clippy::wildcard_imports, reason = "one program in two files")]

use super::*;

/// Hazards whose answers are looked for: as many in every database.
pub(crate) const KEPT: u64 = 10_000;

/// Hazards of one transaction while the database is filled, all received at once: no more than make days of it.
pub(crate) fn at_once(rows: u64) -> u64 {
    (rows / 400).clamp(1, 2_000)
}

/// 2026-01-01 in Shanghai, and a year later.
pub(crate) const START: i64 = 1_767_196_800_000;
pub(crate) const YEAR: i64 = 365 * 86_400_000;

/// Towns; the answers are in the first.
pub(crate) const TOWNS: u64 = 40;

/// Enterprises; the first ten are in the first town, the others elsewhere.
pub(crate) const FIRMS: u64 = 4_000;

pub(crate) fn id(kind: u64, number: u64) -> Uuid {
    let mut random = [0; 10];
    random[0] = u8::try_from(kind).unwrap();
    random[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(START).unwrap(), &random).into_uuid()
}

pub(crate) fn town(number: u64) -> JurisdictionId {
    JurisdictionId(id(1, 2 + number))
}

pub(crate) fn city() -> JurisdictionId {
    JurisdictionId(id(1, 0))
}

pub(crate) fn firm(number: u64) -> EnterpriseId {
    EnterpriseId(id(2, number))
}

/// Of the first town, then of the city.
pub(crate) fn person(number: u64) -> PersonId {
    PersonId(id(3, number))
}

pub(crate) fn town_of(firm: u64) -> u64 {
    if firm < 10 { 0 } else { 1 + firm % (TOWNS - 1) }
}

pub(crate) fn sector_of(firm: u64) -> String {
    ["工贸", "危化", "矿山", "建筑施工"][usize::try_from(firm % 4).unwrap()].to_owned()
}

pub(crate) async fn world(app: &App) {
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
                merged_into: None,
                merged_at: None,
            };
            jurisdictions::add(tx, &key, &new, None, None, now)?;
        }
        for number in 0..FIRMS {
            let new = Enterprise {
                profile: EnterpriseProfile::default(),
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
pub(crate) fn made(number: u64, rows: u64) -> Made {
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
        criterion: (kept && own % 100 == 7).then(|| "GM-10-11-3".to_owned()),
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

pub(crate) async fn fill(app: &App, rows: u64) {
    let begun = Instant::now();
    let at_once = at_once(rows);
    for start in (0..rows).step_by(usize::try_from(at_once).unwrap()) {
        let at = START + YEAR / i64::try_from(rows).unwrap() * i64::try_from(start).unwrap();
        let door = Door::new(app);
        let all: Vec<Made> = (start..(start + at_once).min(rows))
            .map(|n| made(n, rows))
            .collect();
        let write =
            move |tx: &mut WriteTx<'_>| bulk::write(&door, tx, Timestamp::from_millis(at), &all);
        app.db.write(write).await.unwrap();
        if start % (rows / 10).max(at_once) == 0 {
            eprintln!(
                "  {start} of {rows} after {:.0} s",
                begun.elapsed().as_secs_f64()
            );
        }
    }
    let db = app.db.clone();
    let indexed =
        hazardloop_server::held::blocking(move || index_text::index_in_lots(&db, 4_096).unwrap());
    let indexed = indexed.await.unwrap();
    eprintln!(
        "  {indexed} indexed after {:.0} s",
        begun.elapsed().as_secs_f64()
    );
}
