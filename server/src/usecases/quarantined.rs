//! Commands of devices that could not be judged: listed for those who may settle them, and settled.
//!
//! Who may: administrators and department heads, of all sectors, over a place where the author held a role when
//! the command came; where they held none any more, over one where they held their last.
//! To settle is to say what became of it: that it has no effect, or that what it says was entered in another
//! way by whoever answers for it now. Nothing is carried out in another's name. Nobody settles what came of
//! their own devices, or what they signed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hazardloop_domain::command::Action;
use hazardloop_domain::command_fate::{Chosen, SentCommand, SettledCommand};
use hazardloop_domain::ids::{HazardId, InspectionId, PersonId, SubjectId};
use hazardloop_domain::operations::Operation;
use hazardloop_domain::text::{self, LONG_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::CommandPayload;

use super::command_fates;
use super::people::{record_event, wake_audit};
use crate::app::App;
use crate::failure::Failure;
use crate::store::command_fates::{self as stored_fates, Pushed};
use crate::store::command_photos::{self, CommandPhoto, Naming};
use crate::store::people::{self, PlacedGrant};
use crate::store::quarantined::{self, Quarantined, SettledAs, Settlement};
use crate::store::{Conn, WriteTx, hazards, inspections};

/// A command that could not be judged, as whoever settles it is shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Why it could not be judged, and what was made of it.
    pub quarantined: Quarantined,
    /// What its author chose to do about it; absent: nothing.
    pub chosen: Option<Chosen>,
    /// Looked at by itself: what it says.
    pub said: Option<SaidByIt>,
}

/// What a command that could not be judged says.
#[derive(Clone, Debug, PartialEq)]
pub struct SaidByIt {
    /// The command, where this build can read it.
    pub action: Option<Action>,
    /// The photos that it names.
    pub photos: Vec<CommandPhoto>,
}

/// Commands that one page looks through at most, before it says where to go on.
const EXAMINED_PER_PAGE: usize = 1_000;
/// Commands that are looked through at once.
const EXAMINED_AT_ONCE: usize = 100;

/// The places where somebody settles.
struct Reach {
    asker: PersonId,
    paths: Vec<String>,
    /// The roles of those who were asked about, as they were read.
    known: BTreeMap<PersonId, Vec<PlacedGrant>>,
}

impl Reach {
    fn of(conn: &mut Conn, asker: PersonId, now: Timestamp) -> Result<Self, Failure> {
        let row = people::by_id(conn, asker)?;
        let mut own = Vec::new();
        if row.is_some_and(|person| person.disabled_at.is_none()) {
            own = people::grants_of(conn, &[asker])?;
        }
        let roles = Operation::SettleQuarantined.roles();
        let may =
            |placed: &PlacedGrant| placed.grant.holds_at(now) && roles.contains(&placed.grant.role);
        // Whoever is limited to sectors answers for people of those alone, and people have none.
        own.retain(|placed| may(placed) && placed.grant.sectors.is_empty());
        let paths = own.into_iter().map(|placed| placed.path).collect();
        Ok(Self {
            asker,
            paths,
            known: BTreeMap::new(),
        })
    }

    /// Whether what came of this person's devices at `received_at` is theirs to settle.
    fn reaches(
        &mut self,
        conn: &mut Conn,
        author: PersonId,
        received_at: Timestamp,
    ) -> Result<bool, Failure> {
        if author == self.asker || self.paths.is_empty() {
            return Ok(false);
        }
        let grants = match self.known.entry(author) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(people::grants_of(conn, &[author])?),
        };
        let mut by_then: Vec<&PlacedGrant> = grants
            .iter()
            .filter(|placed| placed.grant.holds_at(received_at))
            .collect();
        if by_then.is_empty() {
            // What ended last before it, or where nothing had, whatever they were ever given.
            let ended = |placed: &&PlacedGrant| {
                placed
                    .grant
                    .valid_until
                    .filter(|ended| *ended <= received_at)
            };
            let last = grants.iter().filter_map(|placed| ended(&placed)).max();
            by_then = grants
                .iter()
                .filter(|placed| last.is_none() || ended(placed) == last)
                .collect();
        }
        let within = |placed: &&PlacedGrant| {
            let mut paths = self.paths.iter();
            paths.any(|path| placed.path.starts_with(path.as_str()))
        };
        Ok(by_then.iter().any(within))
    }
}

