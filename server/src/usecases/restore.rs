//! After a restore: a new epoch for the devices, numbers that go on above the old ones, and a line
//! in the audit trail that says who did it.

use std::time::Duration;

use hazardloop_domain::text::{self, SHORT_TEXT_MAX};
use hazardloop_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::people::Occurrence;
use crate::app::App;
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::store::identity::{self, EPOCH, Settlement, TO_RECORD};
use crate::store::{DatabaseUrl, Db, StoreError, WriteTx, meta};

/// Seconds between two looks whether the database is still the one that was opened.
pub const LOOK_EVERY_S: u64 = 3;

/// The subject of events about the server itself.
pub const SERVER: Uuid = Uuid::nil();

/// What is known about the database that was put in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is older than what devices have seen, or may be: they begin anew and offer again.
    Restored,
    /// It is all there, at another place: devices go on as if nothing had happened.
    Moved,
}

/// Who settles it, and why.
#[derive(Clone, Debug)]
pub struct Said {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What the audit trail still has to be told.
#[derive(Debug, Serialize, Deserialize)]
struct ToRecord {
    kind: String,
    by: String,
    reason: String,
    at: Timestamp,
    epoch: Option<String>,
}

/// Makes the database usable again.
///
/// # Errors
/// [`Failure::Invalid`] for empty or long words; [`StoreError::InUse`] while servers run on it;
/// when the database does not answer.
pub fn settle(
    url: &DatabaseUrl,
    entropy: &Entropy,
    kind: Kind,
    said: Said,
    now: Timestamp,
) -> Result<(), Failure> {
    text::required("by", &said.by, SHORT_TEXT_MAX)?;
    text::required("reason", &said.reason, SHORT_TEXT_MAX)?;
    let new_epoch = match kind {
        Kind::Restored => Some(fresh_epoch(entropy)),
        Kind::Moved => None,
    };
    let to_record = ToRecord {
        kind: match kind {
            Kind::Restored => "epoch_begun",
            Kind::Moved => "database_moved",
        }
        .to_owned(),
        by: said.by,
        reason: said.reason,
        at: now,
        epoch: new_epoch.clone(),
    };
    let to_record = serde_json::to_string(&to_record)
        .map_err(|error| Failure::Internal(format!("encoding: {error}")))?;
    identity::settle(
        url,
        &Settlement {
            new_epoch,
            to_record,
        },
    )?;
    Ok(())
}

/// An epoch that there never was.
pub fn fresh_epoch(entropy: &Entropy) -> String {
    hex::encode(entropy.bytes::<8>())
}

/// Puts into the audit trail what [`settle`] did, unless that is done already: after settling, and
/// at every start, since whoever settled may have been cut off in between.
///
/// # Errors
/// When the database does not answer.
pub fn record(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    let Some(kept) = meta::take(tx, TO_RECORD)? else {
        return Ok(());
    };
    let kept: ToRecord = serde_json::from_str(&kept).map_err(|_| StoreError::Corrupt {
        what: "what was settled after a restore".to_owned(),
    })?;
    let mut fields = vec![("by", kept.by.as_str()), ("reason", kept.reason.as_str())];
    if let Some(epoch) = &kept.epoch {
        fields.push(("epoch", epoch));
    }
    let occurrence = Occurrence {
        subject: ("server", &SERVER),
        kind: &kept.kind,
        actor: None,
        fields: &fields,
    };
    occurrence.record(tx, kept.at)
}

/// [`record`], on a database that was just settled.
///
/// # Errors
/// When the database does not answer.
pub fn record_now(db: &Db) -> Result<(), Failure> {
    Ok(db.write_blocking(record)?)
}

/// Looks every [`LOOK_EVERY_S`] whether the database is still the one that was opened, in the same
/// epoch. Answers why not, once that is so: then this server must not go on.
pub async fn watch(app: App) -> StoreError {
    let mut every = tokio::time::interval(Duration::from_secs(LOOK_EVERY_S));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        match look(&app).await {
            Ok(None) => {}
            Ok(Some(why)) => return why,
            Err(error) => tracing::warn!(%error, "could not look whether the database is the same"),
        }
    }
}

async fn look(app: &App) -> Result<Option<StoreError>, StoreError> {
    let looked = app.db.read(|tx| {
        identity::check(tx.conn())?;
        meta::get(tx.conn(), EPOCH)
    });
    match looked.await {
        Ok(epoch) if epoch.as_ref() == Some(&app.epoch) => Ok(None),
        Ok(epoch) => {
            let what = format!(
                "epoch was {} and is {}",
                app.epoch,
                epoch.unwrap_or_default()
            );
            Ok(Some(StoreError::EpochEnded { what }))
        }
        Err(why @ StoreError::Restored { .. }) => Ok(Some(why)),
        Err(error) => Err(error),
    }
}
