//! Who signs an inspection, as what, for whom, and who refuses to.

use super::checks::{check_claimed_time, check_photos, invalid, limit};
use super::decide::Facts;
use crate::access::{Actor, Role};
use crate::command::{InspectionKind, RecordRefusal, SignInspection, SignerRole};
use crate::ids::PersonId;
use crate::inspection::{Inspection, SecondSignature};
use crate::refusal::{Refusal, RefusalCode};
use crate::text::{self, LONG_TEXT_MAX, SHORT_TEXT_MAX};

/// Who signs as what: for oneself by one's own account, or an inspector (expert, grid worker) for
/// a representative who has none and signs on their device.
pub(super) fn check_signature(
    inspection: &Inspection,
    signing: &SignInspection,
    actor: &Actor,
    facts: &Facts,
) -> Result<(), Refusal> {
    check_claimed_time("signed_at", signing.signed_at, facts)?;
    text::optional("name", signing.name.as_deref(), SHORT_TEXT_MAX)?;
    text::optional("post", signing.post.as_deref(), SHORT_TEXT_MAX)?;
    if inspection.signatures.len() >= facts.limits.attendees {
        return Err(limit("signatures", facts.limits.attendees));
    }
    let own = actor.is_any_of(&[Role::Employee, Role::SafetyOfficer, Role::Principal]);
    let checks_itself = matches!(
        inspection.kind,
        InspectionKind::SelfCheck | InspectionKind::GridPatrol
    );
    let fits = match signing.role {
        SignerRole::Inspector => {
            actor.is_any_of(&[Role::Inspector]) && is_on_team(inspection, actor)
        }
        SignerRole::Expert => actor.is_any_of(&[Role::Expert]) && is_on_team(inspection, actor),
        SignerRole::Checker => {
            let self_check = inspection.kind == InspectionKind::SelfCheck;
            checks_itself && (self_check || actor.is_any_of(&[Role::GridWorker]))
        }
        SignerRole::EnterpriseRepresentative => true,
    };
    if !fits {
        return Err(invalid("role", "is not what you sign as here"));
    }
    let for_another = signing.role == SignerRole::EnterpriseRepresentative && !own;
    if for_another {
        text::required(
            "name",
            signing.name.as_deref().unwrap_or(""),
            SHORT_TEXT_MAX,
        )?;
        text::required(
            "post",
            signing.post.as_deref().unwrap_or(""),
            SHORT_TEXT_MAX,
        )?;
        let Some(photo) = &signing.photo else {
            return Err(invalid(
                "photo",
                "must show the handwritten signature of somebody without an account here",
            ));
        };
        check_photos(inspection, &[photo], "photo", facts)?;
        if signing.person_id.is_some() {
            return Err(invalid(
                "person_id",
                "cannot be another's account: they sign by their own",
            ));
        }
        return Ok(());
    }
    if signing.photo.is_some() {
        return Err(invalid("photo", "goes with a signature by hand"));
    }
    if signing.person_id.is_none() || signing.person_id != actor.person_id() {
        return Err(invalid("person_id", "must be your own account"));
    }
    Ok(())
}

/// What is said of a signature by a certificate that was valid when it was made and is no more. Whether it counts is
/// a person's to find out: to record it as that of somebody who only assists would take from it what it had.
pub const CERTIFICATE_RAN_OUT: &str =
    "the certificate was valid when this was signed and has run out since: a person must decide";

/// An inspector's signature by a certificate that has run out on the way here is not taken as one without.
pub(super) fn check_not_ran_out(
    inspection: &Inspection,
    signing: &SignInspection,
    actor: &Actor,
    facts: &Facts,
) -> Result<(), Refusal> {
    let by_certificate = inspection.kind.is_departments() && signing.role == SignerRole::Inspector;
    match by_certificate && has_run_out(actor, facts) {
        true => Err(Refusal::new(
            RefusalCode::CertificateNeeded,
            CERTIFICATE_RAN_OUT,
        )),
        false => Ok(()),
    }
}

fn has_run_out(actor: &Actor, facts: &Facts) -> bool {
    let person = actor.person_id();
    person.is_some_and(|person| facts.ran_out.contains(&person))
}

/// Those who signed the same command by keys of their own: what each signs as follows from what they
/// are here.
pub(super) fn check_seconds(
    inspection: &Inspection,
    facts: &Facts,
) -> Result<Vec<SecondSignature>, Refusal> {
    let room = facts.limits.attendees.saturating_sub(1);
    if inspection.signatures.len() + facts.seconds.len() > room {
        return Err(limit("signatures", facts.limits.attendees));
    }
    let unfit = || Refusal {
        field: Some("co_signatures".to_owned()),
        ..Refusal::new(
            RefusalCode::CoSignatureInvalid,
            "a co-signer is neither on the team nor of the enterprise",
        )
    };
    let enterprise = [Role::Employee, Role::SafetyOfficer, Role::Principal];
    let mut all = Vec::with_capacity(facts.seconds.len());
    for (at, second) in facts.seconds.iter().enumerate() {
        let person_id = second.person_id().ok_or_else(unfit)?;
        let on_team = is_on_team(inspection, second);
        let role = if on_team && second.is_any_of(&[Role::Inspector]) {
            SignerRole::Inspector
        } else if on_team && second.is_any_of(&[Role::Expert]) {
            SignerRole::Expert
        } else if second.is_any_of(&enterprise) {
            SignerRole::EnterpriseRepresentative
        } else {
            return Err(unfit());
        };
        let by_certificate = inspection.kind.is_departments() && role == SignerRole::Inspector;
        if by_certificate && has_run_out(second, facts) {
            return Err(Refusal {
                field: Some(format!("co_signatures[{at}]")),
                ..Refusal::new(RefusalCode::CoSignatureInvalid, CERTIFICATE_RAN_OUT)
            });
        }
        all.push(SecondSignature {
            person_id,
            role,
            certified: second.is_certified(),
        });
    }
    Ok(all)
}

/// Others sign a signing, and nothing else: whatever it is, they see it whole before them.
pub(super) fn require_no_seconds(facts: &Facts) -> Result<(), Refusal> {
    if facts.seconds.is_empty() {
        return Ok(());
    }
    Err(Refusal {
        field: Some("co_signatures".to_owned()),
        ..Refusal::new(
            RefusalCode::CoSignatureInvalid,
            "of an inspection, only sign_inspection is signed by others too",
        )
    })
}

fn is_on_team(inspection: &Inspection, actor: &Actor) -> bool {
    let person: Option<PersonId> = actor.person_id();
    person.is_some_and(|person| inspection.is_on_team(person))
}

pub(super) fn check_refusal(refusal: &RecordRefusal, facts: &Facts) -> Result<(), Refusal> {
    check_claimed_time("refused_at", refusal.refused_at, facts)?;
    text::required("reason", &refusal.reason, LONG_TEXT_MAX)?;
    text::required("witness", &refusal.witness, SHORT_TEXT_MAX)?;
    text::optional("refused_by", refusal.refused_by.as_deref(), SHORT_TEXT_MAX)
}
