//! Store operations on sealed rows: the same effect as `State::apply`.

use diesel::connection::SimpleConnection as _;
use hazardloop_sync_protocol::device::StoreOp;
use hazardloop_sync_protocol::wire::Scope;

use super::rows::{CommandRow, MemberRow, MetaRow, PhotoRow, ScopeRow, StagedPage, key_bytes};
use super::sealed::{Place, Rows, Table};
use super::{Account, StoreError, rows};

pub(super) fn put_account(rows: &mut Rows<'_>, account: &Account) -> Result<(), StoreError> {
    let place = Place::of(Table::Account, &[]);
    rows.put(place, &rows::AccountRow::from(account))
}

fn name(scope: Scope) -> Vec<u8> {
    scope.to_string().into_bytes()
}

/// All of them, in order.
pub(super) fn all(rows: &mut Rows<'_>, mut ops: &[StoreOp]) -> Result<(), StoreError> {
    while let [first, others @ ..] = ops {
        let StoreOp::Stage { scope, .. } = first else {
            one(rows, first)?;
            ops = others;
            continue;
        };
        let also = |op: &&StoreOp| matches!(op, StoreOp::Stage { scope: of, .. } if of == scope);
        let run = others.iter().take_while(also).count().saturating_add(1);
        let (run, behind) = ops.split_at(run.min(STAGED_TOGETHER));
        stage(rows, *scope, run)?;
        ops = behind;
    }
    Ok(())
}

/// Changes that lie in one box at most. A box is sealed and opened as a whole.
const STAGED_TOGETHER: usize = 250;

/// Adds changes of a scope behind those that are staged.
fn stage(rows: &mut Rows<'_>, scope: Scope, ops: &[StoreOp]) -> Result<(), StoreError> {
    let changes = ops.iter().filter_map(|op| match op {
        StoreOp::Stage { key, record, .. } => Some((key, record.as_ref())),
        _ => None,
    });
    let page = StagedPage::new(scope, changes);
    let group = name(scope);
    let next = rows.newest_of(Table::Staged, &group)?.saturating_add(1);
    let key = next.to_be_bytes();
    rows.put(Place::within(Table::Staged, &group, &key).at(next), &page)
}

fn one(rows: &mut Rows<'_>, op: &StoreOp) -> Result<(), StoreError> {
    match op {
        StoreOp::PutMeta(value) => rows.put(Place::of(Table::Meta, &[]), &MetaRow::from(value)),
        StoreOp::PutCommand(command) => {
            let seq = command.envelope.seq;
            let key = seq.to_be_bytes();
            let place = Place::of(Table::Commands, &key).at(seq);
            rows.put(place, &CommandRow::from(command))
        }
        StoreOp::SettleCommand {
            seq,
            receipt,
            awaiting_pull,
        } => {
            let key = seq.to_be_bytes();
            let place = Place::of(Table::Commands, &key).at(*seq);
            let Some(mut row) = rows.get::<CommandRow>(place)? else {
                return Ok(());
            };
            row.receipt = receipt.clone();
            row.awaiting_pull = *awaiting_pull;
            rows.put(place, &row)
        }
        StoreOp::DeleteCommand(seq) => rows.delete(Place::of(Table::Commands, &seq.to_be_bytes())),
        StoreOp::PutScope(scope, state) => {
            let name = name(*scope);
            rows.put(
                Place::of(Table::Scopes, &name),
                &ScopeRow::new(*scope, state),
            )
        }
        StoreOp::DeleteScope(scope) => {
            let name = name(*scope);
            rows.delete(Place::of(Table::Scopes, &name))?;
            rows.delete_group(Table::Members, &name)?;
            rows.delete_group(Table::Staged, &name)
        }
        StoreOp::Stage { scope, .. } => stage(rows, *scope, std::slice::from_ref(op)),
        StoreOp::ClearStaged(scope) => rows.delete_group(Table::Staged, &name(*scope)),
        StoreOp::PutRow(record) => {
            let key = key_bytes(&(record.kind, record.id));
            rows.put(Place::of(Table::Records, &key), record)
        }
        StoreOp::DeleteRow(key) => rows.delete(Place::of(Table::Records, &key_bytes(key))),
        StoreOp::PutMember { scope, key, member } => {
            let (group, bytes) = (name(*scope), key_bytes(key));
            let place = Place::within(Table::Members, &group, &bytes);
            rows.put(place, &MemberRow::new(*scope, key, *member))
        }
        StoreOp::DeleteMember { scope, key } => {
            let (group, bytes) = (name(*scope), key_bytes(key));
            rows.delete(Place::within(Table::Members, &group, &bytes))
        }
        StoreOp::PutPhoto(photo) => {
            let place = Place::of(Table::Photos, photo.sha256.as_bytes()).at(photo.seq);
            rows.put(place, &PhotoRow::from(photo))
        }
        StoreOp::DeletePhoto(sha256) => rows.delete(Place::of(Table::Photos, sha256.as_bytes())),
        StoreOp::ReleaseSpace { pages } => {
            rows.conn
                .batch_execute(&format!("PRAGMA incremental_vacuum({pages})"))?;
            Ok(())
        }
    }
}
