//! Making hazards that wait documents of the text index, some at a time, off the request path.
//!
//! A document is found by the characters and pairs of its number, description, place and enterprise's name
//! (`domain::search_text`), and by labels: the scopes that hold it, its source, its sector. All of that changes
//! rarely; what does change, state and grade and due date, has lists of its own (`store/hazard_lists.rs`).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::command::Source;
use hazardloop_domain::hazard::Hazard;
use hazardloop_domain::search_text;
use hazardloop_sync_protocol::wire::Scope;
use uuid::Uuid;

use super::execute::lineage;
use crate::failure::Failure;
use crate::store::hazard_lists::list_holding;
use crate::store::lists::{self, Key};
use crate::store::places::Lineage;
use crate::store::search::{self, NewDocument, Term, Waiting};
use crate::store::{Conn, Db, WriteTx};

/// Hazards that become documents in one transaction. Their terms are some 70 each, most of them shared.
const INDEXED_AT_ONCE: usize = 128;

/// The term of a scope; a sector of a jurisdiction is found by that of the whole of it.
pub fn of_scope(scope: &Scope) -> Term {
    search::label("scope", &list_holding(scope).to_string())
}

/// The term of a source.
pub fn of_source(source: Source) -> Term {
    search::label("source", source.as_str())
}

/// The term of a sector.
pub fn of_sector(sector: &str) -> Term {
    search::label("sector", sector)
}

/// The text by which a hazard is found, normalised.
pub fn text_of(hazard: &Hazard, enterprise_name: Option<&str>) -> String {
    let texts = [
        hazard.number.as_str(),
        &hazard.description,
        &hazard.place_text,
        enterprise_name.unwrap_or_default(),
    ];
    search_text::normalise_all(texts)
}

/// Makes documents of all that wait. Answers how many.
///
/// # Errors
/// [`Failure::Store`] when the database does not answer; what was made by then stays.
pub fn index_all(db: &Db) -> Result<usize, Failure> {
    index_in_lots(db, INDEXED_AT_ONCE)
}

/// The same, so many in one transaction. The more, the less they cost together, and the longer others wait.
///
/// # Errors
/// As [`index_all`].
pub fn index_in_lots(db: &Db, at_once: usize) -> Result<usize, Failure> {
    let mut total = 0;
    loop {
        // Mostly nothing waits, and a look costs no write.
        let idle = db.read_blocking(|tx| search::oldest_waiting(tx.conn(), 1))?;
        if idle.is_empty() {
            return Ok(total);
        }
        total += db.write_blocking(move |tx| index_some(tx, at_once))?;
    }
}

fn index_some(tx: &mut WriteTx<'_>, at_once: usize) -> Result<usize, Failure> {
    search::lock(tx)?;
    let waited = search::oldest_waiting(tx.conn(), at_once)?;
    let documents = documents(tx.conn(), &waited)?;
    search::add(tx, &documents)?;
    search::settle(tx, &waited)?;
    Ok(waited.len())
}

/// The documents of these hazards, oldest first.
fn documents(conn: &mut Conn, waited: &[Waiting]) -> Result<Vec<NewDocument>, Failure> {
    let ids: Vec<Uuid> = waited.iter().map(|waiting| waiting.id).collect();
    let mut hazards = lists::hazards(conn, &ids)?;
    hazards.sort_unstable_by_key(|hazard| (hazard.received_at, hazard.id));
    let names = lists::enterprise_names(conn, &enterprises_of(&hazards))?;
    let mut lineages: BTreeMap<_, Lineage> = BTreeMap::new();
    let mut documents = Vec::with_capacity(hazards.len());
    for hazard in hazards {
        let mut scopes: Vec<Scope> = Vec::new();
        scopes.extend(hazard.enterprise_id.map(Scope::Enterprise));
        // While it is being handed over, both sides have it.
        let places = [Some(hazard.jurisdiction_id), hazard.handed_over_by()];
        for place in places.into_iter().flatten() {
            let found = match lineages.entry(place) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unread) => unread.insert(lineage(conn, place)?),
            };
            scopes.extend(found.ancestors.iter().copied().map(Scope::Jurisdiction));
        }
        let name = hazard.enterprise_id.and_then(|id| names.get(&id.0));
        let mut terms = search_text::grams(&text_of(&hazard, name.map(String::as_str)));
        terms.extend(scopes.iter().map(of_scope));
        terms.insert(of_source(hazard.source));
        terms.extend(hazard.sector.as_deref().map(of_sector));
        documents.push(NewDocument {
            key: Key {
                at: hazard.received_at.as_millis(),
                id: hazard.id.0,
            },
            terms,
        });
    }
    Ok(documents)
}

/// The enterprises of these hazards, each once.
pub fn enterprises_of(hazards: &[Hazard]) -> Vec<Uuid> {
    let ids = hazards.iter().filter_map(|hazard| hazard.enterprise_id);
    let ids: BTreeSet<Uuid> = ids.map(|id| id.0).collect();
    ids.into_iter().collect()
}
