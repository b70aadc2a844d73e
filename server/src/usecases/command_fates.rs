//! Commands of one's own devices that took no full effect: listed, looked at beside how the record stands now,
//! and settled by a choice. What others made of one is told to its author here too.
//!
//! A choice is the author's alone; it travels in their signed stream ([`super::push`]) or is said over REST. What is
//! sent again, or in its place, is a command like any other.

use hazardloop_domain::command::{Action, ActionKind};
use hazardloop_domain::command_fate::{
    Choice, ChoiceKind, Chosen, CommandFate, SentCommand, SettledAs,
};
use hazardloop_domain::hazard::{Outcome as Effect, StatusName};
use hazardloop_domain::ids::{HazardId, InspectionId, PersonId, SubjectId};
use hazardloop_domain::inspection::InspectionState;
use hazardloop_domain::policy;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::hub::{self, Became, Known};
use hazardloop_sync_protocol::wire::{CommandPayload, Outcome, RecordKind, Scope};

use super::execute::Door;
use super::people::{record_event, wake_audit};
use super::{read, rest_command};
use crate::app::App;
use crate::failure::Failure;
use crate::store::command_fates::{self, Pushed};
use crate::store::feed::{self, Announced};
use crate::store::lists::Key;
use crate::store::{Conn, WriteTx, command_photos};

/// A command, as its author is shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// As it was sent, with its receipt.
    pub pushed: Pushed,
    /// What it says, where this build can read it.
    pub action: Option<Action>,
    /// What became of it; absent: nobody has said.
    pub fate: Option<CommandFate>,
}

/// How the record that a command acts upon stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Present {
    /// A hazard, and what its author may do with it.
    Hazard(i64, StatusName, Vec<ActionKind>),
    /// An inspection likewise.
    Inspection(i64, InspectionState, Vec<ActionKind>),
}

fn shown(app: &App, pushed: Pushed, fate: Option<CommandFate>) -> Shown {
    let depth = app.settings.wire_limits().depth;
    let read = CommandPayload::unpack(&pushed.kind, pushed.kind_version, &pushed.payload, depth);
    Shown {
        action: read.ok().map(|(_, command)| command.action),
        pushed,
        fate,
    }
}

/// Those of the asker's own commands that wait for a choice, after `after`, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(
    app: &App,
    asker: PersonId,
    after: Option<SentCommand>,
    limit: usize,
) -> Result<Vec<Shown>, Failure> {
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = app
        .db
        .read(move |tx| command_fates::waiting(tx.conn(), asker, after, rows))
        .await?;
    Ok(found
        .into_iter()
        .map(|pushed| shown(app, pushed, None))
        .collect())
}

/// What became of the asker's own commands, the latest first, before `before`, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn settled(
    app: &App,
    asker: PersonId,
    before: Option<Key>,
    limit: usize,
) -> Result<Vec<(Key, CommandFate)>, Failure> {
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = app
        .db
        .read(move |tx| command_fates::fates(tx.conn(), asker, before, rows));
    Ok(read.await?)
}

/// One of the asker's own commands, with how its record stands now, where the asker sees that.
///
/// # Errors
/// [`Failure::NotFound`] for what the asker's devices have not sent.
pub async fn one(
    app: &App,
    asker: PersonId,
    command: SentCommand,
) -> Result<(Shown, Option<Present>), Failure> {
    let (now, shared) = (app.clock.now(), app.clone());
    app.db
        .read(move |tx| {
            let found = known(tx.conn(), asker, command)?;
            let fate = command_fates::fate(tx.conn(), command)?;
            let subject = found.subject_id;
            let shown = shown(&shared, found, fate);
            let present = match subject {
                Some(id) => present(tx.conn(), asker, id, now)?,
                None => None,
            };
            Ok((shown, present))
        })
        .await
}

fn known(conn: &mut Conn, asker: PersonId, command: SentCommand) -> Result<Pushed, Failure> {
    let unknown = Failure::NotFound("command of yours");
    command_fates::pushed(conn, asker, command)?.ok_or(unknown)
}

