//! Pull: what changed in the scopes that a device may hold, one answer a scope.
//!
//! Which scopes are served in which order, what is dropped, begun anew or delivered, and how much of it, is the
//! machine's to say (`sync_protocol::hub::Pull`). Here it is given the feed and the records.

use std::collections::BTreeMap;

use hazardloop_domain::ids::PersonId;
use hazardloop_sync_protocol::hub::{Bodies, Pull, PullStep, Reader, check_pull, scopes_granted};
use hazardloop_sync_protocol::wire::{PullRequest, PullResponse, RecordKind, Scope};
use uuid::Uuid;

use super::push::{missing_photos, own_asking};
use super::windows;
use crate::app::App;
use crate::checkpoints::GivenOut;
use crate::failure::Failure;
use crate::store::feed::{self, Change};
use crate::store::order::{self, Bounds};
use crate::store::{Conn, Position, ReadTx, forgotten, people, records};

/// Answers a pull by `person_id`.
///
/// # Errors
/// [`Failure`] when the device is unknown, revoked, or the database does not answer.
pub async fn pull(
    app: &App,
    person_id: PersonId,
    request: PullRequest,
) -> Result<PullResponse, Failure> {
    check_pull(&request, &app.settings.wire_limits())?;
    let app = app.clone();
    app.clone()
        .db
        .read(move |tx| answer(&app, tx, person_id, &request))
        .await
}

fn answer(
    app: &App,
    tx: &mut ReadTx<'_>,
    person_id: PersonId,
    request: &PullRequest,
) -> Result<PullResponse, Failure> {
    let now = app.clock.now();
    // Before the rows: see `order::horizon`; and first of all, for what has ended since the snapshot was taken counts as
    // ours, wherever it belonged.
    let bounds = order::bounds(tx.conn())?;
    app.settled.note(bounds);
    let asking = own_asking(tx.conn(), request.install_id, person_id)?;
    let reader = Reader {
        granted: scopes_granted(person_id, &asking.grants, now),
        epoch: &app.epoch,
        reached: bounds.reached(),
        unreached: bounds.first_unused(),
        limits: &app.settings.wire_limits(),
    };
    let mut pull = Pull::begin(request, reader);
    let driver = Driver {
        app,
        bounds,
        person_id,
    };
    driver.drive(tx.conn(), &mut pull)?;
    for ahead in pull.cursors_ahead() {
        // What this database gives out from here would be missed.
        tracing::warn!(
            at = ahead.tx,
            unused = bounds.unused,
            "a device holds a cursor that this database has not reached; if it was restored \
             from a backup, stop the server and run `hazardloop restore begin-epoch`"
        );
    }
    let missing_photos = missing_photos(tx.conn(), person_id, &asking)?;
    let last = asking.install.stream.last_seq;
    let mut answer = pull.response(&app.digest_key, now, last, missing_photos);
    answer.anchor = app.anchor_key.token(now);
    Ok(answer)
}

/// What the scope gives out, unless a change in flight makes the sum meaningless just now.
fn given_out(
    app: &App,
    conn: &mut Conn,
    scope: Scope,
    bounds: Bounds,
) -> Result<Option<GivenOut>, Failure> {
    let (position, in_flight) = feed::newest(conn, scope, bounds.horizon)?;
    match in_flight {
        true => Ok(None),
        false => given_out_at(app, conn, scope, position).map(Some),
    }
}

/// What the scope gives out at its newest position, which is remembered.
pub(super) fn given_out_at(
    app: &App,
    conn: &mut Conn,
    scope: Scope,
    position: Position,
) -> Result<GivenOut, Failure> {
    if let Some(known) = app.checkpoints.get(scope, position) {
        return Ok(known);
    }
    let given = GivenOut {
        checkpoint: feed::checkpoint(conn, scope)?,
        window: windows::told(conn, &app.settings.sync.windows, scope)?,
    };
    app.checkpoints.put(scope, position, given);
    Ok(given)
}

/// What the machine's steps are answered from.
struct Driver<'a> {
    app: &'a App,
    bounds: Bounds,
    person_id: PersonId,
}

impl Driver<'_> {
    fn drive(&self, conn: &mut Conn, pull: &mut Pull<Position>) -> Result<(), Failure> {
        loop {
            match pull.step() {
                PullStep::Changes { scope, after, most } => {
                    let most = i64::try_from(most).unwrap_or(i64::MAX);
                    let horizon = self.bounds.horizon;
                    let changes = feed::changes(conn, scope, after, horizon, most)?;
                    // One transaction, one state: nothing is forgotten between these lines.
                    let floor = match forgotten::any_above(conn, after)? {
                        true => forgotten::floor(conn, scope)?,
                        false => Position::START,
                    };
                    pull.handle_changes(floor, changes)?;
                }
                PullStep::First {
                    scope,
                    upto,
                    after,
                    most,
                } => {
                    let most = i64::try_from(most).unwrap_or(i64::MAX);
                    let rows = feed::first(conn, scope, upto, after, most)?;
                    pull.handle_first(rows)?;
                }
                PullStep::Bodies { changes, .. } => {
                    let bodies = self.bodies(conn, changes)?;
                    pull.handle_bodies(bodies)?;
                }
                PullStep::Sum(scope) => {
                    let given = given_out(self.app, conn, scope, self.bounds)?;
                    if let Some(window) = given.and_then(|given| given.window) {
                        pull.handle_window(window)?;
                    }
                    pull.handle_sum(given.map(|given| given.checkpoint))?;
                }
                PullStep::Done => return Ok(()),
            }
        }
    }

    fn bodies(&self, conn: &mut Conn, changes: &[Change]) -> Result<Bodies, Failure> {
        let mut wanted: BTreeMap<RecordKind, Vec<Uuid>> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.present) {
            wanted.entry(change.kind).or_default().push(change.id);
        }
        let mut found = Bodies::new();
        for (kind, ids) in wanted {
            if kind == RecordKind::Person {
                let record = people::record(conn, self.person_id)?;
                if let Some(record) = record {
                    let body = minicbor::to_vec(&record).unwrap_or_default();
                    found.insert((kind, self.person_id.0), (record.version, body));
                }
                continue;
            }
            for (id, body) in records::bodies(conn, kind, &ids)? {
                found.insert((kind, id), body);
            }
        }
        Ok(found)
    }
}
