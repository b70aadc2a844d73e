//! Pull: what changed in the scopes that a device may hold, one answer a scope.

use std::collections::{BTreeMap, BTreeSet};

use hazardloop_domain::access::Grant;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, DropReason, PROTOCOL_MAX, PROTOCOL_MIN, Page, PullRequest, PullResponse,
    Record, RecordKey, RecordKind, ResetReason, Scope, ScopeAnswer, ScopeCursor, ScopeUpdate,
};

use super::push::MISSING_PHOTOS_LISTED;
use super::reach::{hands_in, scopes_seen};
use crate::app::App;
use crate::failure::Failure;
use crate::store::feed::{self, Change};
use crate::store::order::{self, Bounds};
use crate::store::{Conn, Position, ReadTx, access, hazards, people, pushed, records};

/// Answers a pull by `person_id`.
///
/// # Errors
/// [`Failure`] when the device is unknown, revoked, or the database does not answer.
pub async fn pull(
    app: &App,
    person_id: PersonId,
    request: PullRequest,
) -> Result<PullResponse, Failure> {
    let limits = app.settings.wire_limits();
    if request.scopes.len() > limits.scopes {
        return Err(Failure::TooLarge {
            what: "the number of scopes",
            limit: limits.scopes as u64,
        });
    }
    if request.protocol < PROTOCOL_MIN || request.protocol > PROTOCOL_MAX {
        return Err(Failure::UpgradeRequired {
            newest: PROTOCOL_MAX,
        });
    }
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
    let install = pushed::install(tx.conn(), request.install_id)?
        .filter(|install| install.person_id == person_id)
        .ok_or(Failure::NotFound("device"))?;
    if install.revoked {
        return Err(Failure::DeviceRevoked);
    }
    let bounds = order::bounds(tx.conn())?;
    let granted = scopes_granted(person_id, &access::grants_of(tx.conn(), person_id)?, now);
    let same_epoch = request.epoch.as_deref() == Some(app.epoch.as_str());
    let limits = app.settings.wire_limits();
    let asked = request
        .max_records
        .map_or(limits.records, |most| most as usize);
    let mut reader = Reader {
        app,
        bounds,
        same_epoch,
        person_id,
        records_left: asked.clamp(1, limits.records),
        bytes_left: limits.body_bytes / 2,
        more: false,
    };
    let mut answers = Vec::new();
    for held in &request.scopes {
        if !granted.contains(&held.scope) {
            let update = ScopeUpdate::Drop {
                reason: DropReason::NoLongerYours,
            };
            answers.push(ScopeAnswer {
                scope: held.scope,
                update,
            });
        } else if let Some(page) = reader.page(tx.conn(), held)? {
            answers.push(ScopeAnswer {
                scope: held.scope,
                update: ScopeUpdate::Page(page),
            });
        }
    }
    for scope in granted {
        if !request.scopes.iter().any(|held| held.scope == scope) {
            let fresh = ScopeCursor {
                scope,
                cursor: None,
                checkpoint: None,
            };
            if let Some(page) = reader.page(tx.conn(), &fresh)? {
                answers.push(ScopeAnswer {
                    scope,
                    update: ScopeUpdate::Page(page),
                });
            }
        }
    }
    let missing_photos =
        hazards::photos_missing_from(tx.conn(), person_id.as_bytes(), MISSING_PHOTOS_LISTED)?;
    Ok(PullResponse {
        protocol: PROTOCOL_MAX,
        epoch: app.epoch.clone(),
        digest_key: (!same_epoch).then(|| Bytes(app.digest_key.0.to_vec())),
        server_time: now,
        last: install.stream.last_seq,
        answers,
        more: reader.more,
        missing_photos,
    })
}

/// What a person may hold: themselves, what they handed in where a role of theirs hands in without
/// seeing, the reference data, and what their roles cover now. Most personal first: that is also the
/// order of the answer.
pub fn scopes_granted(person_id: PersonId, grants: &[Grant], now: Timestamp) -> BTreeSet<Scope> {
    let mut scopes = BTreeSet::from([Scope::Person(person_id), Scope::Catalog]);
    if hands_in(grants, now) {
        scopes.insert(Scope::OwnReports(person_id));
    }
    scopes.extend(scopes_seen(grants, now));
    scopes
}

struct Reader<'a> {
    app: &'a App,
    bounds: Bounds,
    same_epoch: bool,
    person_id: PersonId,
    records_left: usize,
    bytes_left: usize,
    more: bool,
}

