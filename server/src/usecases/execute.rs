//! The one door: whoever acts, by whichever way, the act is one command, decided by the rules and
//! stored with its events, the new state, the feed rows and what follows, in one transaction.

use hazardloop_domain::access::{Actor, GrantScope, Place};
use hazardloop_domain::command::{Action, ActionKind, Command, Origin};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{
    EventRecord, Facts, Hazard, HazardEvent, Limits, Outcome, PhotoState, decide,
};
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{RecordKind, Scope};

use crate::app::App;
use crate::failure::Failure;
use crate::store::events::{self, Head, NewEvent};
use crate::store::feed::{self, Announced};
use crate::store::hazards::{self, Loaded};
use crate::store::places::{self, Lineage};
use crate::store::{Conn, StoreError, WriteTx, access, enterprises, people};

/// Who sends a command, and by which door.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Who; `None`: the server itself.
    pub person_id: Option<PersonId>,
    /// By which door.
    pub origin: Origin,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Done {
    /// The hazard as it is now.
    pub hazard: Hazard,
    /// How the command took effect.
    pub outcome: Outcome,
    /// The version that the rules decided on; `None` for a report.
    pub decided_on: Option<i64>,
}

/// What the door needs of the server, cheap to hand into a transaction.
#[derive(Clone)]
pub struct Door {
    app: App,
    limits: Limits,
    key: DigestKey,
}

