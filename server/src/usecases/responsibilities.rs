//! Who answers for what (三管三必须; 谁主管谁负责): each jurisdiction says which department answers for
//! which sector, for itself and all below it, and who takes what no department plainly answers for
//! (业务相近). What that leaves without anybody is in [`super::unclaimed`].

use std::collections::BTreeMap;

use hazardloop_domain::ids::{JurisdictionId, PersonId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::responsibility::{self, Answer, Matrix};
use hazardloop_domain::time::Timestamp;
use minicbor::{Decode, Encode};

use super::follow_department;
use super::jurisdictions::encoded;
use super::merge_jurisdictions;
use super::reach::{self, Seat};
use super::sector_names;
use super::unclaimed::{Walk, recount_later};
use crate::app::App;
use crate::failure::Failure;
use crate::store::events::{self, NewEvent};
use crate::store::{Conn, StoreError, WriteTx, places, responsibilities};

/// What the history of a jurisdiction keeps of one change: the bytes that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ResponsibilitiesEvent {
    /// The department of each sector, after the change.
    #[n(0)]
    pub rows: BTreeMap<String, String>,
    /// Who takes what is left, after the change.
    #[n(1)]
    pub fallback: Option<String>,
    /// Counts the changes.
    #[n(2)]
    pub version: i64,
    /// Who; absent: the server itself.
    #[n(3)]
    pub actor_id: Option<PersonId>,
    /// When the server recorded it.
    #[n(4)]
    pub recorded_at: Timestamp,
}

/// Who answers for a sector in the last jurisdiction of `way`, which leads there from the root.
///
/// # Errors
/// When the database does not answer.
pub(super) fn answering(
    conn: &mut Conn,
    way: &[JurisdictionId],
    sector: &str,
) -> Result<Answer, StoreError> {
    let said = responsibilities::of_sector(conn, way, sector)?;
    let nothing = Matrix::default();
    let way: Vec<_> = way
        .iter()
        .map(|id| (*id, said.get(id).unwrap_or(&nothing)))
        .collect();
    Ok(responsibility::answering(&way, sector))
}

/// What a jurisdiction itself says, and how often that has changed.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such jurisdiction.
pub async fn of(app: &App, id: JurisdictionId) -> Result<(Matrix, i64), Failure> {
    app.db
        .read(move |tx| {
            places::lineage(tx.conn(), id)?.ok_or(Failure::NotFound("jurisdiction"))?;
            Ok(responsibilities::of(tx.conn(), id)?)
        })
        .await
}

/// Who answers for a sector in a jurisdiction.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such jurisdiction.
pub async fn who_answers(app: &App, id: JurisdictionId, sector: String) -> Result<Answer, Failure> {
    let catalog = app.catalog.now();
    app.db
        .read(move |tx| {
            let found = places::lineage(tx.conn(), id)?;
            let way = found.ok_or(Failure::NotFound("jurisdiction"))?.ancestors;
            let code = sector_names::code_for(tx.conn(), &catalog, &way, &sector)?;
            let sector = code.as_ref().unwrap_or(&sector);
            Ok(answering(tx.conn(), &way, sector)?)
        })
        .await
}

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub struct Change {
    /// The version that they saw.
    pub seen: i64,
    /// Sector and department.
    pub rows: Vec<(String, String)>,
    /// Who takes what is left.
    pub fallback: Option<String>,
}

impl Change {
    fn matrix(self, most: usize) -> Result<Matrix, Failure> {
        let mut matrix = Matrix {
            rows: BTreeMap::new(),
            fallback: self.fallback,
        };
        // One more than there may be is refused below.
        for (sector, department) in self.rows.into_iter().take(most.saturating_add(1)) {
            if matrix.rows.contains_key(&sector) {
                let field = format!("rows[{sector}].sector");
                return Err(Failure::invalid(&field, "has two departments"));
            }
            matrix.rows.insert(sector, department);
        }
        matrix.check(most)?;
        Ok(matrix)
    }
}

/// Replaces what a jurisdiction says that still has the version seen. What it says already changes
/// nothing, whatever its version. Answers it as it is then.
///
/// # Errors
/// [`Failure::Invalid`] or [`Failure::Refused`] for a row; [`Failure::NotFound`];
/// [`Failure::Forbidden`] without the role over all sectors of the jurisdiction;
/// [`Failure::PreconditionFailed`].
pub async fn replace(
    app: &App,
    asker: PersonId,
    id: JurisdictionId,
    mut change: Change,
) -> Result<(Matrix, i64), Failure> {
    let sectors = change.rows.iter_mut().map(|(sector, _)| sector);
    sector_names::put_codes(&app.catalog.now(), sectors);
    let seen = change.seen;
    let after = change.matrix(app.settings.people.responsibility_rows)?;
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| replace_in(&app, tx, asker, (id, seen), &after))
        .await
}

