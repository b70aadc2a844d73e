//! Which enterprise a row speaks of, of those that there are: the one with its id; else the one with
//! its credit code; else the one with its name in its jurisdiction that has no credit code, or where the
//! row has none. Only those count that the importer may keep: of others nobody learns here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
use uuid::Uuid;

use super::places::Places;
use super::plan::Keys;
use crate::failure::Failure;
use crate::store::{Conn, imports, lists};

/// Keys that one statement asks for.
const AT_ONCE: usize = 500;

/// Enterprises that rows may speak of.
#[derive(Default)]
pub(super) struct Existing {
    by_id: HashMap<EnterpriseId, Enterprise>,
    by_code: HashMap<String, BTreeSet<EnterpriseId>>,
    by_name: HashMap<(JurisdictionId, String), BTreeSet<EnterpriseId>>,
}

/// What a row speaks of.
pub(super) enum Match<'a> {
    /// A new enterprise.
    None,
    /// This one.
    One(&'a Enterprise),
    /// It names an id that there is not.
    Unknown,
    /// Any of several.
    Several,
}

impl Existing {
    /// Loads all that the keys may mean.
    pub fn load(conn: &mut Conn, keys: &[Keys], places: &Places) -> Result<Self, Failure> {
        let mut found = Self::default();
        let ids: Vec<Uuid> = keys.iter().filter_map(|keys| Some(keys.id?.0)).collect();
        for ids in ids.chunks(AT_ONCE) {
            found.add(lists::enterprises(conn, ids)?, places);
        }
        let codes = keys.iter().filter_map(|keys| keys.credit_code.clone());
        let codes: Vec<String> = codes.collect::<BTreeSet<_>>().into_iter().collect();
        for codes in codes.chunks(AT_ONCE) {
            found.add(imports::with_codes(conn, codes)?, places);
        }
        let mut names: BTreeMap<JurisdictionId, BTreeSet<String>> = BTreeMap::new();
        for keys in keys {
            if let (Some(name), Some(id)) = (&keys.name, keys.jurisdiction_id) {
                names.entry(id).or_default().insert(name.clone());
            }
        }
        for (id, names) in names.into_iter().filter(|(id, _)| places.keeps_some(*id)) {
            let names: Vec<String> = names.into_iter().collect();
            for names in names.chunks(AT_ONCE) {
                found.add(imports::with_names(conn, id, names)?, places);
            }
        }
        Ok(found)
    }

    fn add(&mut self, enterprises: Vec<Enterprise>, places: &Places) {
        let mine = |of: &Enterprise| places.may_keep(of.jurisdiction_id, &of.sector);
        for enterprise in enterprises.into_iter().filter(mine) {
            let id = enterprise.id;
            if let Some(code) = &enterprise.credit_code {
                self.by_code.entry(code.clone()).or_default().insert(id);
            }
            let name = (enterprise.jurisdiction_id, enterprise.name.clone());
            self.by_name.entry(name).or_default().insert(id);
            self.by_id.insert(id, enterprise);
        }
    }

    /// The enterprise of a row.
    pub fn of(&self, keys: &Keys) -> Match<'_> {
        if let Some(id) = keys.id {
            return self.by_id.get(&id).map_or(Match::Unknown, Match::One);
        }
        if let Some(ids) = keys
            .credit_code
            .as_ref()
            .and_then(|code| self.by_code.get(code))
        {
            return self.only(ids.iter().copied().collect());
        }
        let (Some(name), Some(place)) = (&keys.name, keys.jurisdiction_id) else {
            return Match::None;
        };
        let Some(ids) = self.by_name.get(&(place, name.clone())) else {
            return Match::None;
        };
        let without_code = |id: &&EnterpriseId| {
            let of = self.by_id.get(id);
            keys.credit_code.is_none() || of.is_some_and(|of| of.credit_code.is_none())
        };
        self.only(ids.iter().filter(without_code).copied().collect())
    }

    fn only(&self, ids: Vec<EnterpriseId>) -> Match<'_> {
        match ids.as_slice() {
            [] => Match::None,
            [only] => self.by_id.get(only).map_or(Match::None, Match::One),
            _ => Match::Several,
        }
    }
}
