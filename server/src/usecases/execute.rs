//! The one door: whoever acts, by whichever way, the act is one command, decided by the rules and
//! stored with its events, the new state, the feed rows and what follows, in one transaction.
//!
//! The rules decide on what a [`WorkingSet`] has read, and what they decided waits in it; nothing
//! is written before everything is decided. So a refusal leaves nothing to undo, and a batch of
//! commands is stored in few statements.

mod aggregate;
mod authors;
pub mod beginnings;
mod checklists;
mod cited;
mod co_signed;
mod inspections;
mod merged;
mod named;
mod queue;
mod working_set;

use hazardloop_domain::access::{Actor, Place};
use hazardloop_domain::command::{Action, ActionKind, Command, Origin, Subject};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Facts, Hazard, Limits, MergeTarget, Outcome, PhotoState, decide};
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId, SubjectId};
use hazardloop_domain::inspection::{Inspection, InspectionLimits};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::Scope;

use self::aggregate::Aggregate;
use self::authors::{Author, beside_unfit, fit_or_not};
use self::beginnings::Where;
use self::cited::cited;
pub use self::working_set::WorkingSet;
use super::reach;
use crate::app::App;
use crate::failure::Failure;
use crate::store::hazards;
use crate::store::places::{self, Lineage};
use crate::store::{Conn, StoreError, WriteTx, people, photos};
use crate::usecases::photo_arrived::is_as_said;

/// Who sends a command, and by which door.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Who; `None`: the server itself.
    pub person_id: Option<PersonId>,
    /// By which door.
    pub origin: Origin,
    /// When, as far as can be known: as its device's clock says, and not before what its chain had seen. `None`: now.
    pub made_at: Option<Timestamp>,
    /// When its device had last heard of the server by then, by the server's own time: what has come since, its author
    /// could not know.
    pub heard_at: Option<Timestamp>,
}

impl Sender {
    /// The server itself.
    pub const SERVER: Self = Self {
        person_id: None,
        origin: Origin::DIRECT,
        made_at: None,
        heard_at: None,
    };
}

/// What was acted upon, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A hazard.
    Hazard(Box<Hazard>),
    /// An inspection.
    Inspection(Box<Inspection>),
}

impl Record {
    /// Its version.
    pub fn version(&self) -> i64 {
        match self {
            Self::Hazard(hazard) => hazard.version,
            Self::Inspection(inspection) => inspection.version,
        }
    }
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Done {
    /// The subject as it is now.
    pub record: Record,
    /// How the command took effect.
    pub outcome: Outcome,
    /// The version that the rules decided on; `None` for what begins a record.
    pub decided_on: Option<i64>,
}

/// What the door needs of the server, cheap to hand into a transaction.
#[derive(Clone)]
pub struct Door {
    app: App,
    limits: Limits,
    inspection_limits: InspectionLimits,
    most_co_signatures: usize,
    key: DigestKey,
}

impl Door {
    /// The door of this server.
    pub fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            limits: app.settings.rule_limits(),
            inspection_limits: app.settings.inspection_limits(),
            most_co_signatures: app.settings.sync.co_signatures,
            key: app.digest_key,
        }
    }

    /// Nothing read and nothing decided yet, at `now`. It belongs to one transaction.
    pub fn open(&self, now: Timestamp) -> WorkingSet<'_> {
        WorkingSet::new(self, now)
    }
}

#[derive(Default)]
struct Target {
    place: Place,
    resolved: Option<JurisdictionId>,
    /// 监管行业 of the enterprise that a report or an amendment names.
    sector: Option<String>,
    /// Where an amendment would move the hazard.
    new_place: Option<Place>,
}

