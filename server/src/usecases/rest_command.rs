//! A command over REST: guarded by If-Match, repeatable by its id.

use hazardloop_domain::command::{Action, CoSigner, Command, Origin};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::hazard::{Hazard, Outcome};
use hazardloop_domain::ids::{CommandId, HazardId, PersonId};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_sync_protocol::cosign::Statement;
use hazardloop_sync_protocol::cosign_faults::Fault;
use hazardloop_sync_protocol::wire::CoSignature;
use serde::{Deserialize, Serialize};

use super::co_sign::{self, Checked};
use super::execute::{Door, Sender, WorkingSet};
use super::read::hazard::visible;
use crate::app::App;
use crate::failure::Failure;
use crate::store::{WriteTx, rest_commands};

/// A command as REST sends it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Made by the client; the same id is the same command.
    pub command_id: CommandId,
    /// Who.
    pub person_id: PersonId,
    /// On which hazard.
    pub hazard_id: HazardId,
    /// What.
    pub action: Action,
    /// Signatures of others over the same act.
    pub co_signatures: Vec<CoSignature>,
    /// The version the sender saw, if it insists on it.
    pub if_match: Option<i64>,
}

/// How a command over REST ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `applied`, `merged` or `disputed`.
    pub outcome: String,
    /// Fields with two values.
    pub disputed: Vec<hazardloop_domain::hazard::FieldName>,
    /// The hazard's version after the command.
    pub version: i64,
}

/// What the caller gets: the first answer, the hazard as it is now, and whether this was a repeat.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The first answer.
    pub answer: Answer,
    /// The hazard now.
    pub hazard: Hazard,
    /// The command had been taken before.
    pub repeated: bool,
}

/// Takes a command.
///
/// # Errors
/// [`Failure`]; a refused command leaves nothing behind and may be sent again under the same id.
pub async fn take(app: &App, sent: Sent) -> Result<Answered, Failure> {
    let request_hash = hash_of(&sent);
    let door = Door::new(app);
    let app = app.clone();
    app.clone()
        .db
        .write(move |tx| {
            let now = app.clock.now();
            if let Some(stored) = rest_commands::find(tx.conn(), sent.command_id)? {
                if stored.request_hash != request_hash.as_bytes() {
                    return Err(Failure::IdReused);
                }
                // Whoever lost the hazard since then does not see it again by asking twice.
                let (hazard, _) = visible(tx.conn(), sent.person_id, sent.hazard_id, now)?;
                let answer = serde_json::from_str(&stored.answer)
                    .map_err(|error| Failure::Internal(format!("a stored answer: {error}")))?;
                return Ok(Answered {
                    answer,
                    hazard,
                    repeated: true,
                });
            }
            let command = Command::new(sent.hazard_id, sent.action.clone());
            let mut set = door.open(now);
            let sender = Sender {
                person_id: Some(sent.person_id),
                origin: Origin {
                    co_signers: co_signers(tx, &mut set, &sent, &command)?,
                    ..Origin::DIRECT
                },
            };
            let done = set
                .decide(tx, &command, &sender)
                .map_err(hide_from_outsiders)?;
            // After the rules, and on the version that they decided on: who may not see a hazard
            // may not learn its version, and who was not first does not pass for it.
            if let (Some(wanted), Some(current)) = (sent.if_match, done.decided_on)
                && wanted != current
            {
                return Err(Failure::PreconditionFailed { current });
            }
            set.store(tx)?;
            let answer = answer_of(&done.outcome, done.hazard.version);
            let text = serde_json::to_string(&answer)
                .map_err(|error| Failure::Internal(format!("an answer: {error}")))?;
            let kept = rest_commands::Kept {
                command_id: sent.command_id,
                person_id: sent.person_id,
                request_hash,
                subject: sent.hazard_id.into(),
                received_at: now,
                answer: &text,
            };
            rest_commands::keep(tx, kept)?;
            Ok(Answered {
                answer,
                hazard: done.hazard,
                repeated: false,
            })
        })
        .await
}

/// What makes a repeat of a request the same request.
fn hash_of(sent: &Sent) -> Digest {
    let fields = sent.action.encode_fields();
    let signed = minicbor::to_vec(&sent.co_signatures).unwrap_or_default();
    let mut parts: Vec<&[u8]> = vec![
        sent.person_id.as_bytes(),
        sent.hazard_id.as_bytes(),
        sent.action.kind().as_str().as_bytes(),
        &fields,
    ];
    if !sent.co_signatures.is_empty() {
        parts.push(&signed);
    }
    Digest::sha256_of_parts(&parts)
}

/// The co-signers, once their signatures were found good.
fn co_signers(
    tx: &mut WriteTx<'_>,
    set: &mut WorkingSet<'_>,
    sent: &Sent,
    command: &Command,
) -> Result<Vec<CoSigner>, Failure> {
    let statement = Statement::of(command);
    let (author, signed) = (sent.person_id, &sent.co_signatures);
    match co_sign::check(tx.conn(), set, author, &statement, signed)? {
        Checked::Good(co_signers) => Ok(co_signers),
        Checked::NotGood(refusal) => Err(refusal.into()),
        // Nothing is kept of what comes over REST, so there is nothing for a person to settle.
        Checked::KeyRevokedSince => Err(Fault::Revoked.refusal(None).into()),
    }
}

/// Whether a hazard exists is not for those to know who hold no role over it. A report is another
/// matter: its author named the enterprise and should learn that it is not theirs.
fn hide_from_outsiders(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.code == RefusalCode::OutOfScope => {
            Refusal::new(RefusalCode::NotFound, "there is no such hazard").into()
        }
        other => other,
    }
}

fn answer_of(outcome: &Outcome, version: i64) -> Answer {
    let (name, disputed) = match outcome {
        Outcome::Applied => ("applied", Vec::new()),
        Outcome::Merged => ("merged", Vec::new()),
        Outcome::Disputed(fields) => ("disputed", fields.clone()),
    };
    Answer {
        outcome: name.to_owned(),
        disputed,
        version,
    }
}
