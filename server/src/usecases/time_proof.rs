//! When commands of devices were made, and what proves it: statements taken with pushes, and proofs told with
//! histories. What proves nothing refuses nothing: it is a fact beside others. See ADR 12.

use std::collections::BTreeMap;

use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_domain::time::Timestamp;
use hazardloop_domain::time_proof::{Anchored, ChainWitnessed, TimeProof, WitnessedBy};
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::hub::witnesses::{Standing, Statement, Weighed, weigh, weigh_more};
use hazardloop_sync_protocol::hub::{
    ClockFacts, Stated, Witnessing, Writes, breaks_chain, follow_clocks, not_before,
};
use hazardloop_sync_protocol::wire::{CommandPayload, Opened, RecordKind, Scope, Witness};
use hazardloop_sync_protocol::witness::head_fits;

use super::enqueue::enqueue;
use super::people::{Occurrence, wake_audit};
use crate::app::App;
use crate::failure::Failure;
use crate::store::feed::{self, Announced};
use crate::store::jobs::JobKind;
use crate::store::pushed::{self, Install, Kept};
use crate::store::witnesses::{self, Weighing};
use crate::store::{Conn, StoreError, WriteTx, chains_to_weigh, people};

/// Over which statements of one device are counted.
const DAY_MS: i64 = 86_400_000;

/// Lots of statements that one run of the job weighs before other jobs have their turn.
const LOTS_AT_A_TIME: usize = 10;

/// Statements that may wait for one chain to come so far. Half of what a push weighs: the others are its own, and what
/// follows from all of them.
fn most_open(app: &App) -> usize {
    (at_once(app) / 2).max(1)
}

/// Whether a statement by `install` is to be weighed, as one more beside `taken` of this push.
///
/// # Errors
/// When the database does not answer.
pub(super) fn witnessing(
    app: &App,
    conn: &mut Conn,
    (install, taken): (&Install, usize),
    said: &Witness,
    now: Timestamp,
) -> Result<Witnessing, Failure> {
    let by = install.stream.install_id;
    let about = match by == said.install_id {
        true => None,
        false => pushed::install(conn, said.install_id)?,
    };
    let signed = |about: &Install| {
        let key = &about.stream.public_key;
        head_fits(key, said.install_id, &said.head)
    };
    if !about.as_ref().is_some_and(signed) {
        return Ok(Witnessing::IsPassedOver);
    }
    let about = SentCommand {
        install_id: said.install_id,
        seq: said.head.seq,
    };
    // Said once by somebody is enough, whatever number of devices they have: else one could fill the room of all others.
    // And a push must have room to weigh all that waits for it.
    if witnesses::is_said(conn, install.person_id, about)?
        || witnesses::count_open(conn, about.install_id, most_open(app))? >= most_open(app)
    {
        return Ok(Witnessing::IsPassedOver);
    }
    let most = app.settings.witness.statements_a_day;
    let since = now.plus_millis(DAY_MS.saturating_neg());
    let before = witnesses::count_since(conn, by, since, most)?;
    Ok(match before.saturating_add(taken) < most {
        true => Witnessing::Counts,
        false => Witnessing::TooMany,
    })
}

/// The commands of a push as they are kept, each with what its clocks are worth, and the newest anchor of their
/// chain kept too.
///
/// # Errors
/// When the database does not answer.
pub(super) fn keep_commands(
    app: &App,
    tx: &mut WriteTx<'_>,
    install: &Install,
    writes: &Writes<'_>,
) -> Result<(), Failure> {
    if !writes.advances() {
        return Ok(());
    }
    let (id, depth) = (install.stream.install_id, app.settings.wire_limits().depth);
    let before = witnesses::anchored(tx.conn(), id)?;
    let mut anchored = before;
    let kept = writes.commands().map(|kept| {
        let clocks: ClockFacts = follow_clocks(&app.anchor_key, &mut anchored, &kept, depth);
        Kept::new(install, &kept, clocks)
    });
    pushed::keep_all(tx, kept.collect())?;
    if anchored != before {
        witnesses::put_anchored(tx, id, anchored.as_ref())?;
    }
    let mut receipts = writes.commands().map(|kept| kept.receipt);
    if let Some(broken) = receipts.find(|receipt| breaks_chain(&receipt.outcome)) {
        witnesses::put_broken(tx, id, broken.seq)?;
    }
    Ok(())
}