impl WorkingSet<'_> {
    /// Lets the rules decide on one command; what they decide waits for [`Self::store`].
    ///
    /// # Errors
    /// [`Failure::Refused`] when the rules refuse: the set holds what it held before;
    /// [`Failure::Store`] when the database does not answer.
    pub fn decide(
        &mut self,
        tx: &mut WriteTx<'_>,
        command: &Command,
        sender: &Sender,
    ) -> Result<Done, Failure> {
        match command.subject() {
            Subject::Hazard(id) => self.decide_on_hazard(tx, id, command, sender),
            Subject::Inspection(id) => self.decide_on_inspection(tx, id, command, sender),
        }
    }

    fn decide_on_hazard(
        &mut self,
        tx: &mut WriteTx<'_>,
        hazard_id: HazardId,
        command: &Command,
        sender: &Sender,
    ) -> Result<Done, Failure> {
        let loaded = self.hazard(tx.conn(), hazard_id)?.cloned();
        if loaded.is_none() && command.action.kind() != ActionKind::Report {
            // Who may see it makes no difference: there is nothing to see.
            let refusal = Refusal::new(RefusalCode::NotFound, "there is no such hazard");
            return Err(refusal.into());
        }
        let place = self.place(tx.conn(), command, loaded.as_ref(), sender)?;
        let Author {
            actor,
            place,
            acts_for_sender,
        } = self.author(tx.conn(), command, loaded.as_ref(), place, sender)?;
        // Of their own reports machines and the public know without seeing any.
        let unseen =
            |hazard: &Hazard| !reach::sees(&actor) && actor.person_id() != Some(hazard.reported_by);
        if actor.is_outside() || loaded.as_ref().is_some_and(unseen) {
            // Before anything is said about what else the command names.
            let rule = "you hold no role over this hazard";
            return Err(Refusal::new(RefusalCode::OutOfScope, rule).into());
        }
        if loaded.is_none() {
            self.require_free(tx.conn(), command)?;
        }
        let target = self.target(tx.conn(), command, place)?;
        let seconds = self.seconds(tx.conn(), &sender.origin.co_signers, &target.place)?;
        let (seconds, unfit) = fit_or_not(seconds);
        let merge_target = self.other_named(tx.conn(), command, sender)?;
        let repeated = named::repeated(self, tx.conn(), command, sender)?;
        let cited = cited(tx.conn(), command)?;
        let named_sector = named::sector(self, tx.conn(), command, &target.place)?;
        let door = self.door();
        let facts = Facts {
            made_at: sender.made_at,
            jurisdiction_id: target.resolved,
            sector: target.sector.clone(),
            seconds,
            merge_target,
            cited,
            repeated,
            named_sector,
            listing_seat: self.listing_seat(tx.conn(), sender, &target.place)?,
            acts_for_sender,
            ..Facts::at(self.now(), door.limits.clone(), door.app.calendar.now())
        };
        if let Some(new_place) = &target.new_place {
            self.require_role_over(tx.conn(), sender, new_place)?;
        }
        let current = loaded.as_ref();
        let decision = beside_unfit(decide(current, command, &actor, &facts), unfit)?;
        let decided_on = current.map(|hazard| hazard.version);
        let hazard = self.record(hazard_id, &decision.events, sender)?;
        let hazard = match decision.events.is_empty() {
            true => hazard,
            false => self.out_of_merged(tx.conn(), hazard)?,
        };
        let done = Done {
            record: Record::Hazard(Box::new(hazard.clone())),
            outcome: decision.outcome,
            decided_on,
        };
        let here = already_here(tx, current, &hazard, sender)?;
        self.count_photos(tx, command.subject_id, here, done)
    }

    /// Refuses an id that is that of something else, of an enterprise, say: the two would share
    /// one history.
    fn require_free(&mut self, conn: &mut Conn, command: &Command) -> Result<(), Failure> {
        if self.is_taken(conn, command.subject())? {
            let rule = "this id belongs to something else";
            return Err(Refusal::new(RefusalCode::AlreadyExists, rule).into());
        }
        Ok(())
    }

    /// Where the command's hazard stands; for a report, where it will stand.
    fn place(
        &mut self,
        conn: &mut Conn,
        command: &Command,
        loaded: Option<&Hazard>,
        sender: &Sender,
    ) -> Result<Target, Failure> {
        let mut target = Target::default();
        if let Some(loaded) = loaded {
            // Of a report too: its author may only learn of a hazard that exists what their roles
            // over that hazard show.
            let lineage = self.lineage(conn, loaded.jurisdiction_id)?;
            target.place = loaded.place(lineage.ancestors.clone());
        } else if let Action::Report(report) = &command.action {
            let at = Where {
                enterprise_id: report.enterprise_id,
                position: report.position,
            };
            (target.place, target.resolved) = self.where_begins(conn, at, sender.into())?;
            target.sector.clone_from(&target.place.sector);
        }
        Ok(target)
    }

    /// The same, with where an amendment would move the hazard.
    fn target(
        &mut self,
        conn: &mut Conn,
        command: &Command,
        mut target: Target,
    ) -> Result<Target, Failure> {
        if let Action::Amend(change) = &command.action
            && let Some(enterprise_id) = change.enterprise_id
        {
            let seat = self.seat(conn, enterprise_id)?;
            let seat = seat.ok_or_else(unknown_enterprise)?;
            target.resolved = Some(self.standing_for(conn, seat.jurisdiction_id)?);
            target.sector = Some(seat.sector.clone());
            target.new_place = Some(Place {
                enterprise_id: Some(enterprise_id),
                jurisdictions: self.lineage(conn, seat.jurisdiction_id)?.ancestors.clone(),
                sector: Some(seat.sector),
            });
        }
        Ok(target)
    }

    /// The other hazard that a merge names, where the author may see it; and whether the body that
    /// a transfer names is there at all.
    fn other_named(
        &mut self,
        conn: &mut Conn,
        command: &Command,
        sender: &Sender,
    ) -> Result<Option<MergeTarget>, Failure> {
        if let Action::Transfer(transfer) = &command.action
            && let Some(id) = transfer.to_jurisdiction
            && places::lineage(conn, id)?.is_none()
        {
            let rule = "names no jurisdiction";
            return Err(Refusal::invalid_field("to_jurisdiction", rule).into());
        }
        self.not_to_where_it_is(conn, command)?;
        let (Action::Merge(merge), Some(person_id)) = (&command.action, sender.person_id) else {
            return Ok(None);
        };
        let Some(other) = self.hazard(conn, merge.into)?.cloned() else {
            return Ok(None);
        };
        let lineage = self.lineage(conn, other.jurisdiction_id)?;
        let place = other.place(lineage.ancestors.clone());
        let now = self.now();
        let grants = self.grants(conn, person_id)?;
        let other_actor = Actor::over(person_id, grants, &place, now);
        Ok(reach::sees(&other_actor).then(|| MergeTarget {
            status: other.status_name(),
            grade: other.grade,
            enterprise_id: other.enterprise_id,
        }))
    }

    /// Whoever moves a hazard to another enterprise must answer for that one too: otherwise it
    /// could be pushed onto a neighbour.
    fn require_role_over(
        &mut self,
        conn: &mut Conn,
        sender: &Sender,
        place: &Place,
    ) -> Result<(), Failure> {
        let Some(person_id) = sender.person_id else {
            return Ok(());
        };
        let now = self.now();
        let grants = self.grants(conn, person_id)?;
        if Actor::over(person_id, grants, place, now).is_outside() {
            return Err(unknown_enterprise());
        }
        Ok(())
    }

    /// Counts photos as arrived that are here already.
    fn count_photos(
        &mut self,
        tx: &mut WriteTx<'_>,
        subject_id: SubjectId,
        here: Vec<Action>,
        mut done: Done,
    ) -> Result<Done, Failure> {
        for receipt in here {
            let command = Command::new(subject_id, receipt);
            match self.decide(tx, &command, &Sender::SERVER) {
                Ok(counted) => done.record = counted.record,
                // The command that named it stands: the photo goes on waiting.
                Err(Failure::Refused(refusal)) => {
                    tracing::warn!(%subject_id, %refusal, "a photo's arrival was refused");
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(done)
    }
}

/// A photo may have been uploaded before the command that names it: where this very person
/// brought the bytes, the record counts it as arrived at once. What was named earlier is
/// counted when its upload ends. The receipts of such photos.
fn already_here<T: Aggregate>(
    tx: &mut WriteTx<'_>,
    before: Option<&T>,
    after: &T,
    sender: &Sender,
) -> Result<Vec<Action>, Failure> {
    let Some(person_id) = sender.person_id else {
        return Ok(Vec::new());
    };
    let awaits = |subject: &T| -> Vec<Digest> {
        let photos = subject.photos().iter();
        photos
            .filter(|photo| photo.state == PhotoState::AwaitingPhoto && photo.named_by == person_id)
            .map(|photo| photo.reference.sha256)
            .collect()
    };
    let known = before.map(awaits).unwrap_or_default();
    let mut named = awaits(after);
    named.retain(|sha256| !known.contains(sha256));
    if named.is_empty() {
        return Ok(Vec::new());
    }
    // See `photo_arrived`: the upload may finish at this very moment.
    people::hold(tx, person_id)?;
    let mut receipts = Vec::new();
    for sha256 in hazards::brought_by(tx.conn(), person_id, &named)? {
        let stored = photos::find(tx.conn(), sha256)?;
        if stored.is_some_and(|it| is_as_said(after.photos(), &sha256, &it.media_type)) {
            receipts.push(T::receipt(sha256));
        } else {
            tracing::warn!(%sha256, "a file is not what the record says it is");
        }
    }
    Ok(receipts)
}

fn unknown_enterprise() -> Failure {
    Failure::Refused(Refusal::invalid_field(
        "enterprise_id",
        "names no enterprise that you answer for",
    ))
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

/// The scopes of what waits for these people by name in the jurisdictions of this lineage, and is of this sector.
pub(super) fn tasks_of(people: &[PersonId], lineage: &Lineage, sector: Option<&str>) -> Vec<Scope> {
    let mut places = Vec::new();
    places.extend(lineage.ancestors.iter().map(|id| (*id, None)));
    let own = lineage.sectors.iter().copied();
    let own = own.filter(|(_, own)| Some(own.as_str()) == sector);
    places.extend(own.map(|(id, own)| (id, Some(own))));
    let of = |person: &PersonId| {
        let tasks = |(id, sector): &(JurisdictionId, _)| Scope::Tasks(*person, *id, *sector);
        places.iter().map(tasks).collect::<Vec<_>>()
    };
    people.iter().flat_map(of).collect()
}

/// The scopes that hold a record of this enterprise, of this sector, in the jurisdictions of this
/// lineage.
pub(super) fn scopes_of(
    enterprise_id: Option<EnterpriseId>,
    lineage: &Lineage,
    sector: Option<&str>,
) -> Vec<Scope> {
    let enterprise = enterprise_id.map(Scope::Enterprise);
    let jurisdictions = lineage.ancestors.iter().copied();
    let of_sector = lineage
        .sectors
        .iter()
        .filter(|(_, own)| Some(own.as_str()) == sector)
        .map(|(id, own)| Scope::JurisdictionSector(*id, *own));
    enterprise
        .into_iter()
        .chain(jurisdictions.map(Scope::Jurisdiction))
        .chain(of_sector)
        .collect()
}
