//! From arguments to actions: the report.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::command::{FixedOnSpot, Grade, Nature, PhotoKind, Report, Source};
use hazardloop_domain::ids::EnterpriseId;
use hazardloop_domain::time::Timestamp;

use super::acts::take_photos;
use super::find;
use super::steps::{FixedArgs, NatureArgs, ReportArgs};
use super::trouble::Trouble;
use crate::driver::Device;

pub(super) fn report(
    device: &Device,
    args: &ReportArgs,
    now: Timestamp,
) -> Result<Report, Trouble> {
    let enterprise_id = match &args.enterprise {
        Some(text) => Some(find::enterprise(device, text)?),
        None => own_enterprise(device, now),
    };
    let mut photos = take_photos(device, &args.photo, PhotoKind::Before)?;
    let after = take_photos(device, &args.fixed.fixed_photo, PhotoKind::After)?;
    photos.extend(after);
    let repeats = args.recurrence_of.as_deref();
    let repeats = repeats.map(|text| find::hazard(&device.engine, now, text));
    Ok(Report {
        source: args.source.unwrap_or_else(|| usual_source(device, now)),
        grade: if args.major {
            Grade::Major
        } else {
            Grade::General
        },
        enterprise_id,
        description: args.text.clone(),
        place_text: args.place.clone(),
        position: args.at,
        found_at: args.found_at.unwrap_or(now),
        photos,
        no_photo_reason: args.no_photo_reason.clone(),
        criterion: args.criterion.clone(),
        immediate_measure: args.measure.clone(),
        fixed_on_spot: fixed_on_spot(&args.fixed, now),
        recurrence_of: repeats.transpose()?.map(|(id, _)| id),
        nature: nature(&args.nature),
    })
}

fn fixed_on_spot(args: &FixedArgs, now: Timestamp) -> Option<FixedOnSpot> {
    let (measures, by) = args.fixed_measures.clone().zip(args.fixed_by.clone())?;
    args.fixed_on_spot.then_some(FixedOnSpot {
        measures,
        responsible_person: by,
        completed_at: args.fixed_at.unwrap_or(now),
        cost_fen: args.fixed_cost_fen,
    })
}

fn nature(args: &NatureArgs) -> Option<Nature> {
    let nature = Nature {
        domain: args.domain,
        category: args.category.clone(),
        accident_type: args.accident_type.clone(),
        cause: args.cause.clone(),
        consequence: args.consequence.clone(),
        difficulty: args.difficulty.clone(),
        risk_point: args.risk_point.clone(),
    };
    let nothing = Nature {
        domain: None,
        category: None,
        accident_type: None,
        cause: None,
        consequence: None,
        difficulty: None,
        risk_point: None,
    };
    (nature != nothing).then_some(nature)
}

/// The enterprise of somebody who belongs to exactly one.
pub(super) fn own_enterprise(device: &Device, now: Timestamp) -> Option<EnterpriseId> {
    let person = device.engine.person(now)?;
    let mut own: Vec<EnterpriseId> = person
        .grants
        .iter()
        .filter(|grant| grant.holds_at(now))
        .filter_map(|grant| match grant.scope {
            GrantScope::Enterprise(id) => Some(id),
            GrantScope::Jurisdiction(_) => None,
        })
        .collect();
    own.sort_unstable();
    own.dedup();
    if own.len() == 1 { own.pop() } else { None }
}

/// What the role of this person makes likely; `--source` says otherwise.
fn usual_source(device: &Device, now: Timestamp) -> Source {
    let roles: Vec<Role> = device
        .engine
        .person(now)
        .map(|person| {
            person
                .grants
                .iter()
                .filter(|g| g.holds_at(now))
                .map(|g| g.role)
                .collect()
        })
        .unwrap_or_default();
    source_of(&roles)
}

/// Officials come last: their word covers most sources, the others' only their own.
fn source_of(roles: &[Role]) -> Source {
    const USUAL: &[(Role, Source)] = &[
        (Role::SafetyOfficer, Source::EnterpriseSelfCheck),
        (Role::Principal, Source::EnterpriseSelfCheck),
        (Role::Employee, Source::EmployeeReport),
        (Role::GridWorker, Source::Grid),
        (Role::Inspector, Source::DeptInspection),
        (Role::DepartmentReviewer, Source::DeptInspection),
        (Role::DepartmentHead, Source::DeptInspection),
        (Role::Expert, Source::Expert),
        (Role::Insurer, Source::Insurer),
        (Role::Importer, Source::Import),
        (Role::Public, Source::Tipoff),
    ];
    let mut fits = USUAL.iter().filter(|(role, _)| roles.contains(role));
    fits.next()
        .map_or(Source::DeptInspection, |(_, source)| *source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_source_follows_the_role() {
        for (role, source) in [
            (Role::Principal, Source::EnterpriseSelfCheck),
            (Role::Employee, Source::EmployeeReport),
            (Role::GridWorker, Source::Grid),
            (Role::Inspector, Source::DeptInspection),
            (Role::Expert, Source::Expert),
            (Role::Insurer, Source::Insurer),
            (Role::Public, Source::Tipoff),
            (Role::Importer, Source::Import),
            (Role::DepartmentHead, Source::DeptInspection),
        ] {
            assert_eq!(source_of(&[role]), source, "{role:?}");
        }
        assert_eq!(source_of(&[]), Source::DeptInspection);
    }
}