/// What is known of the clock behind a chain, command by command of a push.
pub(super) struct ChainClock {
    anchored: Option<Anchored>,
    /// Commands of the push that it was followed through.
    followed: usize,
}

impl ChainClock {
    /// As the chain stands before a push.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) fn of(conn: &mut Conn, install_id: InstallId) -> Result<Self, StoreError> {
        Ok(Self {
            anchored: witnesses::anchored(conn, install_id)?,
            followed: 0,
        })
    }

    /// When a command was made, behind those of its push `before` it: as its device's clock says, and not before what
    /// its chain had seen. A clock that is put back does not make an act timely that was late.
    pub(super) fn times(
        &mut self,
        app: &App,
        opened: &Opened,
        before: &Writes<'_>,
        now: Timestamp,
    ) -> Times {
        let (key, depth) = (&app.anchor_key, app.settings.wire_limits().depth);
        for kept in before.commands().skip(self.followed) {
            follow_clocks(key, &mut self.anchored, &kept, depth);
            self.followed += 1;
        }
        let said = opened.made.made_at();
        let floor = not_before(key, self.anchored.as_ref(), &opened.made, now);
        // Without a token it is no proof, but nobody says without need that they had heard more.
        let told = opened.made.server_anchor.filter(|at| *at <= now);
        Times {
            made_at: floor.map_or(said, |floor| said.max(floor)),
            heard_at: floor.max(told),
        }
    }
}

/// What is known of when a command was made.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// As its device's clock says, and not before what its chain had seen.
    pub made_at: Timestamp,
    /// When its device had last heard of this server by then, by the server's time.
    pub heard_at: Option<Timestamp>,
}

/// Weighs what a push has brought: what it says of others' chains, and what others had said of this one. Its
/// commands are stored, and its stream has moved.
///
/// # Errors
/// When the database does not answer.
pub(super) fn after_push(
    app: &App,
    tx: &mut WriteTx<'_>,
    install: &Install,
    writes: &Writes<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let by = install.stream.install_id;
    // In one order, so that fewer wait for each other.
    let mut others: Vec<InstallId> = writes.stated.iter().map(|said| said.install_id).collect();
    others.sort_unstable();
    others.dedup();
    for other in others {
        witnesses::wait_for(tx.conn(), other)?;
    }
    for said in writes.stated {
        record(tx, install, said, now)?;
    }
    let made = writes.stated.iter().map(|said| Statement {
        by: SentCommand {
            install_id: by,
            seq: said.seq,
        },
        about: SentCommand {
            install_id: said.install_id,
            seq: said.head.seq,
        },
        head: said.head.head,
        received_at: now,
        proven_at: now,
        standing: Standing::Open,
    });
    let last = writes.stream.last_seq;
    let most = at_once(app);
    let weighed = weigh(&mut Weighing(tx.conn()), (by, last), made.collect(), most)?;
    told_of(app, tx, &weighed, now)?;
    if !weighed.left_over.is_empty() {
        chains_to_weigh::put(tx, weighed.left_over.iter().copied(), 0)?;
        weigh_soon(app, tx, now)?;
    }
    if !writes.stated.is_empty() || !weighed.differing.is_empty() {
        wake_audit(tx, app);
    }
    Ok(())
}

/// Statements that one transaction weighs.
fn at_once(app: &App) -> usize {
    app.settings.witness.weighed_at_once.max(1)
}

