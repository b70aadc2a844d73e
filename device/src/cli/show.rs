//! What the device answers: as JSON for programs, as lines for people.

use hazardloop_domain::command::Action;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{HazardView, Standing, State, StoredCommand};
use hazardloop_sync_protocol::wire::{CommandPayload, Envelope, WireLimits};
use serde_json::{Value, json};

use super::args::Language;
use super::attention;
use super::words::{self, say};
use super::{show_beside, show_disputed, windows};
use crate::driver::Device;

/// An answer in both forms.
pub(super) struct Answer {
    pub json: Value,
    pub lines: Vec<String>,
}

pub(super) fn summary(view: &HazardView, now: Timestamp, lang: Language) -> String {
    let hazard = &view.hazard;
    let mut line = format!(
        "{}  {}  {}",
        hazard.number,
        words::status(lang, hazard.status_name()),
        hazard.description.lines().next().unwrap_or_default()
    );
    if let Some(order) = hazard.order() {
        line += &format!("  {} {}", say(lang, "期限", "due"), order.due_date);
    }
    if hazard.is_overdue(now) {
        line += say(lang, "  已逾期", "  OVERDUE");
    }
    line += &show_beside::marks(hazard, lang);
    if view.is_pending() {
        line += say(lang, "  [未送达]", "  [not sent yet]");
    } else if !view.arrived.is_empty() {
        line += say(
            lang,
            "  [已送达，尚未取回]",
            "  [arrived, not pulled back yet]",
        );
    }
    line
}

pub(super) fn summary_json(view: &HazardView, now: Timestamp) -> Value {
    let hazard = &view.hazard;
    json!({
        "id": hazard.id,
        "number": hazard.number,
        "version": hazard.version,
        "server_version": view.server_version,
        "status": hazard.status_name(),
        "grade": hazard.grade,
        "enterprise_id": hazard.enterprise_id,
        "description": hazard.description,
        "due_date": hazard.order().map(|order| order.due_date),
        "overdue": hazard.is_overdue(now),
        "photos_awaited": hazard.photos_awaited(),
        "listed": hazard.is_listed(),
        "suspended": hazard.is_suspended(),
        "waits_for_second": hazard.proposal.is_some(),
        "pending": view.pending,
        "arrived": view.arrived,
    })
}

pub(super) fn one(view: &HazardView, now: Timestamp, lang: Language) -> Answer {
    let hazard = &view.hazard;
    let doubtful: Vec<Value> = view
        .doubtful
        .iter()
        .map(|(seq, why)| json!({ "seq": seq, "refusal": why }))
        .collect();
    let json = json!({
        "hazard": hazard,
        "server_version": view.server_version,
        "pending": view.pending,
        "arrived": view.arrived,
        "doubtful": doubtful,
    });
    let mut lines = vec![summary(view, now, lang), format!("id {}", hazard.id)];
    lines.push(format!(
        "{}: {}",
        say(lang, "部位", "place"),
        hazard.place_text
    ));
    lines.push(hazard.description.clone());
    lines.extend(show_disputed::lines(hazard, lang));
    lines.extend(show_beside::lines(hazard, lang));
    for photo in &hazard.photos {
        lines.push(format!(
            "{} {} {}",
            words::evidence(lang, &photo.reference.media_type),
            photo.reference.sha256,
            words::photo(lang, &photo.state)
        ));
    }
    lines.extend(
        hazard
            .notes
            .iter()
            .map(|note| format!("{} {}", note.at, note.text)),
    );
    for (seq, why) in &view.doubtful {
        lines.push(format!("#{seq}: {}", words::refusal(lang, why)));
    }
    Answer { json, lines }
}

/// A command whole, for whoever wants to keep what it says elsewhere.
pub(super) fn whole(device: &Device, command: &StoredCommand, lang: Language) -> Value {
    let mut json = command_json(device, command, lang);
    if let Some(members) = json.as_object_mut() {
        members.insert("command".to_owned(), json!(read(command.content())));
    }
    json
}

/// A command on one line, without its fate.
pub(super) fn short(command: &StoredCommand, lang: Language) -> String {
    let (_, number) = words::subject_of(&command.content().kind, command.subject_id);
    let kind = words::kind(lang, &command.content().kind);
    format!("  #{} {kind} {number}", command.envelope.seq)
}

pub(super) fn command_json(device: &Device, command: &StoredCommand, lang: Language) -> Value {
    let state = device.engine.state();
    let receipt = command.receipt.as_ref();
    let content = command.content();
    let attention = device.engine.standing(command) == Standing::NeedsAttention;
    let (subject, number) = words::subject_of(&content.kind, command.subject_id);
    json!({
        "seq": command.envelope.seq,
        "kind": content.kind,
        // What a person has to settle is shown whole.
        "command": attention.then(|| read(content)).flatten(),
        subject: command.subject_id,
        "number": number,
        "queued_at": command.queued_at,
        "received_at": receipt.map(|receipt| receipt.received_at),
        "time_proof": device.engine.time_proof(command),
        "outcome": receipt.map(|receipt| &receipt.outcome),
        "reason": words::reason(lang, state, command),
    })
}

