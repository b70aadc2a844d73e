//! Inspections and self-checks: from arguments to actions, and what is shown of them.

use hazardloop_domain::access::Role;
use hazardloop_domain::command::{
    Action, AttendeeRole, CheckResult, ChecklistRef, CompleteInspection, InspectionKind,
    InspectionSetup, ItemOutcome, ItemRef, LinkFinding, PhotoKind, PhotoRef, RecordRefusal,
    RecordResults, SignInspection, SignerRole, StartInspection, SubmitSelfCheck, VisitPart,
};
use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::ids::{FindingId, InspectionId};
use hazardloop_domain::inspection::Signature;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::InspectionView;
use serde_json::{Value, json};

use super::acts::take_photos;
use super::args::{Language, Task};
use super::find;
use super::inspection_args::{
    InspectTask, OneInspection, Outcomes, SelfCheckArgs, SignArgs, StartArgs,
};
use super::show::Answer;
use super::trouble::Trouble;
use super::visits::{self, attendee, holds, setup, with_papers};
use super::words::{self, say};
use crate::ambient::Ambient;
use crate::driver::Device;

/// The commands that a task stands for; `None` when it is not about an inspection.
pub(super) fn commands(
    device: &Device,
    ambient: &mut Ambient,
    task: &Task,
) -> Result<Option<(InspectionId, Vec<Action>)>, Trouble> {
    let now = ambient.clock.now();
    let task = match task {
        Task::SelfCheck(args) => {
            let id = InspectionId(ambient.uuid_v7());
            let check = self_check(device, ambient, args, now)?;
            return Ok(Some((id, vec![Action::SubmitSelfCheck(check)])));
        }
        Task::Inspect(task) => task,
        _ => return Ok(None),
    };
    if let Some((id, action)) = visits::command(device, ambient, task, now)? {
        return Ok(Some((id, vec![action])));
    }
    let find = |which: &OneInspection| find::inspection(&device.engine, now, &which.inspection);
    let (id, action) = match task {
        InspectTask::Start(args) => start(device, ambient, args, now)?,
        InspectTask::Result(args) => {
            let (id, view) = find(&args.which)?;
            let lists = view.map(|view| view.inspection.checklists);
            let results = results(device, &args.outcomes, &lists.unwrap_or_default())?;
            (id, Action::RecordResults(RecordResults { results }))
        }
        InspectTask::Finding(args) => {
            let (id, view) = find(&args.which)?;
            let lists = view.map(|view| view.inspection.checklists);
            let item = args.item.as_deref();
            let hazard = args.hazard.as_deref();
            let finding = LinkFinding {
                finding_id: FindingId(ambient.uuid_v7()),
                hazard_id: hazard
                    .map(|text| find::hazard(&device.engine, now, text).map(|(id, _)| id))
                    .transpose()?,
                advice: args.advice.clone(),
                item: item.map(|item| item_of(item, &lists.unwrap_or_default())),
                handling: args.handling,
            };
            (id, Action::LinkFinding(finding))
        }
        InspectTask::Sign(args) => {
            let (id, view) = find(&args.which)?;
            let signing = signature(device, args, view.as_ref(), now)?;
            (id, Action::SignInspection(signing))
        }
        InspectTask::Refuse(args) => {
            let refusal = RecordRefusal {
                reason: args.reason.clone(),
                refused_by: args.name.clone(),
                witness: args.witness.clone(),
                refused_at: now,
            };
            (find(&args.which)?.0, Action::RecordRefusal(refusal))
        }
        InspectTask::Complete(args) => {
            let completion = CompleteInspection {
                completed_at: now,
                situation: args.situation.clone(),
                no_hazard_found: args.nothing_found,
            };
            (find(&args.which)?.0, Action::CompleteInspection(completion))
        }
        // What shows something; the others are done with above.
        _ => return Ok(None),
    };
    Ok(Some((id, vec![action])))
}

