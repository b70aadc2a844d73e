//! Co-signatures: whether those who stand behind a command of somebody else really signed it.

use hazardloop_domain::command::CoSigner;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::refusal::Refusal;
use hazardloop_sync_protocol::cosign::{Statement, check_co_signatures};
use hazardloop_sync_protocol::cosign_faults::Fault;
use hazardloop_sync_protocol::wire::CoSignature;

use super::execute::WorkingSet;
use crate::failure::Failure;
use crate::store::{Conn, person_keys};

/// What became of a command's co-signatures.
#[derive(Clone, Debug)]
pub enum Checked {
    /// All are good.
    Good(Vec<CoSigner>),
    /// One is not.
    NotGood(Refusal),
    /// All were good by what their signers' devices say of the time, and the key of one of them
    /// was revoked since. Whether it signed before that, only a person can find out.
    KeyRevokedSince,
}

/// Checks the co-signatures of a command by `author`: the key is registered to that person and
/// was not revoked, the signature fits, nobody signs twice or for themselves, and none was used
/// before. What the co-signers may is for the rules to say.
///
/// # Errors
/// When the database does not answer.
pub fn check(
    conn: &mut Conn,
    set: &mut WorkingSet<'_>,
    author: PersonId,
    statement: &Statement,
    co_signatures: &[CoSignature],
) -> Result<Checked, Failure> {
    let most = set.most_co_signatures();
    if let Err(refusal) = check_co_signatures(co_signatures, Some(author), most) {
        return Ok(Checked::NotGood(refusal));
    }
    let mut co_signers = Vec::with_capacity(co_signatures.len());
    let mut revoked_since = false;
    for (at, by) in co_signatures.iter().enumerate() {
        let refuse = |fault: Fault| Ok(Checked::NotGood(fault.refusal(Some(at))));
        let key = person_keys::verifying(conn, by.key_id, by.person_id)?;
        // One answer for all of these: who has which keys is not for strangers to find out.
        let Some(key) = key.filter(|key| statement.fits(&key.public_key, by)) else {
            return refuse(Fault::NotTheirs);
        };
        match key.revoked_at {
            Some(revoked_at) if by.signed_at >= revoked_at => {
                return refuse(Fault::RevokedBefore);
            }
            Some(_) => revoked_since = true,
            None => {}
        }
        let by = statement.record_of(by);
        let subject = statement.kind.subject().with(statement.subject_id);
        if set.was_co_signed(conn, subject, &by.statement)? {
            return refuse(Fault::UsedBefore);
        }
        co_signers.push(by);
    }
    Ok(match revoked_since {
        true => Checked::KeyRevokedSince,
        false => Checked::Good(co_signers),
    })
}
