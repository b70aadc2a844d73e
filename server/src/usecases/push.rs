//! Push: a batch of commands of one install, in one transaction, with a receipt for each.
//!
//! What happens in which order, and what each decision becomes on the wire, is the machine's to say
//! (`sync_protocol::hub::Push`). Here it is given the database and the one door to the rules. The whole batch is
//! decided on before anything of it is written, so a command that is refused leaves nothing to undo, and
//! a batch costs little more than one command.

use hazardloop_domain::access::Place;
use hazardloop_domain::command::{Origin, Subject};
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::hub::{
    Beginning, Decision, Push, PushStep, Responsibility, Witnessing, Writes, check_push,
    was_responsible_by_grants,
};
use hazardloop_sync_protocol::wire::{
    CommandPayload, Envelope, Opened, Outcome, PushRequest, PushResponse, RecordKind, Scope,
};

use super::co_sign::{self, Checked};
use super::command_fates;
use super::execute::beginnings::{Beginner, Where};
use super::execute::{Door, Sender, WorkingSet};
use super::reach::scopes_of_grant;
use super::time_proof::{self, ChainClock, Times};
use crate::app::App;
use crate::failure::Failure;
use crate::store::access::{self, Asking};
use crate::store::command_photos::{self, CommandPhoto};
use crate::store::pushed::{self, Install};
use crate::store::receipts::receipts;
use crate::store::{Conn, WriteTx, feed, hazards, people};

/// Photos that one answer may list as missing; no more are awaited of one person's commands that could not be judged.
pub const MISSING_PHOTOS_LISTED: i64 = 200;

/// Takes a push by `person_id`.
///
/// # Errors
/// [`Failure`] when the batch as a whole cannot be taken; a bad command inside never is a reason.
pub async fn push(
    app: &App,
    person_id: PersonId,
    request: PushRequest,
) -> Result<PushResponse, Failure> {
    let limits = app.settings.wire_limits();
    check_push(&request, &limits)?;
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            let install = own_install(tx.conn(), request.install_id, person_id)?;
            let stream = install.stream.clone();
            let mut push = Push::begin(stream, person_id, &request.commands, &limits, now)
                .settled(&request.settled);
            let set = door.open(now);
            let driver = Driver {
                set,
                clock: ChainClock::of(tx.conn(), request.install_id)?,
                install,
                app: &app,
                sent: &request.commands,
                stated: 0,
            };
            driver.drive(tx, &mut push)?;
            let missing_photos = photos_missing_from(tx.conn(), person_id)?;
            let mut answer = push.response(app.epoch.clone(), missing_photos);
            answer.anchor = app.anchor_key.token(now);
            Ok(answer)
        })
        .await
}

/// The install, if it is this person's and was not revoked.
///
/// # Errors
/// [`Failure::NotFound`] for others' as for none; [`Failure::DeviceRevoked`].
pub(super) fn own_install(
    conn: &mut Conn,
    install_id: InstallId,
    person_id: PersonId,
) -> Result<Install, Failure> {
    let install = pushed::install(conn, install_id)?.ok_or(NO_DEVICE)?;
    require_own(&install, person_id)?;
    Ok(install)
}

/// Who asks with an install, if it is this person's and was not revoked.
///
/// # Errors
/// As [`own_install`].
pub(super) fn own_asking(
    conn: &mut Conn,
    install_id: InstallId,
    person_id: PersonId,
) -> Result<Asking, Failure> {
    let asking = access::asking(conn, install_id)?.ok_or(NO_DEVICE)?;
    require_own(&asking.install, person_id)?;
    Ok(asking)
}

/// Others' devices are as if there were none.
const NO_DEVICE: Failure = Failure::NotFound("device");

fn require_own(install: &Install, person_id: PersonId) -> Result<(), Failure> {
    match install {
        install if install.person_id != person_id => Err(NO_DEVICE),
        install if install.revoked => Err(Failure::DeviceRevoked),
        _ => Ok(()),
    }
}

/// Photos that `person_id` named and whose bytes are not here, as many as an answer lists.
pub(super) fn missing_photos(
    conn: &mut Conn,
    person_id: PersonId,
    asking: &Asking,
) -> Result<Vec<Digest>, Failure> {
    match asking.lacks_photos {
        true => photos_missing_from(conn, person_id),
        false => Ok(Vec::new()),
    }
}

