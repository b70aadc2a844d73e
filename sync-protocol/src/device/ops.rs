//! The operations that change what a device keeps, in memory and on the disk alike.

use hazardloop_domain::hash::Digest;

use crate::wire::{Receipt, Record, Scope};

use super::{Member, Meta, RowKey, ScopeState, StoredCommand, StoredPhoto};

#[allow(clippy::large_enum_variant, reason = "few are there at once")]
/// One operation on the store. All are idempotent: applying a list twice equals applying it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOp {
    /// Inserts or replaces what is known of the server.
    PutMeta(Meta),
    /// Inserts or replaces a command of the queue.
    PutCommand(StoredCommand),
    /// Sets what became of a command.
    SettleCommand {
        /// Which.
        seq: i64,
        /// Its receipt; absent: it is to be offered (again).
        receipt: Option<Receipt>,
        /// See [`StoredCommand::awaiting_pull`].
        awaiting_pull: bool,
    },
    /// Removes a command: the queue is sealed anew under another install, or it is settled and
    /// its time is over.
    DeleteCommand(i64),
    /// Inserts or replaces how far a scope got.
    PutScope(Scope, ScopeState),
    /// Forgets a scope: its state, its memberships and what is staged; not the rows.
    DeleteScope(Scope),
    /// Stages one change of a scope; `None` removes the record from it. The last one counts.
    Stage {
        /// Which scope.
        scope: Scope,
        /// Which record.
        key: RowKey,
        /// The record; absent: it left the scope.
        record: Option<Record>,
    },
    /// Clears what is staged for a scope.
    ClearStaged(Scope),
    /// Inserts or replaces a server row.
    PutRow(Record),
    /// Removes a server row.
    DeleteRow(RowKey),
    /// A row belongs to a scope, as of this version.
    PutMember {
        /// Which scope.
        scope: Scope,
        /// Which row.
        key: RowKey,
        /// As the scope delivered it.
        member: Member,
    },
    /// A row no longer belongs to a scope.
    DeleteMember {
        /// Which scope.
        scope: Scope,
        /// Which row.
        key: RowKey,
    },
    /// Inserts or replaces a photo of the photo lane.
    PutPhoto(StoredPhoto),
    /// The photo is safe on the server, or its owner let it go: removes its entry and, after the
    /// transaction, its file.
    DeletePhoto(Digest),
    /// Much was removed: gives up to so many free pages back to the file system, where the store
    /// has such. Changes nothing that is kept.
    ReleaseSpace {
        /// Most pages.
        pages: u32,
    },
}