impl Reader<'_> {
    /// The next page of one scope; `None` when the device holds all of it already.
    fn page(&mut self, conn: &mut Conn, held: &ScopeCursor) -> Result<Option<Page>, Failure> {
        if self.records_left == 0 || self.bytes_left == 0 {
            self.more = true;
            return Ok(None);
        }
        let (after, mut reset) = self.starting_point(held);
        let mut changes = self.changes(conn, held.scope, after)?;
        if changes.is_empty() && reset.is_none() {
            let ours = self.checkpoint(conn, held.scope)?;
            match (held.checkpoint, ours) {
                (Some(theirs), Some(ours)) if theirs != ours => {
                    reset = Some(ResetReason::DigestMismatch);
                    changes = self.changes(conn, held.scope, Position::START)?;
                }
                // It has every page, but not yet the word that this was all.
                (None, _) => {}
                (Some(_), _) => return Ok(None),
            }
        }
        self.fill(conn, held.scope, after, reset, changes).map(Some)
    }

    fn starting_point(&self, held: &ScopeCursor) -> (Position, Option<ResetReason>) {
        let Some(cursor) = &held.cursor else {
            return (Position::START, Some(ResetReason::First));
        };
        match Position::from_bytes(&cursor.0) {
            Ok(position) if self.same_epoch && position.tx < self.bounds.unused => (position, None),
            Ok(position) if self.same_epoch => {
                // A copy from before that cursor was put in place of the database, and nobody began
                // a new epoch: what this database gives out from here would be missed.
                tracing::warn!(
                    at = position.tx,
                    unused = self.bounds.unused,
                    "a device holds a cursor that this database has not reached; if it was restored \
                     from a backup, stop the server and run `hazardloop restore begin-epoch`"
                );
                (Position::START, Some(ResetReason::CursorUnknown))
            }
            _ => (Position::START, Some(ResetReason::CursorUnknown)),
        }
    }

    /// One more than may be sent, so that the end is known.
    fn changes(
        &self,
        conn: &mut Conn,
        scope: Scope,
        after: Position,
    ) -> Result<Vec<Change>, Failure> {
        let limit = i64::try_from(self.records_left)
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        Ok(feed::changes(
            conn,
            scope,
            after,
            self.bounds.horizon,
            limit,
        )?)
    }

    fn fill(
        &mut self,
        conn: &mut Conn,
        scope: Scope,
        after: Position,
        reset: Option<ResetReason>,
        changes: Vec<Change>,
    ) -> Result<Page, Failure> {
        let begin = if reset.is_some() {
            Position::START
        } else {
            after
        };
        let mut page = Page {
            reset,
            records: Vec::new(),
            removals: Vec::new(),
            cursor: Bytes(begin.to_bytes().to_vec()),
            checkpoint: None,
        };
        let bodies = self.bodies(conn, &changes)?;
        let mut complete = true;
        for change in changes {
            let body = change
                .present
                .then(|| bodies.get(&(change.kind, change.id)))
                .flatten();
            let size = body.map_or(0, |(_, body)| body.len()) + 40;
            let first = page.records.is_empty() && page.removals.is_empty();
            if self.records_left == 0 || (size > self.bytes_left && !first) {
                complete = false;
                break;
            }
            self.records_left = self.records_left.saturating_sub(1);
            self.bytes_left = self.bytes_left.saturating_sub(size);
            page.cursor = Bytes(change.position.to_bytes().to_vec());
            match body {
                Some((version, body)) => page.records.push(Record {
                    kind: change.kind,
                    id: change.id,
                    version: *version,
                    body: Bytes(body.clone()),
                }),
                // A first download has nothing to remove.
                None if reset.is_some() => {}
                None => page.removals.push(RecordKey {
                    kind: change.kind,
                    id: change.id,
                }),
            }
        }
        if complete {
            page.checkpoint = self.checkpoint(conn, scope)?;
        }
        // Without a checkpoint nothing is shown yet: ask again at once.
        self.more |= page.checkpoint.is_none();
        Ok(page)
    }

    /// What the scope holds, unless a change in flight makes the sum meaningless just now.
    fn checkpoint(&self, conn: &mut Conn, scope: Scope) -> Result<Option<Checkpoint>, Failure> {
        let (position, in_flight) = feed::newest(conn, scope, self.bounds.horizon)?;
        if in_flight {
            return Ok(None);
        }
        if let Some(known) = self.app.checkpoints.get(scope, position) {
            return Ok(Some(known));
        }
        let held = feed::checkpoint(conn, scope)?;
        self.app.checkpoints.put(scope, position, held);
        Ok(Some(held))
    }

    fn bodies(
        &self,
        conn: &mut Conn,
        changes: &[Change],
    ) -> Result<BTreeMap<(RecordKind, uuid::Uuid), records::Body>, Failure> {
        let mut wanted: BTreeMap<RecordKind, Vec<uuid::Uuid>> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.present) {
            wanted.entry(change.kind).or_default().push(change.id);
        }
        let mut found = BTreeMap::new();
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
