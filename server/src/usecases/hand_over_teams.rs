//! Planned inspections go with a desk that is handed over: where the predecessor is on the team of one that
//! has not begun, within what was handed over, the successor takes the place, as an event in the
//! inspection's history by whoever handed over. The right to do so is that to hand over: `change_team`,
//! which not everybody may who hands over, is not asked.
//!
//! Whoever could not do there what the predecessor could does not take the place: then the predecessor
//! stays on the team, and the hand-over says why. A first lot goes in the transaction of the hand-over, the
//! others by a job; of one that takes effect later, all go by a job then.

use hazardloop_domain::access::{Actor, Grant, Place, Role};
use hazardloop_domain::command::{ActionKind, ChangeTeam, InspectionKind, Origin, Subject};
use hazardloop_domain::ids::{InspectionId, PersonId};
use hazardloop_domain::inspection::{Inspection, InspectionEvent, InspectionState, policy};
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::enqueue::enqueue;
use super::execute::{Door, Sender, WorkingSet};
use super::people::wake_audit;
use crate::app::App;
use crate::failure::Failure;
use crate::store::hand_overs::{self, HandOver, TeamOutcome};
use crate::store::jobs::JobKind;
use crate::store::people as stored;
use crate::store::{Conn, WriteTx, planned_members};

/// Has the first lot go at once, and the others by a job; all by a job where the hand-over takes effect
/// later.
///
/// # Errors
/// When the database does not answer.
pub fn begin(
    app: &App,
    tx: &mut WriteTx<'_>,
    made: &HandOver,
    now: Timestamp,
) -> Result<(), Failure> {
    let more = match made.effective_at <= now {
        true => lot(app, tx, made, None, now)?.is_some(),
        false => true,
    };
    if !more {
        return Ok(());
    }
    let (key, at) = (made.id.to_string(), made.effective_at);
    enqueue(tx, app, JobKind::HandOverTeams, Some(key.clone()), key, at)
}

/// Has all go that have not yet, a lot a transaction.
///
/// # Errors
/// When the database does not answer; what went by then stays so.
pub async fn go_on(app: &App, id: Uuid) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let shared = app.clone();
        let next = app.db.write(move |tx| {
            let now = shared.clock.now();
            let Some(made) = hand_overs::one(tx.conn(), id)? else {
                return Ok(None);
            };
            let next = lot(&shared, tx, &made, after, now)?;
            wake_audit(tx, &shared);
            Ok::<_, Failure>(next)
        });
        after = next.await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The planned inspections of the predecessor after `after`, `hazards.moved_at_once` at most: answers the
/// last one where there may be more.
fn lot(
    app: &App,
    tx: &mut WriteTx<'_>,
    made: &HandOver,
    after: Option<InspectionId>,
    now: Timestamp,
) -> Result<Option<InspectionId>, Failure> {
    let most = app.settings.hazards.moved_at_once.max(1);
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let found = planned_members::inspections_of(tx.conn(), made.from_person, after, limit)?;
    let last = found.last().copied().filter(|_| found.len() >= most);
    if found.is_empty() {
        return Ok(None);
    }
    let handed = handed_over(tx.conn(), made)?;
    let door = Door::new(app);
    let mut set = door.open(now);
    let subjects: Vec<Subject> = found.iter().map(|id| Subject::Inspection(*id)).collect();
    set.expect(tx.conn(), &subjects)?;
    let mut outcomes = Vec::new();
    for id in found {
        let case = Case {
            made,
            handed: &handed,
            now,
        };
        if let Some(outcome) = case.goes(&mut set, tx.conn(), id)? {
            outcomes.push((id, outcome));
        }
    }
    set.store(tx)?;
    hand_overs::note_inspections(tx, made.id, &outcomes)?;
    Ok(last)
}

/// The grants that were handed over, as the predecessor held them.
fn handed_over(conn: &mut Conn, made: &HandOver) -> Result<Vec<Grant>, Failure> {
    let ended = |grant: &Grant| made.grants.iter().any(|(ended, _)| *ended == grant.id);
    let held = stored::grants_of(conn, &[made.from_person])?;
    let grants = held.into_iter().map(|placed| placed.grant);
    Ok(grants.filter(ended).collect())
}

