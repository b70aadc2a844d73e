//! The reference data of the simulated hub: criteria that are added, changed and withdrawn while devices sync.

use std::collections::BTreeMap;

use hazardloop_domain::ids::CriterionId;
use hazardloop_domain::pack::{Criterion, Evidence, StandardStatus};
use hazardloop_sync_protocol::hub::memory::{Tables, record_of};
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use uuid::Uuid;

use crate::cast;
use crate::dice::Dice;
use crate::variant::Variant;

/// How many criteria there may be: more than one page holds.
const CRITERIA: usize = 12;

/// Most of them that one change touches: more than one page holds.
const AT_ONCE: usize = 6;

/// What devices are to hold in the end, kept apart from what the hub's feed says.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By id, with the version and the bytes.
    pub held: BTreeMap<Uuid, (i64, Vec<u8>)>,
    /// Counts all changes, so that what comes back has a version of its own.
    changes: i64,
}

fn criterion(number: usize, version: i64) -> Criterion {
    Criterion {
        id: CriterionId(cast::criterion(number)),
        code: format!("SIM-{number}"),
        edition: 1,
        pack: "sim".to_owned(),
        sector: "industry-and-trade".to_owned(),
        standard: "SIM".to_owned(),
        number: "第1号".to_owned(),
        clause: format!("{number}"),
        zh: format!("第{version}次修改"),
        en: format!("change {version}"),
        check_zh: None,
        check_en: None,
        evidence: Evidence::Seen,
        unverified: false,
        source: "simulated".to_owned(),
        status: StandardStatus::InForce,
        effective_from: None,
        effective_until: None,
        retired_in: None,
        version,
        retired_at: None,
    }
}

impl Catalog {
    /// One change of the catalog, of several criteria: what is not there is added, what is there is changed or
    /// withdrawn.
    pub fn change(&mut self, tables: &mut Tables, variant: Variant, dice: &mut Dice) {
        for _ in 0..=dice.below(AT_ONCE) {
            let number = dice.below(CRITERIA);
            let id = cast::criterion(number);
            let there = self.held.contains_key(&id);
            if there && dice.one_in(3) {
                self.held.remove(&id);
                if variant != Variant::KeepsWithdrawnCriteria {
                    tables.remove(Scope::Catalog, RecordKind::Criterion, id);
                }
                continue;
            }
            self.changes += 1;
            let version = self.changes;
            let criterion = criterion(number, version);
            let Some(record) = record_of(RecordKind::Criterion, id, version, &criterion) else {
                continue;
            };
            self.held.insert(id, (version, record.body.0.clone()));
            if there || variant != Variant::ForgetsNewCriteria {
                tables.put(Scope::Catalog, record);
            }
        }
    }
}
