//! The jurisdiction tree: public reference data of which every signed-in person's device holds a
//! copy, changed only by whoever administers the node above.

use hazardloop_domain::geography::{CoordinateReference, Wgs84Point};
use hazardloop_domain::ids::{JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::Jurisdiction;
use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};
use minicbor::{Decode, Encode};

use super::boundaries;
use super::merge_jurisdictions;
use super::reach;
use crate::app::App;
use crate::failure::Failure;
use crate::geography::check_boundary;
use crate::store::events::{self, NewEvent};
use crate::store::feed::{self, Announced};
use crate::store::{WriteTx, jurisdictions, places};
use hazardloop_domain::operations::Operation;

/// Digits of a division code (GB/T 2260 and its extension to villages).
pub const DIVISION_CODE_DIGITS: usize = 12;

/// What the history of a jurisdiction keeps of one change: the bytes that are hashed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct JurisdictionEvent {
    /// The jurisdiction after the change.
    #[n(0)]
    pub jurisdiction: Jurisdiction,
    /// Who; absent: the server itself.
    #[n(1)]
    pub actor_id: Option<PersonId>,
    /// When the server recorded it.
    #[n(2)]
    pub recorded_at: Timestamp,
    /// Its boundary as given, GeoJSON.
    #[n(3)]
    pub boundary: Option<String>,
    /// The reference of the boundary's numbers.
    #[n(4)]
    pub boundary_reference: Option<String>,
    /// Why, where a reason was asked for.
    #[n(5)]
    pub reason: Option<String>,
}

/// Adds a jurisdiction below its parent and tells every device. Who may is the caller's question.
///
/// # Errors
/// [`Failure::Invalid`] or [`Failure::Refused`] for a field; [`Failure::Store`] when the parent
/// does not exist or the database does not answer.
pub fn add(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    jurisdiction: &Jurisdiction,
    boundary: Option<(&str, CoordinateReference)>,
    actor: Option<PersonId>,
    now: Timestamp,
) -> Result<(), Failure> {
    check(jurisdiction)?;
    if let Some((geometry, reference)) = boundary {
        check_boundary(geometry, reference)
            .map_err(|problem| Failure::invalid("boundary", problem.to_string()))?;
    }
    places::add_jurisdiction(tx, jurisdiction, boundary)?;
    let change = Change {
        kind: "added",
        boundary,
        actor,
        reason: None,
        now,
    };
    record(tx, key, jurisdiction, &change)
}

/// A change of a jurisdiction that is stored, as its history and the devices are to learn of it.
pub(super) struct Change<'a> {
    pub kind: &'static str,
    /// The boundary that it has from now on.
    pub boundary: Option<(&'a str, CoordinateReference)>,
    pub actor: Option<PersonId>,
    pub reason: Option<&'a str>,
    pub now: Timestamp,
}

/// Appends to the jurisdiction's history and tells every device.
pub(super) fn record(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    jurisdiction: &Jurisdiction,
    change: &Change<'_>,
) -> Result<(), Failure> {
    let (boundary, now) = (change.boundary, change.now);
    let body = encoded(jurisdiction)?;
    let announced = Announced {
        kind: RecordKind::Jurisdiction,
        id: &jurisdiction.id.0,
        version: jurisdiction.version,
        body: &body,
        created_at: now,
    };
    feed::put(tx, key, &[Scope::Catalog], announced)?;
    let event = JurisdictionEvent {
        jurisdiction: jurisdiction.clone(),
        actor_id: change.actor,
        recorded_at: now,
        boundary: boundary.map(|(geometry, _)| geometry.to_owned()),
        boundary_reference: boundary.map(|(_, reference)| reference.as_str().to_owned()),
        reason: change.reason.map(str::to_owned),
    };
    let event = encoded(&event)?;
    let event = NewEvent {
        subject_kind: "jurisdiction",
        subject_id: &jurisdiction.id.0,
        kind: change.kind,
        actor: change.actor,
        recorded_at: now,
        body: &event,
    };
    events::append(tx, event)?;
    Ok(())
}

pub(super) fn encoded<T: Encode<()>>(value: &T) -> Result<Vec<u8>, Failure> {
    minicbor::to_vec(value).map_err(|error| Failure::Internal(format!("encoding: {error}")))
}

fn check(jurisdiction: &Jurisdiction) -> Result<(), Failure> {
    text::required("name", &jurisdiction.name, SHORT_TEXT_MAX)?;
    if let Some(code) = &jurisdiction.division_code {
        let digits = code.chars().all(|c| c.is_ascii_digit());
        if code.len() != DIVISION_CODE_DIGITS || !digits {
            let why = format!("must be {DIVISION_CODE_DIGITS} digits");
            return Err(Failure::invalid("division_code", why));
        }
    }
    Ok(())
}

/// A jurisdiction about to be added by a person.
#[derive(Clone, Debug)]
pub struct NewJurisdiction {
    /// The node; its version is 1.
    pub jurisdiction: Jurisdiction,
    /// Its boundary, GeoJSON, with the reference of its numbers.
    pub boundary: Option<(String, CoordinateReference)>,
}