fn self_check(
    device: &Device,
    ambient: &mut Ambient,
    args: &SelfCheckArgs,
    now: Timestamp,
) -> Result<SubmitSelfCheck, Trouble> {
    let setup = InspectionSetup {
        cadence: Some(args.cadence),
        ..setup(device, InspectionKind::SelfCheck, &args.what.subject, now)?
    };
    let results = results(device, &args.outcomes, &setup.checklists)?;
    let mut findings = Vec::new();
    for text in &args.finding {
        findings.push(LinkFinding {
            finding_id: FindingId(ambient.uuid_v7()),
            hazard_id: Some(find::hazard(&device.engine, now, text)?.0),
            advice: None,
            item: None,
            handling: None,
        });
    }
    Ok(SubmitSelfCheck {
        start: Box::new(StartInspection {
            setup: Some(setup),
            started_at: now,
            place_text: args.what.place.clone(),
            position: None,
            certificates_shown: false,
            rights_told: false,
            attendees: Vec::new(),
        }),
        results,
        findings,
        completion: CompleteInspection {
            completed_at: now,
            situation: args.situation.clone(),
            no_hazard_found: args.nothing_found,
        },
    })
}

fn start(
    device: &Device,
    ambient: &mut Ambient,
    args: &StartArgs,
    now: Timestamp,
) -> Result<(InspectionId, Action), Trouble> {
    let (id, setup) = match (&args.inspection, args.kind) {
        (Some(text), None) => (find::inspection(&device.engine, now, text)?.0, None),
        (None, Some(kind)) => {
            let me = Some(device.account.person.id);
            let setup = setup(device, kind, &args.what.subject, now)?;
            let setup = InspectionSetup {
                position: args.at,
                ..with_papers(setup, &args.papers, me)
            };
            (InspectionId(ambient.uuid_v7()), Some(setup))
        }
        _ => {
            return Err(Trouble::Usage(
                "请写明计划的检查，或用 --kind 说明检查类型".to_owned(),
                "name the planned inspection, or say with --kind what it is".to_owned(),
            ));
        }
    };
    let attendees = args.present.iter().enumerate();
    let attendees = attendees.map(|(index, text)| {
        let role = match index {
            0 => AttendeeRole::Principal,
            _ => AttendeeRole::Other,
        };
        attendee(text, role, VisitPart::Opening)
    });
    let start = StartInspection {
        setup,
        started_at: now,
        place_text: args.what.place.clone(),
        position: args.at,
        certificates_shown: args.certificates_shown,
        rights_told: args.rights_told,
        attendees: attendees.collect(),
    };
    Ok((id, Action::StartInspection(start)))
}

/// `ITEM` of the first checklist, or `CHECKLIST:ITEM`.
fn item_of(text: &str, lists: &[ChecklistRef]) -> ItemRef {
    let first = lists.first().map_or("", |list| list.code.as_str());
    let (checklist, item) = text.split_once(':').unwrap_or((first, text));
    ItemRef {
        checklist: checklist.to_owned(),
        item: item.to_owned(),
    }
}

fn results(
    device: &Device,
    outcomes: &Outcomes,
    lists: &[ChecklistRef],
) -> Result<Vec<CheckResult>, Trouble> {
    let photos: Vec<PhotoRef> = take_photos(device, &outcomes.photo, PhotoKind::Scene)?;
    let result = |(text, outcome): (&str, ItemOutcome)| {
        let (item, note) = match text.split_once('=') {
            Some((item, note)) => (item, Some(note.to_owned())),
            None => (text, None),
        };
        let shown = outcome == ItemOutcome::NotOk;
        CheckResult {
            item: item_of(item, lists),
            outcome,
            note,
            photos: if shown { photos.clone() } else { Vec::new() },
        }
    };
    Ok(outcomes.all().into_iter().map(result).collect())
}

/// For a representative who is named; else by the author's own account, as what they are.
fn signature(
    device: &Device,
    args: &SignArgs,
    view: Option<&InspectionView>,
    now: Timestamp,
) -> Result<SignInspection, Trouble> {
    let inspection = view.map(|view| &view.inspection);
    let seen = view.and_then(|view| view.server_version);
    if args.name.is_some() {
        let file = args.photo.as_slice();
        return Ok(SignInspection {
            role: SignerRole::EnterpriseRepresentative,
            person_id: None,
            name: args.name.clone(),
            post: args.post.clone(),
            signed_at: now,
            photo: take_photos(device, file, PhotoKind::Signature)?.pop(),
            seen,
        });
    }
    let holds = |role| holds(device, now, role);
    let self_check = inspection.is_some_and(|it| it.kind == InspectionKind::SelfCheck);
    let role = if holds(Role::Inspector) {
        SignerRole::Inspector
    } else if holds(Role::Expert) {
        SignerRole::Expert
    } else if self_check || holds(Role::GridWorker) {
        SignerRole::Checker
    } else {
        SignerRole::EnterpriseRepresentative
    };
    Ok(SignInspection {
        role,
        person_id: Some(device.account.person.id),
        name: None,
        post: None,
        signed_at: now,
        photo: None,
        seen,
    })
}