/// Those that records wait for first, then those of commands that wait for a person.
fn photos_missing_from(conn: &mut Conn, person_id: PersonId) -> Result<Vec<Digest>, Failure> {
    let of = person_id.as_bytes();
    let mut missing = hazards::photos_missing_from(conn, of, MISSING_PHOTOS_LISTED)?;
    let known = i64::try_from(missing.len()).unwrap_or(i64::MAX);
    let room = MISSING_PHOTOS_LISTED.saturating_sub(known);
    if room > 0 {
        missing.extend(command_photos::missing_from(conn, person_id, room)?);
    }
    Ok(missing)
}

/// What the machine's steps are answered from.
struct Driver<'a> {
    set: WorkingSet<'a>,
    install: Install,
    app: &'a App,
    /// The batch.
    sent: &'a [Envelope],
    /// Statements of this push that count.
    stated: usize,
    clock: ChainClock,
}

impl Driver<'_> {
    fn drive(mut self, tx: &mut WriteTx<'_>, push: &mut Push<'_>) -> Result<(), Failure> {
        let install_id = self.install.stream.install_id;
        loop {
            match push.step() {
                PushStep::Expect(subjects) => {
                    self.set.expect(tx.conn(), subjects)?;
                    push.handle_expected()?;
                }
                PushStep::Receipts { first, last } => {
                    let stored = receipts(tx.conn(), install_id, (first, last), self.sent)?;
                    push.handle_receipts(stored)?;
                }
                PushStep::Recall(about) => {
                    let author = self.install.person_id;
                    let became = command_fates::what_became(tx.conn(), author, about)?;
                    push.handle_recalled(became.as_ref())?;
                }
                PushStep::Witness(said) => {
                    let by = (&self.install, self.stated);
                    let now = self.set.now();
                    let what = time_proof::witnessing(self.app, tx.conn(), by, said, now)?;
                    self.stated += usize::from(what == Witnessing::Counts);
                    push.handle_witness(what)?;
                }
                PushStep::Decide {
                    seq,
                    opened,
                    before,
                } => {
                    let now = self.set.now();
                    let times = self.clock.times(self.app, opened, &before, now);
                    let decision = self.decide(tx, seq, opened, times)?;
                    push.handle_decision(decision)?;
                }
                PushStep::FailedBeginning(subject) => {
                    let failed = pushed::failed_report(tx.conn(), install_id, subject)?;
                    push.handle_failed_beginning(failed)?;
                }
                PushStep::Version(subject) => {
                    let version = self.set.version(tx.conn(), subject)?;
                    push.handle_version(version)?;
                }
                PushStep::WasResponsible(asked) => {
                    let was = self.was_responsible(tx, asked)?;
                    push.handle_was_responsible(was)?;
                }
                PushStep::Store(writes) => {
                    store(self.set, tx, &self.install, writes, self.app)?;
                    push.handle_stored()?;
                    return Ok(());
                }
                PushStep::Done => return Ok(()),
            }
        }
    }

    /// Lets the rules decide. Only a failure of the store itself ends the batch.
    fn decide(
        &mut self,
        tx: &mut WriteTx<'_>,
        seq: i64,
        opened: &Opened,
        times: Times,
    ) -> Result<Decision, Failure> {
        let person_id = self.install.person_id;
        let checked = co_sign::check(
            tx.conn(),
            &mut self.set,
            person_id,
            &opened.statement,
            &opened.co_signatures,
        )?;
        let co_signers = match checked {
            Checked::Good(co_signers) => co_signers,
            Checked::NotGood(refusal) => return Ok(Decision::NotSigned(refusal)),
            Checked::KeyRevokedSince => return Ok(Decision::CoSignerRevoked),
        };
        let sender = Sender {
            person_id: Some(person_id),
            origin: Origin {
                install_id: Some(self.install.stream.install_id),
                seq: Some(seq),
                made: Some(opened.made.clone()),
                co_signers,
            },
            made_at: Some(times.made_at),
            heard_at: times.heard_at,
        };
        match self.set.decide(tx, &opened.command, &sender) {
            Ok(done) => Ok(Decision::TookEffect {
                version: done.record.version(),
                effect: done.outcome,
            }),
            Err(Failure::Refused(refusal)) => Ok(Decision::Refused(refusal)),
            Err(Failure::NotFound(_)) => Ok(Decision::NoSuch),
            Err(failure) => Err(failure),
        }
    }

    /// Whether this person was responsible for this subject once: by a role that has ended since, or
    /// in a scope that the subject has left since.
    fn was_responsible(
        &mut self,
        tx: &mut WriteTx<'_>,
        asked: &Responsibility,
    ) -> Result<bool, Failure> {
        let Responsibility {
            person_id, subject, ..
        } = *asked;
        let grants = self.set.grants(tx.conn(), person_id)?.to_vec();
        let scopes: Vec<Scope> = grants.iter().flat_map(scopes_of_grant).collect();
        let (kind, id) = match subject {
            Subject::Hazard(id) => (RecordKind::Hazard, id.0),
            Subject::Inspection(id) => (RecordKind::Inspection, id.0),
        };
        // Also by a command of this very batch, which is not written yet.
        if self.set.has_left(tx.conn(), subject, &scopes)?
            || feed::was_removed_from(tx.conn(), &scopes, kind, &id)?
        {
            return Ok(true);
        }
        let place = match (self.set.place_of(tx.conn(), subject)?, &asked.beginning) {
            (Some(place), _) => place,
            (None, Some(beginning)) => {
                let moved = match beginning.enterprise_id {
                    Some(EnterpriseId(id)) => {
                        let kind = RecordKind::Enterprise;
                        feed::was_removed_from(tx.conn(), &scopes, kind, &id)?
                    }
                    None => false,
                };
                if moved {
                    return Ok(true);
                }
                match self.place_of_new(tx.conn(), person_id, beginning) {
                    // What it names is not there: nobody was responsible for it.
                    Err(Failure::Refused(_)) => return Ok(false),
                    place => place?,
                }
            }
            (None, None) => return Ok(false),
        };
        let now = self.set.now();
        Ok(was_responsible_by_grants(
            person_id,
            &grants,
            &place,
            now,
            &asked.times,
        ))
    }

    fn place_of_new(
        &mut self,
        conn: &mut Conn,
        person_id: PersonId,
        beginning: &Beginning,
    ) -> Result<Place, Failure> {
        let at = Where {
            enterprise_id: beginning.enterprise_id,
            position: beginning.position,
        };
        let by = Beginner {
            person_id: Some(person_id),
            last_contact: beginning.last_contact,
        };
        let (place, _) = self.set.where_begins(conn, at, by)?;
        Ok(place)
    }
}

