//! Hazards of many kinds for the tests of filters, the same in every run.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot do its work fails, with the reason"
)]

use hazardloop_domain::command::{Grade, Source};
use hazardloop_domain::geography::Wgs84Point;
use hazardloop_domain::hazard::StatusName;
use hazardloop_domain::ids::JurisdictionId;

use crate::sample;
use crate::test_support::{enterprise, hazard_id, person};
use crate::usecases::bulk::{self, Made};

/// Numbers that are the same in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        let at = self.roll(u64::try_from(of.len()).unwrap());
        of[usize::try_from(at).unwrap()].clone()
    }

    pub(super) fn maybe<T>(&mut self, one_in: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(one_in) == 0).then(|| make(self))
    }
}

pub(super) const STATES: [StatusName; 5] = [
    StatusName::Reported,
    StatusName::Confirmed,
    StatusName::PendingReinspection,
    StatusName::Closed,
    StatusName::Rejected,
];
pub(super) const FIRMS: [&str; 3] = ["polishing", "chemicals", "machinery"];
pub(super) const SECTORS: [&str; 3] = [
    "industry-and-trade",
    "hazardous-chemicals",
    "industry-and-trade",
];
pub(super) const CODES: [&str; 3] = ["GM-10-11-3", "GM-10-11-10", "WH-121-1"];
pub(super) const AUTHORS: [&str; 3] = ["inspector1", "inspector2", "grid"];

pub(super) fn town() -> JurisdictionId {
    JurisdictionId(sample::id("500153003000"))
}

pub(super) fn made(number: u64, dice: &mut Dice, second: JurisdictionId) -> Made {
    let (place, description) = bulk::words(usize::try_from(dice.roll(40)).unwrap());
    let firm = dice.roll(4);
    let firm = FIRMS.get(usize::try_from(firm).unwrap());
    Made {
        id: hazard_id(number),
        enterprise_id: firm.map(|key| enterprise(key)),
        jurisdiction_id: if firm.is_some() {
            town()
        } else {
            dice.one(&[second, town()])
        },
        sector: firm
            .map(|key| SECTORS[FIRMS.iter().position(|firm| firm == key).unwrap()].to_owned()),
        person_id: person(dice.one(&AUTHORS)),
        source: dice.one(Source::ALL),
        grade: dice.one(&[Grade::General, Grade::General, Grade::Major]),
        criterion: dice.maybe(2, |dice| dice.one(&CODES).to_owned()),
        description: description.to_owned(),
        place_text: place.to_owned(),
        point: dice.maybe(2, |dice| Wgs84Point {
            longitude: 105.594 + dice.roll(100) as f64 / 10_000.0,
            latitude: 29.405,
        }),
        status: dice.one(&STATES),
        due_date: format!("2026-12-{:02}", 1 + dice.roll(28)).parse().unwrap(),
    }
}