/// Has what is left over weighed.
///
/// # Errors
/// When the database does not answer.
pub fn weigh_soon(app: &App, tx: &mut WriteTx<'_>, now: Timestamp) -> Result<(), Failure> {
    let kind = JobKind::WeighChains;
    let key = kind.as_str().to_owned();
    enqueue(tx, app, kind, Some(key), String::new(), now)
}

fn told_of(
    app: &App,
    tx: &mut WriteTx<'_>,
    weighed: &Weighed,
    now: Timestamp,
) -> Result<(), Failure> {
    for statement in &weighed.differing {
        differs(tx, statement, now)?;
    }
    for statement in &weighed.leading {
        tell(app, tx, statement)?;
    }
    Ok(())
}

/// Weighs what found no room in the push that it follows from, [`LOTS_AT_A_TIME`]: what proves a command does not depend
/// on how much came at once. Answers whether there may be more.
///
/// # Errors
/// When the database does not answer; what was weighed by then stays so.
pub async fn weigh_left_over(app: &App) -> Result<bool, Failure> {
    for _ in 0..LOTS_AT_A_TIME {
        let shared = app.clone();
        if !app.db.write(move |tx| weigh_lot(&shared, tx)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is left over of one install, as far as one transaction goes. Answers whether there was one.
fn weigh_lot(app: &App, tx: &mut WriteTx<'_>) -> Result<bool, Failure> {
    let now = app.clock.now();
    let Some((id, after)) = chains_to_weigh::take(tx)? else {
        return Ok(false);
    };
    // Before its end is read: pushes of it that are under way belong to it.
    witnesses::wait_for(tx.conn(), id)?;
    let install = pushed::install(tx.conn(), id)?.ok_or(StoreError::Missing)?;
    let last = install.stream.last_seq;
    let most = at_once(app);
    let (weighed, next) = weigh_more(&mut Weighing(tx.conn()), (id, last), after, most)?;
    told_of(app, tx, &weighed, now)?;
    if let Some(next) = next {
        chains_to_weigh::put(tx, [id], next)?;
    }
    chains_to_weigh::put(tx, weighed.left_over.iter().copied(), 0)?;
    wake_audit(tx, app);
    Ok(true)
}

/// Says in the history of the witnessing device what it has said: the archive covers it from then on.
fn record(
    tx: &mut WriteTx<'_>,
    install: &Install,
    said: &Stated,
    now: Timestamp,
) -> Result<(), Failure> {
    let (by_seq, about, seq) = (
        said.seq.to_string(),
        said.install_id.to_string(),
        said.head.seq.to_string(),
    );
    let head = said.head.head.to_string();
    let occurrence = Occurrence {
        subject: ("device", &install.stream.install_id.0),
        kind: CHAIN_WITNESSED,
        actor: Some(install.person_id),
        fields: &[
            ("seq", &by_seq),
            ("about_install", &about),
            ("about_seq", &seq),
            ("head", &head),
        ],
    };
    Ok(occurrence.record(tx, now)?)
}

/// The event by which a statement enters the archive.
pub(super) const CHAIN_WITNESSED: &str = "chain_witnessed";

/// Says in the history of a device that it had shown a chain that is not the one it sent.
fn differs(tx: &mut WriteTx<'_>, statement: &Statement, now: Timestamp) -> Result<(), Failure> {
    let (by, about) = (statement.by, statement.about);
    let (witness, by_seq) = (by.install_id.to_string(), by.seq.to_string());
    let (seq, head) = (about.seq.to_string(), statement.head.to_string());
    let occurrence = Occurrence {
        subject: ("device", &about.install_id.0),
        kind: "chain_differs",
        actor: None,
        fields: &[
            ("seq", &seq),
            ("shown_head", &head),
            ("witness_install", &witness),
            ("witness_seq", &by_seq),
        ],
    };
    Ok(occurrence.record(tx, now)?)
}

/// Tells the owner of a chain that it was witnessed.
fn tell(app: &App, tx: &mut WriteTx<'_>, statement: &Statement) -> Result<(), Failure> {
    let owner = owner_of(tx.conn(), statement.about.install_id)?;
    let by = witnessed_by(tx.conn(), statement)?;
    let name = people::by_id(tx.conn(), by.person_id)?;
    let told = ChainWitnessed {
        about: statement.about,
        by_name: name.map_or_else(String::new, |person| person.name),
        by,
    };
    // Told again, it is of an earlier time.
    let earlier = statement.received_at.as_millis() - statement.proven_at.as_millis();
    let version = earlier.saturating_add(1);
    // Writing to a Vec cannot fail.
    let body = minicbor::to_vec(&told).unwrap_or_default();
    witnesses::put_record(tx, statement.by, version, &body)?;
    let announced = Announced {
        kind: RecordKind::ChainWitnessed,
        id: &statement.by.witness_id(),
        version,
        body: &body,
        created_at: statement.received_at,
    };
    feed::put(tx, &app.digest_key, &[Scope::Person(owner)], announced)?;
    Ok(())
}

fn owner_of(conn: &mut Conn, install: InstallId) -> Result<PersonId, Failure> {
    let found = pushed::install(conn, install)?.ok_or(StoreError::Missing)?;
    Ok(found.person_id)
}

fn witnessed_by(conn: &mut Conn, statement: &Statement) -> Result<WitnessedBy, Failure> {
    Ok(WitnessedBy {
        install_id: statement.by.install_id,
        person_id: owner_of(conn, statement.by.install_id)?,
        seq: statement.by.seq,
        up_to_seq: statement.about.seq,
        at: statement.proven_at,
    })
}

/// What proves when these commands were made, as far as they were received; without what their devices claim.
///
/// # Errors
/// When the database does not answer.
pub(super) fn proofs(
    conn: &mut Conn,
    commands: impl Iterator<Item = SentCommand>,
) -> Result<BTreeMap<SentCommand, TimeProof>, Failure> {
    let mut by_install: BTreeMap<InstallId, Vec<i64>> = BTreeMap::new();
    for command in commands {
        by_install
            .entry(command.install_id)
            .or_default()
            .push(command.seq);
    }
    let mut proofs = BTreeMap::new();
    for (install_id, seqs) in by_install {
        // Most chains were witnessed by nobody: one look, and not one a command.
        let first = seqs.iter().min().copied().unwrap_or_default();
        let witnessed = witnesses::is_witnessed(conn, install_id, first)?;
        for (seq, timed) in witnesses::timed(conn, install_id, &seqs)? {
            let command = SentCommand { install_id, seq };
            let leading = match witnessed {
                true => witnesses::leading(conn, command)?,
                false => None,
            };
            let by = match leading.filter(|leading| leading.proven_at < timed.received_at) {
                Some(leading) => Some(witnessed_by(conn, &leading)?),
                None => None,
            };
            let received = TimeProof {
                not_before: timed.clocks.not_before,
                clock: timed.clocks.check,
                ..TimeProof::received(timed.received_at)
            };
            proofs.insert(command, received.with_witness(by));
        }
    }
    Ok(proofs)
}

/// What proves when these commands were made, with what their devices claim. Whether the asker may see them was
/// asked before.
///
/// # Errors
/// When the database does not answer.
pub async fn of_commands(
    app: &App,
    commands: Vec<SentCommand>,
) -> Result<BTreeMap<SentCommand, TimeProof>, Failure> {
    let depth = app.settings.wire_limits().depth;
    app.db
        .read(move |tx| {
            let mut proofs = proofs(tx.conn(), commands.into_iter())?;
            for (command, proof) in &mut proofs {
                let sent = pushed::sent(tx.conn(), command.install_id, command.seq)?;
                let read = sent.and_then(|sent| {
                    codec::decode_strict::<CommandPayload>(&sent.payload, depth).ok()
                });
                proof.claimed_at = read.map(|read| read.made.wall);
            }
            Ok(proofs)
        })
        .await
}

#[cfg(test)]
#[path = "time_proof_tests.rs"]
mod tests;