impl Door {
    /// The door of this server.
    pub fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            limits: app.settings.rule_limits(),
            key: app.digest_key,
        }
    }

    /// Executes one command inside `tx`.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the rules refuse; [`Failure::Store`] when the database does not
    /// answer. In both cases nothing of the command is stored once `tx` is undone.
    pub fn execute(
        &self,
        tx: &mut WriteTx<'_>,
        command: &Command,
        sender: &Sender,
        now: Timestamp,
    ) -> Result<Done, Failure> {
        let loaded = hazards::load(tx.conn(), command.hazard_id)?;
        if loaded.is_none() && command.action.kind() != ActionKind::Report {
            // Who may see it makes no difference: there is nothing to see.
            let refusal = Refusal::new(RefusalCode::NotFound, "there is no such hazard");
            return Err(refusal.into());
        }
        let place = self.place(tx.conn(), command, loaded.as_ref(), sender, now)?;
        let actor = match sender.person_id {
            None => Actor::System,
            Some(person_id) => {
                let grants = access::grants_of(tx.conn(), person_id)?;
                Actor::over(person_id, &grants, &place.place, now)
            }
        };
        if actor.is_outside() {
            // Before anything is said about what else the command names.
            let rule = "you hold no role over this hazard";
            return Err(Refusal::new(RefusalCode::OutOfScope, rule).into());
        }
        let target = self.target(tx.conn(), command, place)?;
        let facts = Facts {
            now,
            made_at: sender.origin.made.as_ref().map(|made| made.wall),
            jurisdiction_id: target.resolved,
            limits: self.limits.clone(),
        };
        let current = loaded.as_ref().map(|loaded| &loaded.hazard);
        if let Some(new_place) = &target.new_place {
            require_role_over(tx.conn(), sender, new_place, now)?;
        }
        let decision = decide(current, command, &actor, &facts)?;
        let decided_on = current.map(|hazard| hazard.version);
        let hazard = self.record(tx, loaded, command, &decision.events, sender, now)?;
        let hazard = self.count_photos_already_here(tx, hazard, sender, now)?;
        Ok(Done {
            hazard,
            outcome: decision.outcome,
            decided_on,
        })
    }

    /// Where the command's hazard stands; for a report, where it will stand.
    fn place(
        &self,
        conn: &mut Conn,
        command: &Command,
        loaded: Option<&Loaded>,
        sender: &Sender,
        now: Timestamp,
    ) -> Result<Target, Failure> {
        let mut target = Target::default();
        if let Some(loaded) = loaded {
            // Of a report too: its author may only learn of a hazard that exists what their roles
            // over that hazard show.
            let lineage = lineage(conn, loaded.hazard.jurisdiction_id)?;
            target.place = loaded.hazard.place(lineage.ancestors);
        } else if let Action::Report(report) = &command.action {
            target.resolved = self.who_answers(conn, report, sender, now)?;
            let ancestors = match target.resolved {
                Some(id) => lineage(conn, id)?.ancestors,
                None => Vec::new(),
            };
            target.place = Place {
                enterprise_id: report.enterprise_id,
                jurisdictions: ancestors,
            };
        }
        Ok(target)
    }

    /// The same, with where an amendment would move the hazard.
    fn target(
        &self,
        conn: &mut Conn,
        command: &Command,
        mut target: Target,
    ) -> Result<Target, Failure> {
        if let Action::Amend(change) = &command.action
            && let Some(enterprise_id) = change.enterprise_id
        {
            let jurisdiction_id = jurisdiction_of(conn, enterprise_id)?;
            target.resolved = Some(jurisdiction_id);
            target.new_place = Some(Place {
                enterprise_id: Some(enterprise_id),
                jurisdictions: lineage(conn, jurisdiction_id)?.ancestors,
            });
        }
        Ok(target)
    }

    /// The enterprise's jurisdiction; for an unknown enterprise, the narrowest one whose boundary
    /// holds the position. Few towns have boundaries: where the author answers for exactly one
    /// jurisdiction at or below that one, or there is no boundary at all, it is theirs.
    fn who_answers(
        &self,
        conn: &mut Conn,
        report: &hazardloop_domain::command::Report,
        sender: &Sender,
        now: Timestamp,
    ) -> Result<Option<JurisdictionId>, Failure> {
        if let Some(enterprise_id) = report.enterprise_id {
            return jurisdiction_of(conn, enterprise_id).map(Some);
        }
        let point = report.position.as_ref().map(|position| position.to_wgs84());
        let located = point.and_then(|point| self.app.boundaries.locate(point));
        let Some(person_id) = sender.person_id else {
            return Ok(located);
        };
        let mut own = Vec::new();
        for grant in access::grants_of(conn, person_id)? {
            let GrantScope::Jurisdiction(id) = grant.scope else {
                continue;
            };
            let below = match located {
                Some(located) => lineage(conn, id)?.ancestors.contains(&located),
                None => true,
            };
            if grant.holds_at(now) && below && !own.contains(&id) {
                own.push(id);
            }
        }
        Ok(match own.as_slice() {
            [only] => Some(*only),
            _ => located,
        })
    }

    /// Appends events, applies them and stores what they make.
    fn record(
        &self,
        tx: &mut WriteTx<'_>,
        loaded: Option<Loaded>,
        command: &Command,
        new_events: &[HazardEvent],
        sender: &Sender,
        now: Timestamp,
    ) -> Result<Loaded, Failure> {
        let before = loaded.as_ref().map(|loaded| loaded.hazard.clone());
        let (mut hazard, mut head) = match loaded {
            Some(loaded) => (Some(loaded.hazard), loaded.head),
            None => (None, Head::NONE),
        };
        for event in new_events {
            let record = EventRecord {
                hazard_id: command.hazard_id,
                seq: head.seq.saturating_add(1),
                actor_id: sender.person_id,
                recorded_at: now,
                origin: sender.origin.clone(),
                event: event.clone(),
            };
            head = append(tx, head, &record)?;
            match &mut hazard {
                Some(hazard) => hazard.apply(&record),
                None => hazard = Hazard::begin(&record),
            }
        }
        let hazard =
            hazard.ok_or_else(|| Failure::Internal("a history without a report".to_owned()))?;
        if !new_events.is_empty() {
            self.store(tx, &hazard, head, before.as_ref(), now)?;
        }
        Ok(Loaded { hazard, head })
    }

    /// Stores the state, its feed rows and its photo references.
    fn store(
        &self,
        tx: &mut WriteTx<'_>,
        hazard: &Hazard,
        head: Head,
        before: Option<&Hazard>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let record = minicbor::to_vec(hazard)
            .map_err(|error| Failure::Internal(format!("encoding a hazard: {error}")))?;
        let place = lineage(tx.conn(), hazard.jurisdiction_id)?;
        let version = before.map(|before| before.version);
        hazards::save(tx, hazard, &record, head, &place.district_code, version)?;
        let scopes = scopes_of(hazard.enterprise_id, &place.ancestors);
        let moved = |before: &&Hazard| {
            before.jurisdiction_id != hazard.jurisdiction_id
                || before.enterprise_id != hazard.enterprise_id
        };
        if let Some(before) = before.filter(moved) {
            let earlier = lineage(tx.conn(), before.jurisdiction_id)?;
            let mut left = scopes_of(before.enterprise_id, &earlier.ancestors);
            left.retain(|scope| !scopes.contains(scope));
            feed::remove(
                tx,
                &left,
                RecordKind::Hazard,
                &hazard.id.0,
                hazard.version,
                now,
            )?;
        }
        let announced = Announced {
            kind: RecordKind::Hazard,
            id: &hazard.id.0,
            version: hazard.version,
            body: &record,
            created_at: hazard.received_at,
        };
        feed::put(tx, &self.key, &scopes, announced)?;
        name_photos(tx, hazard, before, now)?;
        let app = self.app.clone();
        tx.after_commit(Box::new(move || app.events_wake.notify_one()));
        Ok(())
    }

    /// A photo may have been uploaded before the command that names it: where this very person
    /// brought the bytes, the record counts it as arrived at once.
    fn count_photos_already_here(
        &self,
        tx: &mut WriteTx<'_>,
        mut loaded: Loaded,
        sender: &Sender,
        now: Timestamp,
    ) -> Result<Hazard, Failure> {
        let Some(person_id) = sender.person_id else {
            return Ok(loaded.hazard);
        };
        let awaited: Vec<Digest> = loaded
            .hazard
            .photos
            .iter()
            .filter(|photo| photo.state == PhotoState::AwaitingPhoto && photo.named_by == person_id)
            .map(|photo| photo.reference.sha256)
            .collect();
        if !awaited.is_empty() {
            // See `photo_arrived`: the upload may finish at this very moment.
            people::hold(tx, person_id)?;
        }
        for sha256 in awaited {
            if hazards::has_uploaded(tx.conn(), person_id.as_bytes(), &sha256)? {
                loaded = self.receive_photo(tx, loaded, sha256, now)?;
            }
        }
        Ok(loaded.hazard)
    }

    /// Lets the rules record that a photo's bytes are here.
    fn receive_photo(
        &self,
        tx: &mut WriteTx<'_>,
        loaded: Loaded,
        sha256: Digest,
        now: Timestamp,
    ) -> Result<Loaded, Failure> {
        let receipt = hazardloop_domain::command::ReceivePhoto { sha256 };
        let command = Command {
            hazard_id: loaded.hazard.id,
            action: Action::ReceivePhoto(receipt),
        };
        let facts = Facts {
            now,
            made_at: None,
            jurisdiction_id: None,
            limits: self.limits.clone(),
        };
        let decision = decide(Some(&loaded.hazard), &command, &Actor::System, &facts)?;
        let server = Sender {
            person_id: None,
            origin: Origin::DIRECT,
        };
        self.record(tx, Some(loaded), &command, &decision.events, &server, now)
    }
}