/// Commands that wait and are the asker's to settle, after `after`, at most `limit`; and where to go on. A
/// page among many that are not theirs may be short, or empty.
///
/// # Errors
/// [`Failure::Forbidden`] for whoever settles nothing anywhere; when the database does not answer.
pub async fn list(
    app: &App,
    asker: PersonId,
    after: Option<SentCommand>,
    limit: usize,
) -> Result<(Vec<Shown>, Option<SentCommand>), Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let (found, next) = list_in(tx.conn(), asker, after, limit, now)?;
            let shown = found.into_iter().map(|found| shown(tx.conn(), found));
            Ok((shown.collect::<Result<_, Failure>>()?, next))
        })
        .await
}

/// With what its author chose.
fn shown(conn: &mut Conn, quarantined: Quarantined) -> Result<Shown, Failure> {
    let fate = stored_fates::fate(conn, quarantined.which)?;
    Ok(Shown {
        quarantined,
        chosen: fate.and_then(|fate| fate.chosen),
        said: None,
    })
}

/// Whether what a command says is theirs to read who may settle it: it speaks of nothing that is here, or of something
/// that they see. Their place is the author's; what the command is about may be elsewhere.
fn reads(
    conn: &mut Conn,
    asker: PersonId,
    subject: Option<SubjectId>,
    now: Timestamp,
) -> Result<bool, Failure> {
    let Some(id) = subject else {
        return Ok(true);
    };
    if command_fates::present(conn, asker, id, now)?.is_some() {
        return Ok(true);
    }
    let known = hazards::load(conn, HazardId(id.0))?.is_some()
        || inspections::load(conn, InspectionId(id.0))?.is_some();
    Ok(!known)
}

