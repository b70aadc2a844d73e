//! Realistic messages out of the sample corpus, made by the real code without chance or clock: for the
//! trainer of dictionaries (even rows) and for the benchmark of bytes (odd rows).

#![allow(dead_code, reason = "each example uses a part")]

use hazardloop_domain::command::{
    Action, Close, Confirm, Grade, Note, Origin, Reinspect, Report, SubmitRectification,
};
use hazardloop_domain::hazard::{Authority, EventRecord, Hazard, HazardEvent, Status};
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::time::{LocalDate, Timestamp};
use hazardloop_sync_protocol::codec::encode;
use hazardloop_sync_protocol::wire::{Bytes, Record, RecordKind};
use uuid::Uuid;

mod phone;
pub use phone::Phone;

/// The corpus: 600 reports as people write them.
const CORPUS: &str = include_str!("../../../catalog/samples/hazard-corpus.tsv");
/// 2026-09-01 in Shanghai.
const BEGIN: i64 = 1_788_192_000_000;
const DAY: u64 = 86_400_000;

/// One row of the corpus.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// 部位.
    pub place: &'static str,
    /// What is wrong.
    pub description: &'static str,
    /// Whether it is a major accident hazard.
    pub major: bool,
    /// What is to be done.
    pub measure: &'static str,
}

/// Every second row: from 0 those that dictionaries are trained on, from 1 those that are measured.
pub fn rows(from: usize) -> Vec<Row> {
    let rows = CORPUS.lines().skip(1).skip(from).step_by(2);
    rows.filter_map(|line| {
        let fields: Vec<&'static str> = line.split('\t').collect();
        Some(Row {
            place: fields.get(3)?,
            description: fields.get(4)?,
            major: *fields.get(5)? == "major",
            measure: fields.get(9)?,
        })
    })
    .collect()
}

/// The first `count` characters.
pub fn cut(text: &'static str, count: usize) -> &'static str {
    let end = text
        .char_indices()
        .nth(count)
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Numbers that look random and are always the same (SplitMix64).
#[derive(Clone, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// A UUID of version 4.
    pub fn uuid4(&mut self) -> Uuid {
        uuid::Builder::from_u128(self.wide())
            .with_version(uuid::Version::Random)
            .into_uuid()
    }

    /// A UUID of version 7 of this millisecond.
    pub fn uuid7(&mut self, at: Timestamp) -> Uuid {
        let time = u128::from(at.as_millis().unsigned_abs()) << 80;
        let random = self.wide() & ((1 << 80) - 1);
        uuid::Builder::from_u128(time | random)
            .with_version(uuid::Version::SortRand)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
    }

    fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// 32 bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_be_bytes());
        }
        bytes
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let at = usize::try_from(self.below(of.len() as u64)).ok()?;
        of.get(at).copied()
    }
}

fn confirmation(row: &Row, numbers: &mut Numbers) -> Option<Confirm> {
    let people = ["周小河", "王建国", "李秀英", "陈志强", "赵敏", "刘洋"];
    Some(Confirm {
        grade: if row.major {
            Grade::Major
        } else {
            Grade::General
        },
        criterion: None,
        basis: Some("不符合安全生产标准化要求".to_owned()),
        responsible_person: numbers.pick(&people).unwrap_or_default().to_owned(),
        requirement: row.measure.to_owned(),
        due_date: "2026-12-20".parse::<LocalDate>().ok()?,
        period: None,
        expert_opinion: None,
        responsible_unit: None,
        served: None,
        category: None,
    })
}

fn submission(row: &Row, now: Timestamp) -> SubmitRectification {
    SubmitRectification {
        measures: format!("已{}", row.measure),
        completed_at: now,
        photos: Vec::new(),
        cost_fen: Some(120_000),
        pairs: Vec::new(),
        self_acceptance: None,
    }
}

fn reinspection(numbers: &mut Numbers) -> Reinspect {
    let opinions = [
        "现场复查，整改到位",
        "已按要求整改，同意销号",
        "整改符合要求",
    ];
    Reinspect {
        passed: true,
        opinion: numbers.pick(&opinions).unwrap_or_default().to_owned(),
        photos: Vec::new(),
        new_due_date: None,
        document_no: None,
        items: Vec::new(),
        no_photo_reason: None,
        on: None,
    }
}

fn closure() -> Close {
    Close {
        opinion: "整改完成，准予销号".to_owned(),
        on: None,
    }
}

/// A district: who reports what, where, of whom.
#[derive(Debug)]
pub struct District {
    numbers: Numbers,
    towns: Vec<JurisdictionId>,
    people: Vec<PersonId>,
    enterprises: Vec<(EnterpriseId, usize)>,
    now: i64,
    rows: Vec<Row>,
}