/// Writes effects, receipts and how far the stream has come.
fn store(
    set: WorkingSet<'_>,
    tx: &mut WriteTx<'_>,
    install: &Install,
    writes: Writes<'_>,
    app: &App,
) -> Result<(), Failure> {
    let now = set.now();
    set.store(tx)?;
    time_proof::keep_commands(app, tx, install, &writes)?;
    name_photos_of_unjudged(app, tx, install, &writes, now)?;
    for (choice, seq) in writes.choices {
        let by = SentCommand {
            install_id: install.stream.install_id,
            seq: *seq,
        };
        command_fates::note(tx, &app.digest_key, install.person_id, (choice, by), now)?;
    }
    if writes.advances() {
        pushed::advance(tx, writes.before, writes.stream, now)?;
        time_proof::after_push(app, tx, install, &writes, now)?;
    }
    Ok(())
}

/// What could not be judged waits for a person, and its photos with it: whoever settles it is to see them.
fn name_photos_of_unjudged(
    app: &App,
    tx: &mut WriteTx<'_>,
    install: &Install,
    writes: &Writes<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let depth = app.settings.wire_limits().depth;
    let author = install.person_id;
    let unjudged = writes
        .commands()
        .filter(|kept| matches!(kept.receipt.outcome, Outcome::Quarantined { .. }));
    let mut named: Vec<(i64, Digest)> = Vec::new();
    for kept in unjudged {
        let Envelope {
            kind,
            version,
            payload,
            ..
        } = kept.envelope;
        if let Ok((_, command)) = CommandPayload::unpack(kind, *version, &payload.0, depth) {
            let photos = command.action.photos().into_iter();
            named.extend(photos.map(|photo| (kept.envelope.seq, photo.sha256)));
        }
    }
    if named.is_empty() {
        return Ok(());
    }
    // An upload that ends at this very moment: whoever comes second sees what the first has stored.
    people::hold(tx, author)?;
    let most = usize::try_from(MISSING_PHOTOS_LISTED).unwrap_or(usize::MAX);
    let waiting = command_photos::missing_from(tx.conn(), author, MISSING_PHOTOS_LISTED)?.len();
    named.truncate(most.saturating_sub(waiting));
    let all: Vec<Digest> = named.iter().map(|(_, sha256)| *sha256).collect();
    let brought = hazards::brought_by(tx.conn(), author, &all)?;
    for (seq, sha256) in named {
        let which = SentCommand {
            install_id: install.stream.install_id,
            seq,
        };
        let arrived_at = brought.contains(&sha256).then_some(now);
        let photo = CommandPhoto { sha256, arrived_at };
        command_photos::name(tx, which, author, photo, now)?;
    }
    Ok(())
}