/// All inspections on this device.
pub(super) fn list(device: &Device, now: Timestamp, lang: Language) -> Answer {
    let views = device.engine.inspections(now);
    Answer {
        lines: views.iter().map(|view| summary(view, lang)).collect(),
        json: views.iter().map(as_json).collect(),
    }
}

/// One inspection.
pub(super) fn one(view: &InspectionView, lang: Language) -> Answer {
    let it = &view.inspection;
    let mut lines = vec![summary(view, lang), format!("id {}", it.id)];
    if let Some(window) = &it.window {
        let planned = say(lang, "计划日期", "planned for");
        lines.push(format!("{planned} {} – {}", window.from, window.to));
    }
    for item in &it.items {
        let outcomes = item.results.iter().map(|result| {
            let note = result.note.as_deref().unwrap_or_default();
            format!("{} {note}", words::outcome(lang, result.outcome))
        });
        let outcomes: Vec<String> = outcomes.collect();
        let disputed = match item.is_disputed() {
            true => say(lang, "  两人结果不一致", "  two people differ"),
            false => "",
        };
        let (list, code) = (&item.item.checklist, &item.item.item);
        lines.push(format!("{list}:{code} {}{disputed}", outcomes.join(" / ")));
    }
    let found = say(lang, "检查发现", "finding");
    for (index, finding) in it.findings.iter().enumerate() {
        let mut what = finding
            .hazard_id
            .map_or_else(|| finding.advice.clone().unwrap_or_default(), hazard_number);
        if let Some(became) = &finding.converted {
            what = format!("{what} → {}", hazard_number(became.hazard_id));
        }
        lines.push(format!("{found} {}: {what}", index + 1));
    }
    let there = say(lang, "到场人员", "present");
    for person in &it.attendees {
        let post = person.attendee.post.as_deref().unwrap_or_default();
        lines.push(
            format!("{there} {} {post}", person.attendee.name)
                .trim_end()
                .to_owned(),
        );
    }
    let department = it.kind.is_departments();
    lines.extend(it.signatures.iter().map(|by| signed(by, department, lang)));
    if let Some(refusal) = &it.refusal {
        let refused = say(lang, "拒签", "refused to sign");
        lines.push(format!("{refused}: {}", refusal.reason));
    }
    for (seq, why) in &view.doubtful {
        lines.push(format!("#{seq}: {}", words::refusal(lang, why)));
    }
    Answer {
        json: as_json(view),
        lines,
    }
}

/// Who signed as what, and whether it counts no more.
fn signed(by: &Signature, department: bool, lang: Language) -> String {
    let role = match by.role {
        SignerRole::Inspector => say(lang, "检查人员", "inspector"),
        SignerRole::EnterpriseRepresentative => say(lang, "企业代表", "the enterprise"),
        SignerRole::Expert => say(lang, "专家", "expert"),
        SignerRole::Checker => say(lang, "自查（巡查）人", "checker"),
    };
    let who = by.name.clone().or(by.person_id.map(|id| id.to_string()));
    let void = match by.voided_by {
        Some(_) => say(
            lang,
            "  已失效：签字后结果有变动，须重新签字",
            "  void: a result changed since, sign anew",
        ),
        None => "",
    };
    let assists = match department && by.role == SignerRole::Inspector && !by.certified {
        true => say(
            lang,
            "  不计入执法人员：签字时没有有效的执法证",
            "  does not count as an inspector's: no valid certificate when it was signed",
        ),
        false => "",
    };
    let signed = say(lang, "已签字", "signed");
    format!("{signed} {role} {}{void}{assists}", who.unwrap_or_default())
}

pub(super) fn summary(view: &InspectionView, lang: Language) -> String {
    let it = &view.inspection;
    let state = words::inspection_state(lang, it.state());
    let mut line = format!("{}  {}  {state}", it.number, it.kind.as_str());
    if view.is_pending() {
        line += say(lang, "  [未送达]", "  [not sent yet]");
    }
    line
}

fn as_json(view: &InspectionView) -> Value {
    let doubtful = view.doubtful.iter();
    let doubtful: Vec<Value> = doubtful
        .map(|(seq, why)| json!({ "seq": seq, "refusal": why }))
        .collect();
    json!({
        "inspection": view.inspection,
        "server_version": view.server_version,
        "pending": view.pending,
        "arrived": view.arrived,
        "doubtful": doubtful,
    })
}
