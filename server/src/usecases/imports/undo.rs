//! Undoing an import: what it registered goes, as long as nobody has used it; what it changed is as
//! it was, as long as nobody has changed it since. One row that cannot be undone keeps all of them, and
//! every such row is told with its reason.

use std::collections::HashMap;

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::ids::{EnterpriseId, ImportId, PersonId};

use super::places::Places;
use super::plan::Did;
use super::problems::{Finding, Problems};
use super::seen::{ImportView, view, visible};
use super::{Importer, enterprise_id};
use crate::app::App;
use crate::failure::{Failure, RowsRefused};
use crate::store::imports::{self as stored, StoredRow};
use crate::store::{ConstraintKind, StoreError, WriteTx};
use crate::usecases::enterprises::{Change, Storing, wake};

/// Rows that are looked at with one statement.
const AT_ONCE: usize = 500;

/// One row to undo, and the enterprise as it is now.
struct Undoing {
    row: StoredRow,
    id: EnterpriseId,
    now: Option<Enterprise>,
}

/// Undoes an import. One that is undone already stays so.
///
/// # Errors
/// [`Failure::Rows`] when any row cannot be undone; [`Failure::NotFound`] when there is no such
/// import, or none for this person.
pub async fn undo(app: &App, person_id: PersonId, id: ImportId) -> Result<ImportView, Failure> {
    let importer = Importer::of(app, person_id);
    let app = app.clone();
    let db = app.db.clone();
    db.write(move |tx| {
        visible(tx.conn(), person_id, id, importer.now)?;
        let done = undo_in(tx, &importer, id)?;
        wake(&app, tx);
        Ok(done)
    })
    .await
}

/// See [`undo`]; whether the importer may see the import is the caller's question.
///
/// # Errors
/// As [`undo`].
pub fn undo_in(
    tx: &mut WriteTx<'_>,
    importer: &Importer,
    id: ImportId,
) -> Result<ImportView, Failure> {
    let import = stored::find(tx.conn(), id)?.ok_or(Failure::NotFound("import"))?;
    if import.undone_at.is_some() {
        return view(&import);
    }
    let places = importer.places(tx.conn())?;
    let undoing = load(tx, id)?;
    let mut problems = Problems::new(importer.limits.problems);
    for rows in undoing.chunks(AT_ONCE) {
        look(tx, rows, &places, &mut problems)?;
    }
    if problems.errors > 0 {
        return Err(Failure::Rows(RowsRefused {
            of_undo: true,
            errors: problems.errors,
            problems: problems.listed(),
        }));
    }
    take_back(tx, importer, id, &undoing).map_err(used_elsewhere)?;
    stored::set_undone(tx, id, importer.person_id, importer.now)?;
    let import = stored::find(tx.conn(), id)?.ok_or(Failure::NotFound("import"))?;
    view(&import)
}

/// The rows that changed something, with their enterprises, which stay as they are meanwhile.
fn load(tx: &mut WriteTx<'_>, id: ImportId) -> Result<Vec<Undoing>, Failure> {
    let mut undoing = Vec::new();
    for row in stored::rows(tx.conn(), id, -1, i64::MAX)? {
        if row.did != Did::Unchanged.as_str() {
            let id = enterprise_id(&row.enterprise_id)?;
            undoing.push(Undoing { row, id, now: None });
        }
    }
    // In the order of ids: two who hold many at once never wait for each other.
    let mut ids: Vec<EnterpriseId> = undoing.iter().map(|of| of.id).collect();
    ids.sort_unstable();
    let mut held: HashMap<EnterpriseId, Enterprise> = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let found = stored::hold(tx, ids)?.into_iter();
        held.extend(found.map(|enterprise| (enterprise.id, enterprise)));
    }
    for of in &mut undoing {
        of.now = held.remove(&of.id);
    }
    Ok(undoing)
}

/// Finds what keeps these rows from being undone.
fn look(
    tx: &mut WriteTx<'_>,
    rows: &[Undoing],
    places: &Places,
    problems: &mut Problems,
) -> Result<(), Failure> {
    let created = |of: &&Undoing| of.row.did == Did::Created.as_str();
    let created: Vec<EnterpriseId> = rows.iter().filter(created).map(|of| of.id).collect();
    let with_hazards = stored::with_hazards(tx.conn(), &created)?;
    let with_inspections = stored::with_inspections(tx.conn(), &created)?;
    let with_roles = stored::with_grants(tx.conn(), &created)?;
    for of in rows {
        let mut found = |finding: Finding| {
            let row = u32::try_from(of.row.row_number).unwrap_or_default();
            problems.add(row, (None, None), &finding);
        };
        match &of.now {
            Some(now) if !places.may_keep(now.jurisdiction_id, &now.sector) => {
                found(Finding::JurisdictionForbidden);
            }
            Some(now) if now.version == of.row.version => {}
            _ => found(Finding::ChangedSince),
        }
        if with_hazards.contains(&of.id) {
            found(Finding::HasHazards);
        }
        if with_inspections.contains(&of.id) {
            found(Finding::HasInspections);
        }
        if with_roles.contains(&of.id) {
            found(Finding::HasRoles);
        }
    }
    Ok(())
}

fn take_back(
    tx: &mut WriteTx<'_>,
    importer: &Importer,
    id: ImportId,
    undoing: &[Undoing],
) -> Result<(), Failure> {
    let reason = format!("import {id} undone");
    let mut storing = Storing::new(&importer.key);
    let change = |kind| Change {
        kind,
        actor: importer.person_id,
        reason: Some(&reason),
        now: importer.now,
    };
    for of in undoing {
        let Some(now) = &of.now else { continue };
        match &of.row.before {
            None => storing.remove(tx, now, &change("removed"))?,
            Some(before) => {
                let before: Enterprise = minicbor::decode(before)
                    .map_err(|error| Failure::Internal(format!("a record before: {error}")))?;
                let restored = Enterprise {
                    version: now.version.saturating_add(1),
                    ..before
                };
                storing.put(tx, &restored, Some(now), &change("changed"))?;
            }
        }
    }
    storing.finish(tx)
}

/// Something that this program does not ask after belongs to one of the enterprises.
fn used_elsewhere(failure: Failure) -> Failure {
    let used = matches!(
        &failure,
        Failure::Store(StoreError::Constraint { kind, .. }) if *kind == ConstraintKind::ForeignKey
    );
    if used {
        return Failure::Conflict("one of the enterprises is in use".to_owned());
    }
    failure
}