/// The roles by which an inspection of this kind is carried out.
fn carry_out(kind: InspectionKind) -> Vec<Role> {
    let rows = policy::TABLE.iter();
    let rows =
        rows.filter(|row| row.action == ActionKind::RecordResults && row.kinds.contains(&kind));
    rows.flat_map(|row| row.roles).copied().collect()
}

struct Case<'a> {
    made: &'a HandOver,
    handed: &'a [Grant],
    now: Timestamp,
}

impl Case<'_> {
    /// What becomes of the predecessor's place on one team; `None`: it is not part of what was handed over.
    fn goes(
        &self,
        set: &mut WorkingSet<'_>,
        conn: &mut Conn,
        id: InspectionId,
    ) -> Result<Option<TeamOutcome>, Failure> {
        let Some(inspection) = set.inspection(conn, id)?.cloned() else {
            return Ok(None);
        };
        // It may have begun, or been cancelled, since the list was read: who is on site stays on the team.
        if inspection.state() != InspectionState::Planned {
            return Ok(None);
        }
        let Some(place) = set.place_of(conn, Subject::Inspection(id))? else {
            return Ok(None);
        };
        let handed: Vec<&Grant> = self
            .handed
            .iter()
            .filter(|grant| grant.covers(&place))
            .collect();
        let needed = carry_out(inspection.kind);
        // By another role that stays theirs they carry it out as before.
        let stays = self.actor(set, conn, self.made.from_person, &place)?;
        if handed.is_empty() || stays.is_any_of(&needed) {
            return Ok(None);
        }
        let successor = self.actor(set, conn, self.made.to_person, &place)?;
        let outcome = self.judge(&inspection, &handed, &needed, &successor);
        if outcome == TeamOutcome::Moved {
            let event = InspectionEvent::TeamChanged {
                change: self.change(&inspection),
            };
            let sender = Sender {
                person_id: Some(self.made.made_by),
                origin: Origin::DIRECT,
                made_at: None,
                heard_at: None,
            };
            set.record_inspection(id, &[event], &sender)?;
        }
        Ok(Some(outcome))
    }

    fn actor(
        &self,
        set: &mut WorkingSet<'_>,
        conn: &mut Conn,
        who: PersonId,
        place: &Place,
    ) -> Result<Actor, Failure> {
        Ok(Actor::over(who, set.grants(conn, who)?, place, self.now))
    }

    fn judge(
        &self,
        inspection: &Inspection,
        handed: &[&Grant],
        needed: &[Role],
        successor: &Actor,
    ) -> TeamOutcome {
        if inspection.is_on_team(self.made.to_person) {
            return TeamOutcome::SuccessorOnTeam;
        }
        // As what the predecessor was there; who was there as something else gives way to anybody who fits.
        let mut as_what: Vec<Role> = handed.iter().map(|grant| grant.role).collect();
        as_what.retain(|role| needed.contains(role));
        let as_what = if as_what.is_empty() { needed } else { &as_what };
        if !successor.is_any_of(as_what) {
            return TeamOutcome::SuccessorWithoutRole;
        }
        // Who inspects without a certificate assists: a team that counted on one would be too few.
        let by_certificate = |grant: &&Grant| {
            let certificate = grant.certificate.as_ref();
            certificate.is_some_and(|held| held.is_valid_at(self.now))
        };
        if handed.iter().copied().any(|grant| by_certificate(&grant)) && !successor.is_certified() {
            return TeamOutcome::SuccessorWithoutCertificate;
        }
        TeamOutcome::Moved
    }

    fn change(&self, inspection: &Inspection) -> ChangeTeam {
        let mut team = inspection.team.clone();
        for member in team
            .iter_mut()
            .filter(|member| member.person_id == self.made.from_person)
        {
            member.person_id = self.made.to_person;
        }
        ChangeTeam {
            team,
            reason: self.made.reason.clone(),
        }
    }
}