/// Adds a jurisdiction for `person_id`. Answers `true` when it is new, `false` when this very
/// request had been taken before.
///
/// # Errors
/// [`Failure::Forbidden`] unless the person administers the parent; [`Failure::IdReused`] when the
/// id was used for something else.
pub async fn create(
    app: &App,
    person_id: PersonId,
    new: NewJurisdiction,
) -> Result<(Jurisdiction, bool), Failure> {
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| create_in(&app, tx, person_id, &new))
        .await
}

fn create_in(
    app: &App,
    tx: &mut WriteTx<'_>,
    person_id: PersonId,
    new: &NewJurisdiction,
) -> Result<(Jurisdiction, bool), Failure> {
    let now = app.clock.now();
    let node = &new.jurisdiction;
    if !node.id.is_version_7() {
        return Err(Failure::invalid("id", "must be a UUID of version 7"));
    }
    let parent_id = node.parent_id.ok_or_else(root_is_fixed)?;
    let above = reach::Seat::whole(parent_id);
    reach::require(
        tx.conn(),
        person_id,
        &above,
        Operation::ManageJurisdictions,
        now,
    )
    .map_err(|failure| match failure {
        Failure::NotFound(_) => unknown_parent(),
        other => other,
    })?;
    let boundary = new
        .boundary
        .as_ref()
        .map(|(geometry, reference)| (geometry.as_str(), *reference));
    if let Some(known) = first_event(tx, node.id)? {
        let same = known.jurisdiction == *node
            && known.actor_id == Some(person_id)
            && known.boundary.as_deref() == boundary.map(|(geometry, _)| geometry)
            && known.boundary_reference.as_deref()
                == boundary.map(|(_, reference)| reference.as_str());
        return if same {
            Ok((node.clone(), false))
        } else {
            Err(Failure::IdReused)
        };
    }
    merge_jurisdictions::require_standing(tx.conn(), parent_id)?;
    let parent = jurisdictions::one(tx.conn(), parent_id)?.ok_or_else(unknown_parent)?;
    if node.level <= parent.node.level {
        return Err(Failure::invalid(
            "level",
            "must be below the level of the parent",
        ));
    }
    add(tx, &app.digest_key, node, boundary, Some(person_id), now)
        .map_err(|failure| super::enterprises::taken_meanwhile(failure, "jurisdictions"))?;
    if let Some((geometry, reference)) = new.boundary.clone() {
        let source = crate::geography::BoundarySource {
            jurisdiction: node.id,
            depth: parent.depth.saturating_add(1),
            geometry,
            reference,
        };
        boundaries::hold_after_commit(tx, app, node.id, node.version, Some(source));
    }
    let app = app.clone();
    tx.after_commit(Box::new(move || app.events_wake.notify_one()));
    Ok((node.clone(), true))
}

pub(super) fn root_is_fixed() -> Failure {
    Failure::Forbidden("a root is made when the installation is set up".to_owned())
}

fn unknown_parent() -> Failure {
    Failure::invalid("parent_id", "names no jurisdiction that you administer")
}

fn first_event(
    tx: &mut WriteTx<'_>,
    id: JurisdictionId,
) -> Result<Option<JurisdictionEvent>, Failure> {
    let first = events::history(tx.conn(), &id.0, 0, 1)?;
    let Some(first) = first.first() else {
        return Ok(None);
    };
    minicbor::decode(&first.body)
        .map(Some)
        // The history of something else.
        .map_err(|_| Failure::IdReused)
}

/// The nodes after `after` in path order (a parent before its children), at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    after: Option<JurisdictionId>,
    parent: Option<JurisdictionId>,
    limit: usize,
) -> Result<Vec<jurisdictions::Node>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    app.db
        .read(move |tx| Ok(jurisdictions::list(tx.conn(), after, parent, limit)?))
        .await
}

/// One node.
///
/// # Errors
/// [`Failure::NotFound`] when there is none with this id.
pub async fn one(app: &App, id: JurisdictionId) -> Result<jurisdictions::Node, Failure> {
    app.db
        .read(move |tx| jurisdictions::one(tx.conn(), id)?.ok_or(Failure::NotFound("jurisdiction")))
        .await
}

/// The narrowest jurisdiction whose boundary holds the point, or what that was merged into, and the nodes above it, root
/// first.
///
/// # Errors
/// [`Failure::NotFound`] when no boundary holds the point.
pub async fn locate(app: &App, point: Wgs84Point) -> Result<Vec<jurisdictions::Node>, Failure> {
    let app = app.clone();
    app.clone()
        .db
        .read(move |tx| {
            let id = app
                .boundaries
                .locate(point)
                .ok_or(Failure::NotFound("jurisdiction"))?;
            let id = merge_jurisdictions::last_successor(tx.conn(), id)?;
            let lineage = super::execute::lineage(tx.conn(), id)?;
            let mut nodes = Vec::with_capacity(lineage.ancestors.len());
            for id in lineage.ancestors {
                nodes.extend(jurisdictions::one(tx.conn(), id)?);
            }
            Ok(nodes)
        })
        .await
}