pub(super) fn present(
    conn: &mut Conn,
    asker: PersonId,
    id: SubjectId,
    now: Timestamp,
) -> Result<Option<Present>, Failure> {
    match read::hazard::visible(conn, asker, HazardId(id.0), now) {
        Ok((hazard, actor)) => {
            let allowed = policy::allowed_actions(Some(&hazard), &actor);
            return Ok(Some(Present::Hazard(
                hazard.version,
                hazard.status_name(),
                allowed,
            )));
        }
        Err(Failure::NotFound(_)) => {}
        Err(failure) => return Err(failure),
    }
    match read::inspection::visible(conn, asker, InspectionId(id.0), now) {
        Ok((inspection, actor)) => {
            let allowed =
                hazardloop_domain::inspection::policy::allowed_actions(&inspection, &actor);
            Ok(Some(Present::Inspection(
                inspection.version,
                inspection.state(),
                allowed,
            )))
        }
        Err(Failure::NotFound(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The author says what is to become of a command, on a page: it is given up, or sent again as it was. What is sent
/// again is carried out in the same transaction, by the one door ([`super::rest_command`]); what the rules refuse now
/// goes on waiting. The same again changes nothing.
///
/// # Errors
/// [`Failure::NotFound`] for what the asker's devices have not sent; [`Failure::Conflict`] for what took effect, is
/// settled otherwise, or cannot be read here; [`Failure::Refused`] for a reason that is none, and by the rules;
/// [`Failure::Invalid`] for a replacement, which is a command of its own.
pub async fn choose(
    app: &App,
    asker: PersonId,
    command: SentCommand,
    (how, reason): (ChoiceKind, Option<String>),
) -> Result<Shown, Failure> {
    if how == ChoiceKind::Amended {
        let why = "what goes in its place is sent as any command is, with `instead_of`";
        return Err(Failure::invalid("how", why));
    }
    let choice = Choice {
        about: command,
        how,
        reason,
    };
    choice.check()?;
    let (door, app, now) = (Door::new(app), app.clone(), app.clock.now());
    app.clone()
        .db
        .write(move |tx| choose_in(&app, &door, tx, asker, &choice, now))
        .await
}

fn choose_in(
    app: &App,
    door: &Door,
    tx: &mut WriteTx<'_>,
    asker: PersonId,
    choice: &Choice,
    now: Timestamp,
) -> Result<Shown, Failure> {
    let found = known(tx.conn(), asker, choice.about)?;
    let fate = command_fates::fate(tx.conn(), choice.about)?;
    let told = fate.as_ref().and_then(|fate| fate.chosen.as_ref());
    // What a phone sent again was not carried out here.
    let here = told.filter(|told| told.by.is_none());
    if here.is_some_and(|told| (told.how, &told.reason) == (choice.how, &choice.reason)) {
        return Ok(shown(app, found, fate));
    }
    let found = open(tx.conn(), asker, choice.about)?;
    if choice.how == ChoiceKind::Retried {
        send_again(app, door, tx, asker, &found, now)?;
    }
    let how = (choice.how, choice.reason.clone());
    let fate = chosen_on_a_page(app, tx, asker, &found, how, now)?;
    let found = known(tx.conn(), asker, choice.about)?;
    Ok(shown(app, found, Some(fate)))
}

/// A command of this person's devices that waits for a choice.
///
/// # Errors
/// [`Failure::NotFound`] for what they have not sent; [`Failure::Conflict`] for what took effect or is settled.
pub(super) fn open(
    conn: &mut Conn,
    author: PersonId,
    about: SentCommand,
) -> Result<Pushed, Failure> {
    let found = known(conn, author, about)?;
    let why = match (found.receipt.outcome.took_effect(), found.waits) {
        (true, _) => "it took effect: there is nothing to choose",
        (false, false) => "it is settled otherwise",
        (false, true) => return Ok(found),
    };
    Err(Failure::Conflict(why.to_owned()))
}

/// What was sent before takes effect now, or the rules say why it does not.
fn send_again(
    app: &App,
    door: &Door,
    tx: &mut WriteTx<'_>,
    author: PersonId,
    sent: &Pushed,
    now: Timestamp,
) -> Result<(), Failure> {
    let depth = app.settings.wire_limits().depth;
    let opened = CommandPayload::open(&sent.kind, sent.kind_version, &sent.payload, depth);
    let opened = opened.map_err(|why| {
        let why = format!("it cannot be read here, so not sent again from a page: {why}");
        Failure::Conflict(why)
    })?;
    let mut set = door.open(now);
    let signed = (&opened.statement, opened.co_signatures.as_slice());
    let done = rest_command::decide_as(tx, &mut set, author, &opened.command, signed)?;
    require_undisputed(&done.outcome)?;
    set.store(tx)
}

/// What would only be kept beside another's value settles nothing.
///
/// # Errors
/// [`Failure::Conflict`].
pub(super) fn require_undisputed(outcome: &Effect) -> Result<(), Failure> {
    if matches!(outcome, Effect::Disputed(_)) {
        let why =
            "somebody has changed the same meanwhile: amend the present record, with `instead_of`";
        return Err(Failure::Conflict(why.to_owned()));
    }
    Ok(())
}

/// Notes a choice that was made on a page, in the author's history too.
pub(super) fn chosen_on_a_page(
    app: &App,
    tx: &mut WriteTx<'_>,
    author: PersonId,
    about: &Pushed,
    (how, reason): (ChoiceKind, Option<String>),
    now: Timestamp,
) -> Result<CommandFate, Failure> {
    let fields = [
        ("install_id", about.command.install_id.to_string()),
        ("seq", about.command.seq.to_string()),
        ("chosen", how.as_str().to_owned()),
        ("reason", reason.clone().unwrap_or_default()),
    ];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    record_event(tx, author, "command_chosen", Some(author), &fields, now)?;
    wake_audit(tx, app);
    let chosen = Chosen {
        how,
        reason,
        by: None,
        at: now,
    };
    tell(tx, &app.digest_key, author, about, now, |fate| {
        fate.chosen = Some(chosen)
    })
}

/// Tells the author's devices what became of a command. It waits no more.
pub(super) fn tell(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    author: PersonId,
    about: &Pushed,
    now: Timestamp,
    change: impl FnOnce(&mut CommandFate),
) -> Result<CommandFate, Failure> {
    let known = command_fates::fate(tx.conn(), about.command)?;
    let mut fate = known.unwrap_or_else(|| CommandFate {
        command: about.command,
        version: 0,
        kind: about.kind.clone(),
        subject_id: about.subject_id,
        received_at: about.receipt.received_at,
        chosen: None,
        settled: None,
    });
    fate.version = fate.version.saturating_add(1);
    change(&mut fate);
    // Writing to a Vec cannot fail.
    let record = minicbor::to_vec(&fate).unwrap_or_default();
    command_fates::save(tx, author, &fate, &record, now)?;
    command_photos::forget_missing(tx, about.command)?;
    let announced = Announced {
        kind: RecordKind::CommandFate,
        id: &about.command.fate_id(),
        version: fate.version,
        body: &record,
        created_at: about.receipt.received_at,
    };
    feed::put(tx, key, &[Scope::Person(author)], announced)?;
    Ok(fate)
}

/// What became of an earlier command of this person, or of what was sent in its place, as a choice about it needs to
/// know; `None`: they have sent none such.
pub(super) fn what_became(
    conn: &mut Conn,
    author: PersonId,
    about: SentCommand,
) -> Result<Option<Became>, Failure> {
    hub::what_became(about, |about| {
        let Some(found) = command_fates::pushed(conn, author, about)? else {
            return Ok(None);
        };
        let fate = match found.receipt.outcome.took_effect() {
            true => None,
            false => command_fates::fate(conn, about)?,
        };
        let entered = fate
            .as_ref()
            .and_then(|fate| fate.settled.as_ref())
            .is_some_and(|settled| settled.how == SettledAs::Entered);
        if entered {
            // Whoever answers for the place has entered what it says: it is not carried out once more.
            return Ok(Some(Known {
                outcome: Outcome::Applied { version: 0 },
                subject: None,
                chosen: None,
            }));
        }
        Ok(Some(Known {
            outcome: found.receipt.outcome,
            subject: found.subject_id,
            chosen: fate.and_then(|fate| fate.chosen),
        }))
    })
}

/// Notes a choice that came by the author's signed stream.
pub(super) fn note(
    tx: &mut WriteTx<'_>,
    key: &DigestKey,
    author: PersonId,
    (choice, by): (&Choice, SentCommand),
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(found) = command_fates::pushed(tx.conn(), author, choice.about)? else {
        return Ok(());
    };
    let chosen = Chosen {
        how: choice.how,
        reason: choice.reason.clone(),
        by: Some(by),
        at: now,
    };
    tell(tx, key, author, &found, now, |fate| {
        fate.chosen = Some(chosen)
    })?;
    Ok(())
}

#[cfg(test)]
#[path = "command_fates_tests.rs"]
mod tests;