/// Whether one of these commands is theirs to settle.
pub(super) fn settles_one_of(
    conn: &mut Conn,
    asker: PersonId,
    naming: &[Naming],
    now: Timestamp,
) -> Result<bool, Failure> {
    if naming.is_empty() {
        return Ok(false);
    }
    let mut reach = Reach::of(conn, asker, now)?;
    for of in naming {
        if reach.reaches(conn, of.author, of.received_at)?
            && reads(conn, asker, of.subject_id, now)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn list_in(
    conn: &mut Conn,
    asker: PersonId,
    after: Option<SentCommand>,
    limit: usize,
    now: Timestamp,
) -> Result<(Vec<Quarantined>, Option<SentCommand>), Failure> {
    let mut reach = Reach::of(conn, asker, now)?;
    if reach.paths.is_empty() {
        return Err(forbidden());
    }
    let rows = i64::try_from(EXAMINED_AT_ONCE).unwrap_or(i64::MAX);
    let (mut seen, mut from, mut examined) = (Vec::new(), after, 0_usize);
    loop {
        let found = quarantined::waiting(conn, from, rows)?;
        let ended = found.len() < EXAMINED_AT_ONCE;
        for waits in found {
            let is_theirs = reach.reaches(conn, waits.person_id, waits.received_at)?
                && !is_in_effect(conn, &waits)?;
            if is_theirs && seen.len() >= limit {
                return Ok((seen, from));
            }
            from = Some(waits.which);
            examined = examined.saturating_add(1);
            if is_theirs {
                seen.push(waits);
            }
        }
        if ended {
            return Ok((seen, None));
        }
        if examined >= EXAMINED_PER_PAGE {
            return Ok((seen, from));
        }
    }
}

/// Whether its author has sent it again, or another in its place, with effect: there is nothing to settle any more.
fn is_in_effect(conn: &mut Conn, of: &Quarantined) -> Result<bool, Failure> {
    let became = command_fates::what_became(conn, of.person_id, of.which)?;
    Ok(became.is_some_and(|became| became.outcome.took_effect()))
}

fn forbidden() -> Failure {
    let why =
        "administrators, and department heads of all sectors, settle what could not be judged";
    Failure::Forbidden(why.to_owned())
}

/// One of them, for those who may settle it.
///
/// # Errors
/// [`Failure::NotFound`] for everybody else.
pub async fn one(app: &App, asker: PersonId, which: SentCommand) -> Result<Shown, Failure> {
    let (app, now) = (app.clone(), app.clock.now());
    app.clone()
        .db
        .read(move |tx| one_shown(&app, tx.conn(), asker, which, now))
        .await
}

fn one_shown(
    app: &App,
    conn: &mut Conn,
    asker: PersonId,
    which: SentCommand,
    now: Timestamp,
) -> Result<Shown, Failure> {
    let found = one_in(conn, asker, which, now)?;
    let (author, subject) = (found.person_id, found.subject_id);
    let mut shown = shown(conn, found)?;
    if reads(conn, asker, subject, now)? {
        let sent = stored_fates::pushed(conn, author, which)?;
        let depth = app.settings.wire_limits().depth;
        let read = sent.and_then(|sent| {
            let (kind, version) = (&sent.kind, sent.kind_version);
            CommandPayload::unpack(kind, version, &sent.payload, depth).ok()
        });
        shown.said = Some(SaidByIt {
            action: read.map(|(_, command)| command.action),
            photos: command_photos::of(conn, which)?,
        });
    }
    Ok(shown)
}

fn one_in(
    conn: &mut Conn,
    asker: PersonId,
    which: SentCommand,
    now: Timestamp,
) -> Result<Quarantined, Failure> {
    let unknown = || Failure::NotFound("command in quarantine");
    let found = quarantined::one(conn, which)?.ok_or_else(unknown)?;
    let mut reach = Reach::of(conn, asker, now)?;
    match reach.reaches(conn, found.person_id, found.received_at)? {
        true => Ok(found),
        false => Err(unknown()),
    }
}

/// Settles one. The same again by the same person changes nothing.
///
/// # Errors
/// [`Failure::NotFound`] for whoever may not; [`Failure::Conflict`] when it is settled otherwise;
/// [`Failure::Refused`] for a note that is none.
pub async fn settle(
    app: &App,
    asker: PersonId,
    which: SentCommand,
    (how, note): (SettledAs, String),
) -> Result<Shown, Failure> {
    text::required("note", &note, LONG_TEXT_MAX)?;
    let (app, now) = (app.clone(), app.clock.now());
    let settlement = Settlement {
        how,
        note,
        by: asker,
        at: now,
    };
    app.clone()
        .db
        .write(move |tx| {
            settle_in(&app, tx, which, &settlement)?;
            one_shown(&app, tx.conn(), asker, which, now)
        })
        .await
}

/// Whether somebody is among those who signed a command beside its author, as far as this build can read it.
fn is_signed_by(app: &App, sent: &Pushed, asker: PersonId) -> bool {
    let depth = app.settings.wire_limits().depth;
    let opened = CommandPayload::open(&sent.kind, sent.kind_version, &sent.payload, depth);
    opened.is_ok_and(|read| read.co_signatures.iter().any(|by| by.person_id == asker))
}

fn settle_in(
    app: &App,
    tx: &mut WriteTx<'_>,
    which: SentCommand,
    settlement: &Settlement,
) -> Result<(), Failure> {
    let (asker, now) = (settlement.by, settlement.at);
    let found = one_in(tx.conn(), asker, which, now)?;
    if found.settlement.is_none() && is_in_effect(tx.conn(), &found)? {
        let why = "its author has sent it again, or another in its place, and that took effect";
        return Err(Failure::Conflict(why.to_owned()));
    }
    let sent = stored_fates::pushed(tx.conn(), found.person_id, which)?;
    if sent
        .as_ref()
        .is_some_and(|sent| is_signed_by(app, sent, asker))
    {
        let why = "who signed it does not settle it";
        return Err(Failure::Forbidden(why.to_owned()));
    }
    if !quarantined::settle(tx, which, settlement)? {
        let known = one_in(tx.conn(), asker, which, now)?;
        let same = known.settlement.as_ref().is_some_and(|known| {
            (known.by, known.how, &known.note) == (asker, settlement.how, &settlement.note)
        });
        return match same {
            true => Ok(()),
            false => Err(Failure::Conflict("somebody has settled it".to_owned())),
        };
    }
    let author = found.person_id;
    let by_name = people::by_id(tx.conn(), asker)?.map(|person| person.name);
    if let Some(sent) = sent {
        let told = SettledCommand {
            how: settlement.how,
            note: settlement.note.clone(),
            by: asker,
            by_name: by_name.unwrap_or_default(),
            at: now,
        };
        command_fates::tell(tx, &app.digest_key, author, &sent, now, |fate| {
            fate.settled = Some(told);
        })?;
    }
    let fields = [
        ("install_id", which.install_id.to_string()),
        ("seq", which.seq.to_string()),
        ("kind", found.kind),
        ("settled", settlement.how.as_str().to_owned()),
        ("note", settlement.note.clone()),
    ];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    record_event(
        tx,
        found.person_id,
        "command_settled",
        Some(asker),
        &fields,
        now,
    )?;
    wake_audit(tx, app);
    Ok(())
}
