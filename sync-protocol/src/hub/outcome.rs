//! What a decision of the rules becomes on the wire: one outcome a command, the same at every hub.

use hazardloop_domain::access::{Actor, Grant, Place, Role};
use hazardloop_domain::command::{Action, ClockReading, Command, Subject, SubjectKind};
use hazardloop_domain::geography::Position;
use hazardloop_domain::hazard::Outcome as Effect;
use hazardloop_domain::ids::{EnterpriseId, PersonId, SubjectId};
use hazardloop_domain::inspection::{CERTIFICATE_RAN_OUT, setup_of};
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;

use crate::wire::{Opened, Outcome, QuarantineReason};

/// What the rules made of one command, as the driver tells the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It took effect, if only in part; what follows from it waits for [`super::PushStep::Store`].
    TookEffect {
        /// The subject's version by now.
        version: i64,
        /// How.
        effect: Effect,
    },
    /// The rules refuse it; it left nothing behind.
    Refused(Refusal),
    /// What it names is not there, or not for this asker to know of.
    NoSuch,
    /// A co-signature is not what it claims to be: nothing was asked of the rules.
    NotSigned(Refusal),
    /// All co-signatures were good when they were made, and the key of one was revoked since.
    CoSignerRevoked,
}

/// What becomes of a command that a revoked install offers.
pub(super) fn after_revocation() -> Outcome {
    Outcome::Quarantined {
        reason: QuarantineReason::OfferedAfterRevocation,
        detail: "offered after its device was revoked; a person must decide".to_owned(),
    }
}

/// What becomes of a command about which its author has chosen since, where nobody has judged it.
pub(super) fn settled_by_author() -> Outcome {
    Outcome::Rejected {
        refusal: Refusal::new(
            RefusalCode::SettledByAuthor,
            "its author has chosen since what is to become of it: a later command says so",
        ),
    }
}

/// What a refusal depends on beside itself: the driver looks it up in its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Which command of this install would have begun the subject, and did not take effect?
    FailedBeginning(SubjectId),
    /// Which version has the subject?
    Version(Subject),
    /// Was this person responsible once?
    Responsible(Responsibility),
}

/// A person, a subject, and the times at which the person may have been responsible for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responsibility {
    /// Who.
    pub person_id: PersonId,
    /// For what.
    pub subject: Subject,
    /// When, beside now: see [`was_responsible_by_grants`].
    pub times: Vec<Timestamp>,
    /// Where the subject would begin: by a command that begins one there is no other way to know.
    pub beginning: Option<Beginning>,
    whose: &'static str,
}

/// Where something is to begin that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// At which enterprise.
    pub enterprise_id: Option<EnterpriseId>,
    /// At which place, which counts where there is no enterprise.
    pub position: Option<Position>,
    /// When its device had last heard from the hub, by the hub's clock: by the roles of then, whose place it is.
    pub last_contact: Option<Timestamp>,
}

fn beginning_of(opened: &Opened) -> Option<Beginning> {
    let (enterprise_id, position) = match &opened.command.action {
        Action::Report(report) => (report.enterprise_id, report.position),
        other => {
            let setup = setup_of(other)?;
            (setup.enterprise_id, setup.position)
        }
    };
    Some(Beginning {
        enterprise_id,
        position,
        last_contact: opened.made.server_anchor,
    })
}

/// Either the outcome, or what has to be known first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Is(Outcome),
    DependsOn(Question, Refusal),
}

/// The outcome of a decision, as far as it can be told without the store.
pub(super) fn of_decision(decision: Decision, opened: &Opened, author: PersonId) -> Verdict {
    match decision {
        Decision::TookEffect { version, effect } => Verdict::Is(took_effect(version, effect)),
        Decision::NotSigned(refusal) => Verdict::Is(Outcome::Rejected { refusal }),
        Decision::CoSignerRevoked => Verdict::Is(Outcome::Quarantined {
            reason: QuarantineReason::CoSignerRevoked,
            detail: "co-signed by a key that was revoked since; a person must decide".to_owned(),
        }),
        Decision::NoSuch => of_refusal(no_such(&opened.command), opened, author),
        Decision::Refused(refusal) => of_refusal(refusal, opened, author),
    }
}

fn took_effect(version: i64, effect: Effect) -> Outcome {
    match effect {
        Effect::Applied => Outcome::Applied { version },
        Effect::Merged => Outcome::Merged { version },
        Effect::Disputed(fields) => Outcome::Conflict {
            current: version,
            fields,
            refusal: None,
        },
    }
}