#[derive(Default)]
struct Target {
    place: Place,
    resolved: Option<JurisdictionId>,
    /// Where an amendment would move the hazard.
    new_place: Option<Place>,
}

/// Whoever moves a hazard to another enterprise must answer for that one too: otherwise it could
/// be pushed onto a neighbour.
fn require_role_over(
    conn: &mut Conn,
    sender: &Sender,
    place: &Place,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(person_id) = sender.person_id else {
        return Ok(());
    };
    let grants = access::grants_of(conn, person_id)?;
    if Actor::over(person_id, &grants, place, now).is_outside() {
        return Err(unknown_enterprise());
    }
    Ok(())
}

fn unknown_enterprise() -> Failure {
    Failure::Refused(hazardloop_domain::refusal::Refusal::invalid_field(
        "enterprise_id",
        "names no enterprise that you answer for",
    ))
}

fn jurisdiction_of(
    conn: &mut Conn,
    enterprise_id: EnterpriseId,
) -> Result<JurisdictionId, Failure> {
    // A move of the enterprise at the same time waits for this report, and then takes it along.
    enterprises::keep_in_place(conn, enterprise_id)?;
    let enterprise = places::enterprise(conn, enterprise_id)?.ok_or_else(unknown_enterprise)?;
    Ok(enterprise.jurisdiction_id)
}

/// The way from the root to a jurisdiction that is known to exist.
pub(super) fn lineage(conn: &mut Conn, id: JurisdictionId) -> Result<Lineage, Failure> {
    places::lineage(conn, id)?.ok_or_else(|| {
        StoreError::Corrupt {
            what: format!("jurisdiction {id} is gone"),
        }
        .into()
    })
}

/// The scopes that hold a record of this enterprise and these jurisdictions.
pub(super) fn scopes_of(
    enterprise_id: Option<EnterpriseId>,
    ancestors: &[JurisdictionId],
) -> Vec<Scope> {
    let enterprise = enterprise_id.map(Scope::Enterprise);
    enterprise
        .into_iter()
        .chain(ancestors.iter().copied().map(Scope::Jurisdiction))
        .collect()
}

fn append(tx: &mut WriteTx<'_>, head: Head, record: &EventRecord) -> Result<Head, Failure> {
    let body = minicbor::to_vec(record)
        .map_err(|error| Failure::Internal(format!("encoding an event: {error}")))?;
    let event = NewEvent {
        subject_kind: "hazard",
        subject_id: &record.hazard_id.0,
        kind: record.event.kind(),
        actor: record.actor_id,
        recorded_at: record.recorded_at,
        body: &body,
    };
    Ok(events::append_after(tx, head, event)?)
}

/// Keeps the references table in step with the record: new names, and states that changed.
fn name_photos(
    tx: &mut WriteTx<'_>,
    hazard: &Hazard,
    before: Option<&Hazard>,
    now: Timestamp,
) -> Result<(), Failure> {
    for photo in &hazard.photos {
        let sha256 = &photo.reference.sha256;
        let known = before
            .and_then(|before| before.photo(sha256))
            .map(|photo| &photo.state);
        if known != Some(&photo.state) {
            let state = match photo.state {
                PhotoState::AwaitingPhoto => "awaiting_photo",
                PhotoState::Verified => "verified",
                PhotoState::Lost { .. } => "lost",
            };
            let by = photo.named_by.as_bytes();
            hazards::name_photo(tx, hazard.id, sha256, by, state, now)?;
        }
    }
    Ok(())
}