impl District {
    /// A district of so many enterprises in 12 towns, with 40 people who report.
    pub fn new(seed: u64, enterprises: usize, rows: Vec<Row>) -> Self {
        let mut numbers = Numbers(seed);
        let before = |numbers: &mut Numbers| {
            let ago = i64::try_from(numbers.below(400 * DAY)).unwrap_or_default();
            Timestamp::from_millis(BEGIN - ago)
        };
        let id = |numbers: &mut Numbers| {
            let at = before(numbers);
            numbers.uuid7(at)
        };
        let towns: Vec<_> = (0..12).map(|_| JurisdictionId(id(&mut numbers))).collect();
        let people = (0..40).map(|_| PersonId(id(&mut numbers))).collect();
        let enterprises = (0..enterprises)
            .map(|at| (EnterpriseId(id(&mut numbers)), at % towns.len()))
            .collect();
        Self {
            numbers,
            towns,
            people,
            enterprises,
            now: BEGIN,
            rows,
        }
    }

    fn words(&mut self) -> (Row, String) {
        let one = self.numbers.pick(&self.rows);
        let other = self.numbers.pick(&self.rows).or(one);
        let (Some(one), Some(other)) = (one, other) else {
            let empty = Row {
                place: "",
                description: "",
                major: false,
                measure: "",
            };
            return (empty, String::new());
        };
        // No two alike, as in life: the beginning of one and the rest of another.
        let begin = one.description.split('，').next().unwrap_or_default();
        let rest = other
            .description
            .split_once('，')
            .map_or(other.description, |(_, rest)| rest);
        (one, format!("{begin}，{rest}"))
    }

    /// The next hazard, as a pull brings it: half of them reported or confirmed, half handed in or closed.
    pub fn hazard(&mut self) -> Option<Hazard> {
        self.now += i64::try_from(self.numbers.below(700_000)).unwrap_or_default();
        let at = Timestamp::from_millis(self.now);
        let id = HazardId(self.numbers.uuid7(at.plus_millis(-30_000)));
        let (row, description) = self.words();
        let mut phone = Phone::new(self.numbers.next());
        let command = phone.report(&row, 400);
        let (enterprise, town) = self.numbers.pick(&self.enterprises).unzip();
        let jurisdiction_id = town.and_then(|town| self.towns.get(town)).copied();
        let jurisdiction_id = jurisdiction_id.unwrap_or(JurisdictionId(Uuid::nil()));
        let mut history = Vec::new();
        if let Action::Report(report) = command.action {
            let report = Report {
                description,
                enterprise_id: enterprise,
                found_at: at.plus_millis(-60_000),
                ..report
            };
            history.push(HazardEvent::Reported {
                claim_unfounded: false,
                report,
                jurisdiction_id,
                sector: Some("industry-and-trade".to_owned()),
            });
        }
        let steps = self.numbers.below(4);
        if steps > 0 {
            history.push(HazardEvent::Confirmed {
                confirmation: confirmation(&row, &mut self.numbers)?,
                deadline: None,
                authority: Authority::default(),
                second: None,
                self_declared: false,
            });
        }
        if steps > 1 {
            let submission = submission(&row, at.plus_millis(400_000_000));
            history.push(HazardEvent::RectificationSubmitted { submission });
        }
        if steps > 2 {
            let reinspection = reinspection(&mut self.numbers);
            history.push(HazardEvent::Reinspected {
                reinspection,
                second: None,
            });
            history.push(HazardEvent::Closed { closure: closure() });
        }
        let mut when = at;
        let mut records = Vec::new();
        for (event, seq) in history.into_iter().zip(1..) {
            let actor = if seq == 2 || seq > 3 {
                self.people.first().copied()
            } else {
                self.numbers.pick(&self.people)
            };
            records.push(EventRecord {
                hazard_id: id,
                seq,
                actor_id: actor,
                recorded_at: when,
                origin: Origin::DIRECT,
                event,
            });
            when = when.plus_millis(
                1_000_000 + i64::try_from(self.numbers.below(5 * DAY)).unwrap_or_default(),
            );
        }
        Hazard::from_history(&records)
    }

    /// A note on a hazard.
    pub fn note(&mut self, hazard: &mut Hazard, text: &str) {
        let recorded_at = hazard.updated_at.plus_millis(7_200_000);
        hazard.apply(&EventRecord {
            hazard_id: hazard.id,
            seq: hazard.version + 1,
            actor_id: self.numbers.pick(&self.people),
            recorded_at,
            origin: Origin::DIRECT,
            event: HazardEvent::Noted {
                note: Note {
                    text: text.to_owned(),
                },
            },
        });
    }
}

/// A hazard as a page carries it.
pub fn record(hazard: &Hazard) -> Record {
    Record {
        kind: RecordKind::Hazard,
        id: hazard.id.0,
        version: hazard.version,
        body: Bytes(encode(hazard)),
    }
}

/// All free text of a hazard.
pub fn texts(hazard: &Hazard) -> String {
    let mut text = format!("{}{}", hazard.description, hazard.place_text);
    text.push_str(hazard.no_photo_reason.as_deref().unwrap_or_default());
    if let Some(order) = hazard.status.order() {
        text.push_str(&order.responsible_person);
        text.push_str(&order.requirement);
        text.push_str(order.basis.as_deref().unwrap_or_default());
        text.push_str(order.fact.as_deref().unwrap_or_default());
    }
    if let Status::PendingReinspection { submission, .. } = &hazard.status {
        text.push_str(&submission.measures);
    }
    if let Status::Closed {
        submission,
        opinion,
        ..
    } = &hazard.status
    {
        text.push_str(&submission.measures);
        text.push_str(opinion);
    }
    text
}
