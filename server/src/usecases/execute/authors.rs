//! Who acts: the sender and those who signed with them, each as what they are over one place.

use std::collections::BTreeSet;

use hazardloop_domain::access::{Actor, Place, Role, highest_seat};
use hazardloop_domain::command::{ActionKind, CoSigner, Command};
use hazardloop_domain::hazard::{Hazard, ListingSeat};
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_sync_protocol::cosign_faults::Fault;

use super::{Sender, Target, WorkingSet};
use crate::failure::Failure;
use crate::store::{Conn, jurisdictions};

/// The sender of a command on a hazard.
pub(super) struct Author {
    /// What they are there.
    pub actor: Actor,
    /// Where.
    pub place: Target,
    /// They act for the body that handed the hazard over.
    pub acts_for_sender: bool,
}

impl WorkingSet<'_> {
    /// The sender over the place of the hazard; of one that nobody has taken over yet, whoever handed it over
    /// may still take it back.
    pub(super) fn author(
        &mut self,
        conn: &mut Conn,
        command: &Command,
        loaded: Option<&Hazard>,
        mut place: Target,
        sender: &Sender,
    ) -> Result<Author, Failure> {
        let mut actor = self.actor(conn, sender, &place.place)?;
        let receipt = command.action.kind() == ActionKind::ReceiveTransfer;
        let mut acts_for_sender = false;
        if let Some(hazard) = loaded.filter(|_| receipt && actor.is_outside())
            && let Some(from) = hazard.handed_over_by()
        {
            let lineage = self.lineage(conn, from)?;
            place.place = hazard.place(lineage.ancestors.clone());
            actor = self.actor(conn, sender, &place.place)?;
            acts_for_sender = true;
        }
        Ok(Author {
            actor,
            place,
            acts_for_sender,
        })
    }

    /// The sender with regard to `place`.
    pub(super) fn actor(
        &mut self,
        conn: &mut Conn,
        sender: &Sender,
        place: &Place,
    ) -> Result<Actor, Failure> {
        let Some(person_id) = sender.person_id else {
            return Ok(Actor::System);
        };
        let now = self.now();
        let grants = self.grants(conn, person_id)?;
        Ok(Actor::over(person_id, grants, place, now))
    }

    /// The highest body over `place` for which the sender lists hazards.
    pub(super) fn listing_seat(
        &mut self,
        conn: &mut Conn,
        sender: &Sender,
        place: &Place,
    ) -> Result<Option<ListingSeat>, Failure> {
        let Some(person_id) = sender.person_id else {
            return Ok(None);
        };
        let now = self.now();
        let grants = self.grants(conn, person_id)?;
        let down = highest_seat(grants, Role::ListingAuthority, place, now);
        let Some((first, down)) = down.and_then(|down| Some((*down.first()?, down.to_vec())))
        else {
            return Ok(None);
        };
        let level = jurisdictions::one(conn, first)?.map(|found| found.node.level);
        Ok(Some(ListingSeat {
            jurisdiction_id: first,
            level,
            down_to_hazard: Self::with_predecessors(conn, down)?,
        }))
    }

    /// Whose certificate, of these, was valid when the command was made, as its device says, and has run out since.
    pub(super) fn ran_out<'a>(
        &mut self,
        conn: &mut Conn,
        people: impl Iterator<Item = &'a Actor>,
        sender: &Sender,
        place: &Place,
    ) -> Result<BTreeSet<PersonId>, Failure> {
        let mut found = BTreeSet::new();
        // By REST things are made when they come.
        let Some(made_at) = sender.made_at else {
            return Ok(found);
        };
        let then = made_at.min(self.now());
        for actor in people {
            let Some(person) = actor.person_id() else {
                continue;
            };
            let grants = self.grants(conn, person)?;
            if actor.has_run_out_since(then, grants, place) {
                found.insert(person);
            }
        }
        Ok(found)
    }

    /// The co-signers, each as what they are over this place; or why one of them is no signer here.
    pub(super) fn seconds(
        &mut self,
        conn: &mut Conn,
        co_signers: &[CoSigner],
        place: &Place,
    ) -> Result<Result<Vec<Actor>, Refusal>, Failure> {
        let now = self.now();
        let mut seconds = Vec::with_capacity(co_signers.len());
        for (at, by) in co_signers.iter().enumerate() {
            let grants = self.grants(conn, by.person_id)?;
            let second = Actor::over(by.person_id, grants, place, now);
            if second.is_outside() {
                return Ok(Err(Fault::NoRole.refusal(Some(at))));
            }
            seconds.push(second);
        }
        Ok(Ok(seconds))
    }
}

/// Those who signed too; or none, and why one of them is no signer here.
pub(super) fn fit_or_not(seconds: Result<Vec<Actor>, Refusal>) -> (Vec<Actor>, Option<Refusal>) {
    match seconds {
        Ok(seconds) => (seconds, None),
        Err(unfit) => (Vec::new(), Some(unfit)),
    }
}

/// What was decided, where a co-signer is no signer here: what the author may not do at all is refused for that
/// reason, and not left to a person for the other's sake.
pub(super) fn beside_unfit<D>(
    decided: Result<D, Refusal>,
    unfit: Option<Refusal>,
) -> Result<D, Refusal> {
    let Some(unfit) = unfit else { return decided };
    match decided {
        Err(refusal)
            if matches!(
                refusal.code,
                RefusalCode::NotPermitted
                    | RefusalCode::NotAllowedInState
                    | RefusalCode::CertificateNeeded
                    | RefusalCode::AlreadyExists
            ) =>
        {
            Err(refusal)
        }
        _ => Err(unfit),
    }
}
