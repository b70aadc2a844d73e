//! Reads everything back at start, by the operations that make the state.

use diesel::sqlite::SqliteConnection;
use hazardloop_sync_protocol::device::{State, StoreOp, StoredCommand, StoredPhoto};
use hazardloop_sync_protocol::wire::Record;

use super::rows::{CommandRow, MemberRow, MetaRow, PhotoRow, ReadStaged, ScopeRow};
use super::sealed::{Reading, Sealer, Table, beyond};
use super::{Account, StoreError, rows};

/// What a database holds.
pub(super) struct Loaded {
    pub state: State,
    pub account: Option<Account>,
    /// Rows of the replica were damaged or altered: none of it was taken.
    pub replica_is_void: bool,
}

pub(super) fn load(conn: &mut SqliteConnection, sealer: &Sealer) -> Result<Loaded, StoreError> {
    let mut reading = Reading::begin(conn, sealer)?;
    let mut ops = Vec::new();
    for row in reading.all::<MetaRow>(Table::Meta)? {
        ops.push(StoreOp::PutMeta(row.into()));
    }
    for row in reading.all::<CommandRow>(Table::Commands)? {
        ops.push(StoreOp::PutCommand(row.try_into()?));
    }
    for row in reading.all::<PhotoRow>(Table::Photos)? {
        ops.push(StoreOp::PutPhoto(row.try_into()?));
    }
    let accounts = reading.all::<rows::AccountRow>(Table::Account)?;
    let account = accounts.into_iter().next().map(Account::try_from);
    let replica = match replica(&mut reading) {
        Err(StoreError::Database(error)) => return Err(error.into()),
        read => read.ok().filter(|_| reading.is_replica_whole()),
    };
    reading.finish()?;
    let replica_is_void = replica.is_none();
    ops.extend(replica.into_iter().flatten());
    let mut state = State::default();
    state.apply(&ops);
    Ok(Loaded {
        state,
        account: account.transpose()?,
        replica_is_void,
    })
}

fn replica(reading: &mut Reading<'_>) -> Result<Vec<StoreOp>, StoreError> {
    let mut ops = Vec::new();
    for row in reading.all::<ScopeRow>(Table::Scopes)? {
        let (scope, state) = row.read();
        ops.push(StoreOp::PutScope(scope, state));
    }
    // In the order in which they came: the later of two changes of one record counts.
    for page in reading.all::<ReadStaged>(Table::Staged)? {
        ops.extend(page.read()?);
    }
    let records = reading.all::<Record>(Table::Records)?;
    ops.extend(records.into_iter().map(StoreOp::PutRow));
    for row in reading.all::<MemberRow>(Table::Members)? {
        let (scope, key, member) = row.read()?;
        ops.push(StoreOp::PutMember { scope, key, member });
    }
    Ok(ops)
}

/// The commands beyond a sequence, in order.
pub(super) fn commands(
    conn: &mut SqliteConnection,
    sealer: &Sealer,
    after: i64,
) -> Result<Vec<StoredCommand>, StoreError> {
    let rows = beyond::<CommandRow>(conn, sealer, Table::Commands, after)?;
    rows.into_iter().map(StoredCommand::try_from).collect()
}

/// The photos that commands beyond a sequence name first.
pub(super) fn photos(
    conn: &mut SqliteConnection,
    sealer: &Sealer,
    after: i64,
) -> Result<Vec<StoredPhoto>, StoreError> {
    let rows = beyond::<PhotoRow>(conn, sealer, Table::Photos, after)?;
    rows.into_iter().map(StoredPhoto::try_from).collect()
}
