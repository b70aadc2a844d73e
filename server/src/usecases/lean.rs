//! The lean and packed forms of push and pull: what the server knows already is put back, or compared, here. Whatever
//! does not fit is asked for in full, and nothing of it is recorded.

use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, PersonId};
use hazardloop_sync_protocol::chain::signature_fits;
use hazardloop_sync_protocol::hub::scopes_granted;
use hazardloop_sync_protocol::wire::{
    LeanPull, LeanPush, PROTOCOL_MAX, PackedPush, PullResponse, PushRequest, Scope, SpokenVersions,
};

use super::pull::given_out_at;
use super::push::{missing_photos, own_asking, own_install};
use crate::app::App;
use crate::failure::Failure;
use crate::store::order;
use crate::store::pushed::{self, Install};
use crate::store::receipts::link_at;
use crate::store::{Conn, Position, feed};

/// A push in another form than the full one.
#[derive(Clone, Debug)]
pub enum Said {
    /// In the lean form.
    Lean(LeanPush),
    /// In the packed form.
    Packed(PackedPush),
}

/// The push in full: the link hash before its first command is the one that the server has given it. The
/// signature is checked here, so that a chain that is not what its device believes comes again in full and
/// is judged command by command.
///
/// # Errors
/// [`Failure::SayInFull`] when the signature does not fit, or what it is packed after is not there; or as
/// [`super::push::push`].
pub async fn push_in_full(
    app: &App,
    person_id: PersonId,
    install_id: InstallId,
    said: Said,
) -> Result<PushRequest, Failure> {
    let app = app.clone();
    app.clone()
        .db
        .read(move |tx| {
            let install = own_install(tx.conn(), install_id, person_id)?;
            let lean = match said {
                Said::Lean(lean) => lean,
                Said::Packed(packed) => unpacked(&app, tx.conn(), &install, packed)?,
            };
            let most = app.settings.wire_limits().commands;
            if lean.commands.len() > most {
                return Err(Failure::TooLarge {
                    what: "the number of commands",
                    limit: most as u64,
                });
            }
            if lean.first < 1 || lean.commands.is_empty() {
                let why = "a lean push holds commands from place 1 on";
                return Err(Failure::invalid("first", why));
            }
            let before = before(tx.conn(), &install, lean.first)?;
            let request = lean.in_full(install_id, before.unwrap_or(Digest::ZERO));
            let request = request.ok_or_else(|| Failure::invalid("first", "too large"))?;
            let signed = request
                .commands
                .last()
                .is_some_and(|last| signature_fits(&install.stream.public_key, install_id, last));
            // Where something is missing before the first, that alone is what the answer says.
            if before.is_some() && !signed {
                let why = "the signature does not fit what this server has received before";
                return Err(Failure::SayInFull(why));
            }
            Ok(request)
        })
        .await
}

/// The lean form of a packed push. What was left out is put in from what this server has: another thing than the
/// device had signed makes the signature not fit.
fn unpacked(
    app: &App,
    conn: &mut Conn,
    install: &Install,
    packed: PackedPush,
) -> Result<LeanPush, Failure> {
    let earlier = match packed.first.checked_sub(1) {
        Some(place) if packed.after => pushed::sent(conn, install.stream.install_id, place)?,
        _ => None,
    };
    if packed.after && earlier.is_none() {
        let why = "what this was packed after is not here";
        return Err(Failure::SayInFull(why));
    }
    let before = earlier.map(|earlier| earlier.payload);
    let most = app.settings.sync.body_bytes;
    let anchor = |at| app.anchor_key.token(at);
    let unpacked = packed.unpacked(before.as_deref(), &anchor, most);
    // What is too large is told so in full: only that says which command it is.
    unpacked.map_err(|_| Failure::SayInFull("the packed commands cannot be read"))
}

/// The link hash of the command before place `first`; `None` when the stream has not come so far.
fn before(conn: &mut Conn, install: &Install, first: i64) -> Result<Option<Digest>, Failure> {
    let stream = &install.stream;
    let place = first.saturating_sub(1);
    if place == 0 {
        return Ok(Some(Digest::ZERO));
    }
    if place >= stream.last_seq {
        return Ok((place == stream.last_seq).then_some(stream.last_hash));
    }
    let link = link_at(conn, stream.install_id, place)?;
    let why = "what was received before the first of these commands is no longer kept";
    Ok(Some(link.ok_or(Failure::SayInFull(why))?))
}

/// The answer that nothing is new: no scope is mentioned.
///
/// # Errors
/// [`Failure::SayInFull`] when anything is; or as [`super::pull::pull`].
pub async fn nothing_new(
    app: &App,
    person_id: PersonId,
    install_id: InstallId,
    held: LeanPull,
) -> Result<PullResponse, Failure> {
    let spoken = SpokenVersions::OURS;
    if !spoken.contains(held.protocol) {
        return Err(Failure::UpgradeRequired { spoken });
    }
    let app = app.clone();
    app.clone()
        .db
        .read(move |tx| {
            let now = app.clock.now();
            // Before the first statement, which takes the snapshot.
            let settled = app.settled.bounds();
            let asking = own_asking(tx.conn(), install_id, person_id)?;
            let scopes = scopes_granted(person_id, &asking.grants, now);
            let scopes: Vec<Scope> = scopes.into_iter().collect();
            let ends = feed::ends_of(tx.conn(), &scopes)?;
            let changed = || Failure::SayInFull("something has changed");
            let known = Position::from_bytes(&held.newest.0).map_err(|_| changed())?;
            // Nearly always all of it was settled long ago, and what runs now need not be asked for.
            let newest = ends
                .iter()
                .copied()
                .max()
                .unwrap_or(Position::START)
                .max(known);
            let bounds = match newest.tx < settled.horizon {
                true => settled,
                false => {
                    let bounds = order::bounds(tx.conn())?;
                    app.settled.note(bounds);
                    bounds
                }
            };
            if newest > known || newest.tx >= bounds.horizon || known.tx >= bounds.unused {
                return Err(changed());
            }
            // Not the digests alone: who knows their key could make a change that leaves a sum as it was.
            let mut here = Vec::with_capacity(scopes.len());
            for (scope, end) in scopes.into_iter().zip(ends) {
                let given = given_out_at(&app, tx.conn(), scope, end)?;
                here.push((scope, given.checkpoint));
            }
            if LeanPull::state_of(install_id, &app.epoch, &here) != held.state.0 {
                return Err(Failure::SayInFull("this is not all that there is"));
            }
            let missing_photos = missing_photos(tx.conn(), person_id, &asking)?;
            Ok(PullResponse {
                protocol: PROTOCOL_MAX,
                epoch: app.epoch.clone(),
                digest_key: None,
                server_time: now,
                last: asking.install.stream.last_seq,
                answers: Vec::new(),
                more: false,
                missing_photos,
                anchor: app.anchor_key.token(now),
            })
        })
        .await
}

#[cfg(test)]
#[path = "lean_tests.rs"]
mod tests;