fn replace_in(
    app: &App,
    tx: &mut WriteTx<'_>,
    asker: PersonId,
    (id, seen): (JurisdictionId, i64),
    after: &Matrix,
) -> Result<(Matrix, i64), Failure> {
    let (operation, now) = (Operation::AssignResponsibility, app.clock.now());
    reach::require(tx.conn(), asker, &Seat::whole(id), operation, now)?;
    merge_jurisdictions::require_standing(tx.conn(), id)?;
    responsibilities::hold(tx)?;
    let (before, version) = responsibilities::of(tx.conn(), id)?;
    if *after == before {
        return Ok((before, version));
    }
    if version != seen {
        return Err(Failure::PreconditionFailed { current: version });
    }
    let replaced = follow_department::replaced(tx.conn(), id, (&before, after))?;
    let version = say(tx, id, (after, version), Some(asker), now)?;
    let walk = follow_department::Walk {
        place: id,
        replaced,
        after: None,
    };
    follow_department::follow_later(tx, app, &walk, now)?;
    let loses = before.loses_something(after);
    if loses || after.loses_something(&before) {
        let walk = Walk {
            whole: loses,
            place: id,
            after: None,
        };
        recount_later(tx, app, walk, now)?;
    }
    let app = app.clone();
    tx.after_commit(Box::new(move || app.events_wake.notify_one()));
    Ok((after.clone(), version))
}

/// Refuses a merger after which the successor would say more than anybody may.
///
/// # Errors
/// [`Failure::Invalid`]; when the database does not answer.
pub(super) fn require_room(
    conn: &mut Conn,
    app: &App,
    (from, into): (JurisdictionId, JurisdictionId),
) -> Result<(), Failure> {
    let (old, _) = responsibilities::of(conn, from)?;
    let (own, _) = responsibilities::of(conn, into)?;
    let (most, rows) = (
        app.settings.people.responsibility_rows,
        both(&old, &own).rows.len(),
    );
    // What it says already may be more, from before the limit was set lower.
    if rows <= most.max(own.rows.len()) {
        return Ok(());
    }
    let why = format!(
        "would name departments for {rows} sectors; {most} is the most: name fewer in one of the two first"
    );
    Err(Failure::invalid("into", why))
}

/// What a jurisdiction says itself, and where it says nothing, what one says that is merged into it.
fn both(old: &Matrix, own: &Matrix) -> Matrix {
    let mut rows = old.rows.clone();
    rows.extend(own.rows.clone());
    Matrix {
        rows,
        fallback: own.fallback.clone().or_else(|| old.fallback.clone()),
    }
}

/// What a jurisdiction that was merged says of sectors of which its successor says nothing, the successor says from
/// now on; its own word goes before.
///
/// # Errors
/// When the database does not answer.
pub(super) fn take_over(
    app: &App,
    tx: &mut WriteTx<'_>,
    (from, into): (JurisdictionId, JurisdictionId),
    actor: PersonId,
    now: Timestamp,
) -> Result<(), Failure> {
    responsibilities::hold(tx)?;
    require_room(tx.conn(), app, (from, into))?;
    let (old, old_version) = responsibilities::of(tx.conn(), from)?;
    let (own, own_version) = responsibilities::of(tx.conn(), into)?;
    let after = both(&old, &own);
    if after != own {
        say(tx, into, (&after, own_version), Some(actor), now)?;
        let walk = Walk {
            whole: false,
            place: into,
            after: None,
        };
        recount_later(tx, app, walk, now)?;
    }
    if old != Matrix::default() {
        let nothing = Matrix::default();
        say(tx, from, (&nothing, old_version), Some(actor), now)?;
    }
    Ok(())
}

/// Stores what a jurisdiction of version `before` says, and that it was said. Who may, and what
/// becomes of hazards, are the caller's questions. Answers the version.
///
/// # Errors
/// When the database does not answer.
pub fn say(
    tx: &mut WriteTx<'_>,
    id: JurisdictionId,
    (after, before): (&Matrix, i64),
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<i64, Failure> {
    let version = before.saturating_add(1);
    responsibilities::replace(tx, id, after, version)?;
    let event = encoded(&ResponsibilitiesEvent {
        rows: after.rows.clone(),
        fallback: after.fallback.clone(),
        version,
        actor_id: actor,
        recorded_at: now,
    })?;
    let event = NewEvent {
        subject_kind: "jurisdiction",
        subject_id: &id.0,
        kind: "responsibilities_set",
        actor,
        recorded_at: now,
        body: &event,
    };
    events::append(tx, event)?;
    Ok(version)
}

#[cfg(test)]
#[path = "responsibilities_tests.rs"]
mod tests;
