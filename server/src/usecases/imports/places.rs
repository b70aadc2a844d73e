//! Jurisdictions as tables name them: by id, by division code, or by their names from above, and
//! whether whoever imports may keep the enterprises there.

use std::collections::HashMap;

use hazardloop_domain::access::Place;
use hazardloop_domain::ids::JurisdictionId;

use super::KEEPERS;
use super::problems::Finding;
use crate::store::imports::NamedPlace;
use crate::usecases::reach::Reach;

/// What stands between the names of a path.
const BETWEEN_NAMES: [char; 5] = ['/', '>', '\\', '／', '＞'];

/// Digits of a whole division code; shorter ones of a district or town are filled up with zeros.
const DIVISION_DIGITS: usize = 12;

/// The tree, and who asks.
pub(super) struct Places {
    reach: Option<Reach>,
    all: HashMap<JurisdictionId, Known>,
    by_name: HashMap<String, Vec<JurisdictionId>>,
    by_code: HashMap<String, Vec<JurisdictionId>>,
}

struct Known {
    place: NamedPlace,
    /// Whether the importer keeps enterprises there, if only of some sectors.
    keeps_some: bool,
}

impl Places {
    /// `reach`: what the importer's roles cover; absent: everything.
    pub fn new(all: Vec<NamedPlace>, reach: Option<Reach>) -> Self {
        let kept = reach.as_ref().map(|reach| reach.jurisdictions_of(KEEPERS));
        let mut places = Self {
            reach,
            all: HashMap::new(),
            by_name: HashMap::new(),
            by_code: HashMap::new(),
        };
        for place in all {
            let Some(id) = place.ancestors.last().copied() else {
                continue;
            };
            let mut above = place.ancestors.iter();
            let keeps_some = kept
                .as_ref()
                .is_none_or(|kept| above.any(|id| kept.contains(id)));
            places
                .by_name
                .entry(place.name.clone())
                .or_default()
                .push(id);
            if let Some(code) = &place.division_code {
                places.by_code.entry(code.clone()).or_default().push(id);
            }
            places.all.insert(id, Known { place, keeps_some });
        }
        places
    }

    /// Whether the importer may keep enterprises of this sector there.
    pub fn may_keep(&self, id: JurisdictionId, sector: &str) -> bool {
        let Some(known) = self.all.get(&id) else {
            return false;
        };
        self.reach.as_ref().is_none_or(|reach| {
            let here = Place {
                enterprise_id: None,
                jurisdictions: known.place.ancestors.clone(),
                sector: Some(sector.to_owned()),
            };
            reach.actor_over(&here).is_any_of(KEEPERS)
        })
    }

    /// Whether the importer keeps enterprises there, if only of some sectors.
    pub fn keeps_some(&self, id: JurisdictionId) -> bool {
        self.all.get(&id).is_some_and(|known| known.keeps_some)
    }

    /// From the root down to and including it.
    pub fn ancestors(&self, id: JurisdictionId) -> &[JurisdictionId] {
        self.all
            .get(&id)
            .map_or(&[], |known| &known.place.ancestors)
    }

    /// The jurisdiction that a cell names.
    pub fn find(&self, text: &str) -> Result<JurisdictionId, Finding> {
        self.standing(self.named(text, |_| true)?)
    }

    /// The grid that a cell names.
    pub fn find_grid(&self, text: &str) -> Result<JurisdictionId, Finding> {
        let id = self.named(text, |known| known.place.is_grid)?;
        match self.all.get(&id) {
            Some(known) if known.place.is_grid => self.standing(id),
            _ => Err(Finding::NotAGrid),
        }
    }

    /// What was merged is named no more: whoever keeps the table must know what it is now.
    fn standing(&self, id: JurisdictionId) -> Result<JurisdictionId, Finding> {
        let place = |id| self.all.get(&id).map(|known| &known.place);
        let Some(mut into) = place(id).and_then(|place| place.merged_into) else {
            return Ok(id);
        };
        while let Some(next) = place(into).and_then(|place| place.merged_into) {
            into = next;
        }
        let name = place(into).map(|place| place.name.clone());
        Err(Finding::JurisdictionMerged(name.unwrap_or_default()))
    }