fn of_refusal(refusal: Refusal, opened: &Opened, author: PersonId) -> Verdict {
    let command = &opened.command;
    let question = match refusal.code {
        RefusalCode::NotFound => required_predecessor(command).map(Question::FailedBeginning),
        RefusalCode::NotAllowedInState => Some(Question::Version(command.subject())),
        RefusalCode::OutOfScope | RefusalCode::NotPermitted | RefusalCode::CertificateNeeded => {
            Some(Question::Responsible(Responsibility {
                person_id: author,
                subject: command.subject(),
                times: times_of(&opened.made),
                beginning: beginning_of(opened),
                whose: "author",
            }))
        }
        RefusalCode::CoSignatureInvalid => co_signer_at_fault(&refusal, opened),
        _ => None,
    };
    match question {
        Some(question) => Verdict::DependsOn(question, refusal),
        None => Verdict::Is(Outcome::Rejected { refusal }),
    }
}

/// Whether the co-signer at fault was responsible here when they signed. Their signature is good, or the
/// rules would not have been asked; a refusal that names none of them is about something else.
fn co_signer_at_fault(refusal: &Refusal, opened: &Opened) -> Option<Question> {
    let field = refusal.field.as_deref()?;
    let index = field.strip_prefix("co_signatures[")?.strip_suffix(']')?;
    let by = opened.co_signatures.get(index.parse::<usize>().ok()?)?;
    let mut times = times_of(&opened.made);
    times.push(by.signed_at);
    Some(Question::Responsible(Responsibility {
        person_id: by.person_id,
        subject: opened.command.subject(),
        times,
        beginning: beginning_of(opened),
        whose: "co-signer",
    }))
}

/// When a command was made: the time that the device claims, and that of its last contact, which is the
/// hub's own. Its clock may be wrong either way.
fn times_of(made: &ClockReading) -> Vec<Timestamp> {
    let times = [Some(made.made_at()), made.server_anchor];
    times.into_iter().flatten().collect()
}

/// The outcome where an earlier command of the same install may have failed to begin the subject.
pub(super) fn of_failed_beginning(failed: Option<i64>, refusal: Refusal) -> Outcome {
    match failed {
        Some(seq) => Outcome::BlockedBy { seq },
        None => Outcome::Rejected { refusal },
    }
}

/// The outcome where the step no longer fits the subject's state.
pub(super) fn of_version(current: Option<i64>, refusal: Refusal) -> Outcome {
    Outcome::Conflict {
        current: current.unwrap_or(0),
        fields: Vec::new(),
        refusal: Some(refusal),
    }
}

/// The outcome where somebody may not, and may have been allowed to.
pub(super) fn of_responsibility(
    was: bool,
    asked: &Responsibility,
    refusal: Refusal,
    command: &Command,
) -> Outcome {
    if was {
        let whose = asked.whose;
        let by_certificate =
            refusal.code == RefusalCode::CertificateNeeded || refusal.rule == CERTIFICATE_RAN_OUT;
        let detail = match by_certificate {
            true => format!(
                "made while the certificate of its {whose} was valid, received after it had run out; a \
                 person must decide"
            ),
            false => format!("made while its {whose} was responsible here; a person must decide"),
        };
        return Outcome::Quarantined {
            reason: QuarantineReason::Reassigned,
            detail,
        };
    }
    // Whether something exists is not for those to know who hold no role over it.
    if refusal.code == RefusalCode::OutOfScope && required_predecessor(command).is_some() {
        let refusal = no_such(command);
        return Outcome::Rejected { refusal };
    }
    Outcome::Rejected { refusal }
}

fn no_such(command: &Command) -> Refusal {
    let rule = match command.action.kind().subject() {
        SubjectKind::Hazard => "there is no such hazard",
        SubjectKind::Inspection => "there is no such inspection",
    };
    Refusal::new(RefusalCode::NotFound, rule)
}

/// The subject whose beginning must have taken effect before this command can: a command on a
/// hazard that the same install reported, where that report was refused, is `BlockedBy` it; on an
/// inspection likewise.
pub fn required_predecessor(command: &Command) -> Option<SubjectId> {
    let begins = matches!(command.action, Action::Report(_)) || setup_of(&command.action).is_some();
    (!begins).then_some(command.subject_id)
}

/// Whether these grants made something of the person at `place`, at one of these `times`, that they no longer
/// make at `now`: a role that has ended since, a certificate that has run out. No time counts as later than
/// `now`, whatever a device claims.
pub fn was_responsible_by_grants(
    person_id: PersonId,
    grants: &[Grant],
    place: &Place,
    now: Timestamp,
    times: &[Timestamp],
) -> bool {
    let present = Actor::over(person_id, grants, place, now);
    times.iter().any(|then| {
        let then = Actor::over(person_id, grants, place, (*then).min(now));
        let mut roles = Role::ALL.into_iter();
        roles.any(|role| then.is_any_of(&[role]) && !present.is_any_of(&[role]))
            || (then.is_certified() && !present.is_certified())
    })
}
