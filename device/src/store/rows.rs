//! What the sealed boxes hold: rows in CBOR, and the state that they make up.

use hazardloop_domain::access::PersonRecord;
use hazardloop_domain::command::{AnchorToken, BootId};
use hazardloop_domain::command_fate::{Chosen, SentCommand};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{InstallId, SubjectId};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{
    GivenUp, KeptAnchor, Member, Meta, Oversize, PhotoStage, RowKey, ScopeState, StoreOp,
    StoredCommand, StoredPhoto,
};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, ClosedWindow, Envelope, Receipt, Record, RecordKind, Scope,
};
use minicbor::{Decode, Decoder, Encode, decode};
use uuid::Uuid;

use super::{Account, StoreError};

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct AccountRow {
    #[n(0)]
    server: String,
    #[n(1)]
    login: String,
    #[n(2)]
    install_id: Bytes,
    #[n(3)]
    person: PersonRecord,
    #[n(4)]
    access_token: String,
    #[n(5)]
    refresh_token: String,
}

impl From<&Account> for AccountRow {
    fn from(of: &Account) -> Self {
        Self {
            server: of.server.clone(),
            login: of.login.clone(),
            install_id: Bytes(of.install_id.as_bytes().to_vec()),
            person: of.person.clone(),
            access_token: of.access_token.clone(),
            refresh_token: of.refresh_token.clone(),
        }
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let install = InstallId::from_slice(&row.install_id.0);
        Ok(Self {
            server: row.server,
            login: row.login,
            install_id: install.ok_or(StoreError::Damaged("install"))?,
            person: row.person,
            access_token: row.access_token,
            refresh_token: row.refresh_token,
        })
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct MetaRow {
    #[n(0)]
    epoch: Option<String>,
    #[n(1)]
    digest_key: Option<Bytes>,
    #[n(2)]
    server_time: Option<Timestamp>,
    #[n(3)]
    contact_at: Option<Timestamp>,
    #[n(4)]
    must_rekey: bool,
    #[n(5)]
    too_large: Option<i64>,
    #[n(6)]
    anchor: Option<AnchorToken>,
    #[n(7)]
    anchor_boot: Option<BootId>,
    #[n(8)]
    anchor_monotonic_ms: Option<i64>,
    #[n(9)]
    photo_chunk: Option<u32>,
    #[n(10)]
    pull_records: Option<u32>,
    #[n(11)]
    push_bytes: Option<u32>,
}

impl From<&Meta> for MetaRow {
    fn from(of: &Meta) -> Self {
        let monotonic = of.anchor.as_ref().and_then(|anchor| anchor.monotonic);
        Self {
            epoch: of.epoch.clone(),
            digest_key: of.digest_key.map(|key| Bytes(key.0.to_vec())),
            server_time: of.server_time,
            contact_at: of.contact_at,
            must_rekey: of.must_rekey,
            too_large: of.too_large,
            anchor: of.anchor.as_ref().map(|anchor| anchor.token.clone()),
            anchor_boot: monotonic.map(|(boot, _)| boot),
            anchor_monotonic_ms: monotonic.map(|(_, ms)| ms),
            photo_chunk: of.photo_chunk,
            pull_records: of.pull_records,
            push_bytes: of.push_bytes,
        }
    }
}

impl From<MetaRow> for Meta {
    fn from(row: MetaRow) -> Self {
        Self {
            epoch: row.epoch,
            digest_key: row.digest_key.and_then(|key| DigestKey::from_slice(&key.0)),
            server_time: row.server_time,
            contact_at: row.contact_at,
            must_rekey: row.must_rekey,
            too_large: row.too_large,
            photo_chunk: row.photo_chunk,
            pull_records: row.pull_records,
            push_bytes: row.push_bytes,
            anchor: row.anchor.map(|token| KeptAnchor {
                token,
                monotonic: row.anchor_boot.zip(row.anchor_monotonic_ms),
            }),
        }
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct CommandRow {
    #[n(0)]
    envelope: Envelope,
    #[n(1)]
    subject_id: Bytes,
    #[n(2)]
    queued_at: Timestamp,
    #[n(3)]
    pub receipt: Option<Receipt>,
    #[n(4)]
    pub awaiting_pull: bool,
    /// 1 a placeholder travels in its place, 2 it is offered again, 3 its receipt cannot be had.
    #[n(5)]
    oversize: Option<u8>,
    #[n(6)]
    original: Option<Envelope>,
    /// As what the server has it, where that is under an earlier install.
    #[n(7)]
    earlier: Option<SentCommand>,
    /// What its author chose to do about it.
    #[n(8)]
    chosen: Option<Chosen>,
}

impl From<&StoredCommand> for CommandRow {
    fn from(of: &StoredCommand) -> Self {
        let (oversize, original) = match &of.oversize {
            None => (None, None),
            Some(Oversize::Placeholder(original)) => (Some(1), Some((**original).clone())),
            Some(Oversize::Offered) => (Some(2), None),
            Some(Oversize::Unanswered) => (Some(3), None),
        };
        Self {
            envelope: of.envelope.clone(),
            subject_id: Bytes(of.subject_id.as_bytes().to_vec()),
            queued_at: of.queued_at,
            receipt: of.receipt.clone(),
            awaiting_pull: of.awaiting_pull,
            oversize,
            original,
            earlier: of.earlier,
            chosen: of.chosen.clone(),
        }
    }
}

impl TryFrom<CommandRow> for StoredCommand {
    type Error = StoreError;

    fn try_from(row: CommandRow) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged("command");
        let oversize = match (row.oversize, row.original) {
            (None, _) => None,
            (Some(1), Some(original)) => Some(Oversize::Placeholder(Box::new(original))),
            (Some(2), _) => Some(Oversize::Offered),
            (Some(3), _) => Some(Oversize::Unanswered),
            _ => return Err(damaged()),
        };
        Ok(Self {
            envelope: row.envelope,
            subject_id: SubjectId::from_slice(&row.subject_id.0).ok_or_else(damaged)?,
            queued_at: row.queued_at,
            receipt: row.receipt,
            awaiting_pull: row.awaiting_pull,
            oversize,
            earlier: row.earlier,
            chosen: row.chosen,
        })
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct ScopeRow {
    #[n(0)]
    scope: Scope,
    #[n(1)]
    cursor: Option<Bytes>,
    #[n(2)]
    held: Option<Checkpoint>,
    #[n(3)]
    complete: bool,
    #[n(4)]
    staging_reset: bool,
    #[n(5)]
    last_mismatch: Option<Timestamp>,
    #[n(6)]
    window: Option<ClosedWindow>,
    #[n(7)]
    first_rows: Option<u64>,
}

impl ScopeRow {
    pub fn new(scope: Scope, of: &ScopeState) -> Self {
        Self {
            scope,
            cursor: of.cursor.clone(),
            held: of.held,
            complete: of.complete,
            staging_reset: of.staging_reset,
            last_mismatch: of.last_mismatch,
            window: of.window,
            first_rows: of.first_rows,
        }
    }

    pub fn read(self) -> (Scope, ScopeState) {
        let state = ScopeState {
            cursor: self.cursor,
            held: self.held,
            complete: self.complete,
            staging_reset: self.staging_reset,
            last_mismatch: self.last_mismatch,
            window: self.window,
            first_rows: self.first_rows,
        };
        (self.scope, state)
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct MemberRow {
    #[n(0)]
    scope: Scope,
    #[n(1)]
    kind: i32,
    #[n(2)]
    id: Bytes,
    #[n(3)]
    version: i64,
    #[n(4)]
    digest: u64,
}

impl MemberRow {
    pub fn new(scope: Scope, key: &RowKey, of: Member) -> Self {
        Self {
            scope,
            kind: key.0.number(),
            id: Bytes(key.1.as_bytes().to_vec()),
            version: of.version,
            digest: of.digest,
        }
    }

    pub fn read(self) -> Result<(Scope, RowKey, Member), StoreError> {
        let member = Member {
            version: self.version,
            digest: self.digest,
        };
        Ok((self.scope, key_of(self.kind, &self.id)?, member))
    }
}

/// Changes of one scope that came together and do not show yet. They are read and cleared together too, so that they
/// are one box: in boxes of their own they made half of what a first pull writes.
#[derive(Encode)]
#[cbor(map)]
pub(super) struct StagedPage<'a> {
    #[n(0)]
    scope: Scope,
    #[n(1)]
    rows: Vec<StagedRow<'a>>,
}

#[derive(Encode)]
#[cbor(map)]
struct StagedRow<'a> {
    #[n(0)]
    kind: i32,
    #[n(1)]
    id: Bytes,
    #[n(2)]
    record: Option<&'a Record>,
}

impl<'a> StagedPage<'a> {
    pub fn new(
        scope: Scope,
        changes: impl Iterator<Item = (&'a RowKey, Option<&'a Record>)>,
    ) -> Self {
        let row = |(key, record): (&RowKey, Option<&'a Record>)| StagedRow {
            kind: key.0.number(),
            id: Bytes(key.1.as_bytes().to_vec()),
            record,
        };
        Self {
            scope,
            rows: changes.map(row).collect(),
        }
    }
}

/// The same, read back; or one change in a box of its own, as it was before.
pub(super) struct ReadStaged {
    scope: Scope,
    rows: Vec<ReadStagedRow>,
}

#[derive(Decode)]
#[cbor(map)]
struct ReadPage {
    #[n(0)]
    scope: Scope,
    #[n(1)]
    rows: Vec<ReadStagedRow>,
}

#[derive(Decode)]
#[cbor(map)]
struct ReadAlone {
    #[n(0)]
    scope: Scope,
    #[n(1)]
    kind: i32,
    #[n(2)]
    id: Bytes,
    #[n(3)]
    record: Option<Record>,
}

impl<'b> Decode<'b, ()> for ReadStaged {
    fn decode(d: &mut Decoder<'b>, ctx: &mut ()) -> Result<Self, decode::Error> {
        let begins = d.position();
        if let Ok(ReadPage { scope, rows }) = ReadPage::decode(d, ctx) {
            return Ok(Self { scope, rows });
        }
        d.set_position(begins);
        let ReadAlone {
            scope,
            kind,
            id,
            record,
        } = ReadAlone::decode(d, ctx)?;
        let rows = vec![ReadStagedRow { kind, id, record }];
        Ok(Self { scope, rows })
    }
}

#[derive(Decode)]
#[cbor(map)]
struct ReadStagedRow {
    #[n(0)]
    kind: i32,
    #[n(1)]
    id: Bytes,
    #[n(2)]
    record: Option<Record>,
}

impl ReadStaged {
    pub fn read(self) -> Result<Vec<StoreOp>, StoreError> {
        let scope = self.scope;
        let rows = self.rows.into_iter().map(|row| {
            let key = key_of(row.kind, &row.id)?;
            let record = row.record;
            Ok(StoreOp::Stage { scope, key, record })
        });
        rows.collect()
    }
}

fn key_of(kind: i32, id: &Bytes) -> Result<RowKey, StoreError> {
    let damaged = || StoreError::Damaged("record");
    let kind = RecordKind::from_number(kind).ok_or_else(damaged)?;
    Ok((kind, Uuid::from_slice(&id.0).map_err(|_| damaged())?))
}

/// A row's name within its table or scope.
pub(super) fn key_bytes(key: &RowKey) -> [u8; 20] {
    let mut bytes = [0; 20];
    let (kind, id) = bytes.split_at_mut(4);
    kind.copy_from_slice(&key.0.number().to_be_bytes());
    id.copy_from_slice(key.1.as_bytes());
    bytes
}

#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct PhotoRow {
    #[n(0)]
    sha256: Digest,
    #[n(1)]
    size: u64,
    #[n(2)]
    media_type: String,
    #[n(3)]
    seq: i64,
    #[n(4)]
    subject_id: Bytes,
    #[n(5)]
    upload: Option<String>,
    /// 0 waiting, 1 asked, 2 sent, 3 held.
    #[n(6)]
    stage: u8,
    #[n(7)]
    given_up_at: Option<Timestamp>,
    #[n(8)]
    given_up_reason: Option<String>,
}

impl From<&StoredPhoto> for PhotoRow {
    fn from(of: &StoredPhoto) -> Self {
        Self {
            sha256: of.sha256,
            size: of.size,
            media_type: of.media_type.clone(),
            seq: of.seq,
            subject_id: Bytes(of.subject_id.as_bytes().to_vec()),
            upload: of.upload.clone(),
            stage: match of.stage {
                PhotoStage::Waiting => 0,
                PhotoStage::Asked => 1,
                PhotoStage::Sent => 2,
                PhotoStage::Held => 3,
            },
            given_up_at: of.given_up.as_ref().map(|given| given.at),
            given_up_reason: of.given_up.as_ref().map(|given| given.reason.clone()),
        }
    }
}

impl TryFrom<PhotoRow> for StoredPhoto {
    type Error = StoreError;

    fn try_from(row: PhotoRow) -> Result<Self, StoreError> {
        let subject_id = SubjectId::from_slice(&row.subject_id.0);
        Ok(Self {
            sha256: row.sha256,
            size: row.size,
            media_type: row.media_type,
            seq: row.seq,
            subject_id: subject_id.ok_or(StoreError::Damaged("photo entry"))?,
            upload: row.upload,
            given_up: row.given_up_at.map(|at| GivenUp {
                reason: row.given_up_reason.unwrap_or_default(),
                at,
            }),
            stage: match row.stage {
                3 => PhotoStage::Held,
                2 => PhotoStage::Sent,
                1 => PhotoStage::Asked,
                _ => PhotoStage::Waiting,
            },
        })
    }
}