    fn named(
        &self,
        text: &str,
        wanted: impl Fn(&Known) -> bool,
    ) -> Result<JurisdictionId, Finding> {
        if let Ok(id) = text.parse::<JurisdictionId>() {
            return match self.all.contains_key(&id) {
                true => Ok(id),
                false => Err(Finding::JurisdictionUnknown),
            };
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let found = if digits && matches!(text.len(), 6 | 9 | 12) {
            let code = format!("{text:0<DIVISION_DIGITS$}");
            self.by_code.get(&code).cloned().unwrap_or_default()
        } else {
            self.by_path(text)
        };
        let narrowed = |of: &dyn Fn(&Known) -> bool| -> Vec<JurisdictionId> {
            let known = found.iter().filter(|id| self.all.get(id).is_some_and(of));
            known.copied().collect()
        };
        // Of several with one name, the only one that it can be is meant.
        for candidates in [
            found.clone(),
            narrowed(&wanted),
            narrowed(&|known| known.keeps_some && wanted(known)),
        ] {
            if let [only] = candidates.as_slice() {
                return Ok(*only);
            }
        }
        Err(match found.is_empty() {
            true => Finding::JurisdictionUnknown,
            false => Finding::JurisdictionAmbiguous,
        })
    }

    /// Those whose name is the last of the path and whose parents have the names before it.
    fn by_path(&self, text: &str) -> Vec<JurisdictionId> {
        let names = text.split(BETWEEN_NAMES).map(str::trim);
        let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
        let Some(last) = names.last() else {
            return Vec::new();
        };
        let candidates = self.by_name.get(*last).into_iter().flatten();
        let fits = |id: &&JurisdictionId| {
            let above = self.ancestors(**id).iter().rev();
            let above = above.map(|id| self.all.get(id).map_or("", |known| &known.place.name));
            let mut above = above.fuse();
            names.iter().rev().all(|name| above.next() == Some(*name))
        };
        candidates.filter(fits).copied().collect()
    }
}

/// The jurisdictions that hold all of these: the way from the root as far as it is theirs together.
pub(super) fn common<'a>(ways: impl Iterator<Item = &'a [JurisdictionId]>) -> Vec<JurisdictionId> {
    let mut common: Option<Vec<JurisdictionId>> = None;
    for way in ways {
        let shared = match &common {
            None => way.to_vec(),
            Some(so_far) => {
                let pairs = so_far.iter().zip(way);
                let same = pairs.take_while(|(one, other)| one == other);
                same.map(|(id, _)| *id).collect()
            }
        };
        common = Some(shared);
    }
    common.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> JurisdictionId {
        JurisdictionId(Uuid::from_u128(number))
    }

    fn tree() -> Places {
        let place = |way: &[u128], name: &str, code: Option<&str>| NamedPlace {
            ancestors: way.iter().copied().map(id).collect(),
            name: name.to_owned(),
            division_code: code.map(str::to_owned),
            is_grid: way.len() == 4,
            merged_into: None,
        };
        Places::new(
            vec![
                place(&[1], "重庆市", Some("500000000000")),
                place(&[1, 2], "荣昌区", Some("500153000000")),
                place(&[1, 2, 3], "昌元街道", Some("500153001000")),
                place(&[1, 2, 3, 9], "一网格", None),
                place(&[1, 4], "綦江区", Some("500110000000")),
                place(&[1, 4, 5], "古南街道", Some("500110001000")),
                place(&[1, 4, 5, 8], "一网格", None),
                place(&[1, 4, 6], "昌元街道", None),
            ],
            None,
        )
    }

    #[test]
    fn a_jurisdiction_is_found_by_id_code_and_path() {
        let tree = tree();
        let whole = id(3).to_string();
        for text in [
            whole.as_str(),
            "500153001000",
            "500153001",
            "重庆市/荣昌区/昌元街道",
            "荣昌区 / 昌元街道",
            "荣昌区＞昌元街道",
        ] {
            assert_eq!(tree.find(text), Ok(id(3)), "{text}");
        }
        assert_eq!(tree.find("500153"), Ok(id(2)));
        assert_eq!(tree.find("荣昌区"), Ok(id(2)));
        assert_eq!(tree.find("昌元街道"), Err(Finding::JurisdictionAmbiguous));
        for text in ["綦江区/古南", "无此地", "/", "500999", &id(77).to_string()] {
            assert_eq!(tree.find(text), Err(Finding::JurisdictionUnknown), "{text}");
        }
        assert_eq!(tree.find_grid("昌元街道/一网格"), Ok(id(9)));
        assert_eq!(tree.find_grid("荣昌区"), Err(Finding::NotAGrid));
        assert_eq!(
            tree.find_grid("一网格"),
            Err(Finding::JurisdictionAmbiguous)
        );
    }

    #[test]
    fn what_holds_all_is_the_shared_way_from_the_root() {
        let tree = tree();
        let ways = |ids: &[u128]| {
            let ways: Vec<_> = ids.iter().map(|of| tree.ancestors(id(*of))).collect();
            common(ways.into_iter())
        };
        assert_eq!(ways(&[3]), [id(1), id(2), id(3)]);
        assert_eq!(ways(&[3, 2]), [id(1), id(2)]);
        assert_eq!(ways(&[3, 5]), [id(1)]);
        assert_eq!(ways(&[]), []);
    }
}