/// The command that an envelope carries, where this build can read it.
fn read(envelope: &Envelope) -> Option<Action> {
    let depth = WireLimits::default().depth;
    let payload = &envelope.payload.0;
    let read = CommandPayload::unpack(&envelope.kind, envelope.version, payload, depth);
    read.ok().map(|(_, command)| command.action)
}

pub(super) fn queue(device: &Device, lang: Language) -> Answer {
    let groups = [
        (
            Standing::OnDevice,
            "on_device",
            say(lang, "仍在本机", "on this device"),
        ),
        (Standing::Arrived, "arrived", say(lang, "已送达", "arrived")),
        (
            Standing::NeedsAttention,
            "needs_attention",
            say(lang, "需要处理", "needs attention"),
        ),
        (
            Standing::Settled,
            "settled",
            say(lang, "未生效，已有处理结果", "took no effect, settled"),
        ),
    ];
    let mut json = serde_json::Map::new();
    let mut lines = Vec::new();
    for (standing, name, title) in groups {
        let state = device.engine.state();
        let commands = state.commands.values();
        let group: Vec<_> = commands
            .filter(|c| device.engine.standing(c) == standing)
            .collect();
        lines.push(format!("{title}: {}", group.len()));
        for command in &group {
            let (_, number) = words::subject_of(&command.content().kind, command.subject_id);
            let seq = command.envelope.seq;
            let kind = words::kind(lang, &command.content().kind);
            lines.push(format!(
                "  #{seq} {kind} {number}: {}",
                words::reason(lang, state, command)
            ));
            let told = device.engine.fate_of(command);
            lines.extend(attention::settled_lines(command, told.as_ref(), lang));
        }
        let group: Vec<Value> = group
            .iter()
            .map(|c| command_json(device, c, lang))
            .collect();
        json.insert(name.to_owned(), Value::Array(group));
    }
    Answer {
        json: Value::Object(json),
        lines,
    }
}

fn photos_json(device: &Device, lang: Language) -> Vec<Value> {
    let state = device.engine.state();
    state
        .photos
        .values()
        .map(|photo| {
            let awaited = device.engine.photo_is_awaited(photo);
            let (stage, _) = words::photo_stage(lang, photo, awaited);
            json!({ "sha256": photo.sha256, "size": photo.size, "stage": stage })
        })
        .collect()
}

fn scopes_json(state: &State) -> Vec<Value> {
    state
        .scopes
        .iter()
        .map(|(scope, held)| {
            let count = held.held.map_or(0, |held| held.count);
            json!({
                "scope": scope, "records": count, "complete": held.complete,
                "closed": held.window.map(windows::json),
            })
        })
        .collect()
}

pub(super) fn status(device: &Device, now: Timestamp, lang: Language) -> Answer {
    let state = device.engine.state();
    let waiting = device.count(Standing::OnDevice);
    let attention = device.count(Standing::NeedsAttention);
    let (photos, scopes) = (photos_json(device, lang), scopes_json(state));
    let (meta, account) = (&state.meta, &device.account);
    let ahead = meta.server_time.zip(meta.contact_at);
    let ahead = ahead.map(|(server, own)| own.as_millis().saturating_sub(server.as_millis()));
    let mut lines = vec![
        format!("{} @ {}", account.login, account.server),
        format!(
            "{}: {waiting}",
            say(lang, "未送达的操作", "commands not sent yet")
        ),
        format!(
            "{}: {}",
            say(lang, "未确认的照片", "photos not verified yet"),
            device.photos_awaited()
        ),
        format!("{}: {attention}", say(lang, "需要处理", "needs attention")),
    ];
    let given_up = state
        .photos
        .values()
        .filter(|photo| photo.given_up.is_some());
    let given_up = given_up.count();
    if given_up > 0 {
        let what = say(lang, "已放弃发送的照片", "photos given up");
        lines.push(format!("{what}: {given_up}"));
    }
    lines.push(match meta.contact_at {
        Some(at) => format!("{}: {at}", say(lang, "上次联系服务器", "last contact")),
        None => say(lang, "从未联系服务器", "has never met its server").to_owned(),
    });
    if meta.must_rekey {
        lines.push(words::restored(lang).to_owned());
    }
    lines.extend(windows::reading(device, lang));
    lines.extend(windows::lines(device, now, lang));
    lines.extend(windows::lapsed(device, now, lang));
    let json = json!({
        "server": account.server,
        "login": account.login,
        "person_id": account.person.id,
        "install_id": account.install_id,
        "on_device": waiting,
        "arrived": device.count(Standing::Arrived),
        "needs_attention": attention,
        "photos_on_device": device.photos_awaited(),
        "photos_given_up": given_up,
        "photos": photos,
        "scopes": scopes,
        "lapsed_scopes": device.engine.lapsed_scopes(now),
        "reading": windows::reading_json(device),
        "epoch": meta.epoch,
        "last_contact": meta.contact_at,
        "server_time_at_contact": meta.server_time,
        "clock_ahead_ms": ahead,
        "now": now,
        "must_enroll_again": meta.must_rekey,
    });
    Answer { json, lines }
}
