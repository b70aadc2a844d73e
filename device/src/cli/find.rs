//! Finding what people name on the command line: hazards, enterprises, photos.

use std::collections::BTreeMap;

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, HazardId, InspectionId, JurisdictionId};
use hazardloop_domain::jurisdiction::Jurisdiction;
use hazardloop_domain::search_text::{Query, normalise_all};
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::{Engine, HazardView, InspectionView};
use hazardloop_sync_protocol::wire::RecordKind;

use super::trouble::Trouble;
use crate::driver::Device;

/// Digits of the shortest beginning that is looked up.
const SHORTEST: usize = 4;

/// The hazard that `text` names, and its view where this device knows it. A full id is accepted
/// also of a hazard that is not here: the server decides on it.
pub(super) fn hazard(
    engine: &Engine,
    now: Timestamp,
    text: &str,
) -> Result<(HazardId, Option<HazardView>), Trouble> {
    if let Ok(id) = text.parse::<HazardId>() {
        return Ok((id, engine.hazard(now, id)));
    }
    let wanted = text.to_ascii_uppercase();
    let fits = |view: &HazardView| {
        let id = view.hazard.id.to_string().to_ascii_uppercase();
        id.starts_with(&wanted) || view.hazard.number.starts_with(&wanted)
    };
    let mut found: Vec<HazardView> = match wanted.len() < SHORTEST {
        true => Vec::new(),
        false => engine.hazards(now).into_iter().filter(fits).collect(),
    };
    match (found.pop(), found.len()) {
        (Some(view), 0) => Ok((view.hazard.id, Some(view))),
        (Some(_), more) => Err(Trouble::Usage(
            format!("{text}：有 {} 条隐患与之相符", more + 1),
            format!("{text}: {} hazards fit", more + 1),
        )),
        (None, _) => Err(no_such_hazard(text)),
    }
}

/// Keeps the hazards that a search finds: by the same words, compared in the same way, as on the server.
pub(super) fn holding(device: &Device, query: &Query, views: &mut Vec<HazardView>) {
    let all = enterprises(device);
    let names: BTreeMap<EnterpriseId, String> = all.into_iter().map(|e| (e.id, e.name)).collect();
    views.retain(|view| {
        let hazard = &view.hazard;
        let name = hazard.enterprise_id.and_then(|id| names.get(&id));
        let texts = [
            hazard.number.as_str(),
            &hazard.description,
            &hazard.place_text,
            name.map_or("", String::as_str),
        ];
        query.matches(&normalise_all(texts))
    });
}

/// The inspection that `text` names, likewise.
pub(super) fn inspection(
    engine: &Engine,
    now: Timestamp,
    text: &str,
) -> Result<(InspectionId, Option<InspectionView>), Trouble> {
    if let Ok(id) = text.parse::<InspectionId>() {
        return Ok((id, engine.inspection(now, id)));
    }
    let wanted = text.to_ascii_uppercase();
    let fits = |view: &InspectionView| {
        let id = view.inspection.id.to_string().to_ascii_uppercase();
        id.starts_with(&wanted) || view.inspection.number.starts_with(&wanted)
    };
    let mut found: Vec<InspectionView> = match wanted.len() < SHORTEST {
        true => Vec::new(),
        false => engine.inspections(now).into_iter().filter(fits).collect(),
    };
    match (found.pop(), found.len()) {
        (Some(view), 0) => Ok((view.inspection.id, Some(view))),
        (Some(_), more) => Err(Trouble::Usage(
            format!("{text}：有 {} 次检查与之相符", more + 1),
            format!("{text}: {} inspections fit", more + 1),
        )),
        (None, _) => Err(no_such_inspection(text)),
    }
}

pub(super) fn no_such_inspection(text: &str) -> Trouble {
    Trouble::Usage(
        format!("{text}：本机没有这次检查"),
        format!("{text}: no such inspection on this device"),
    )
}

pub(super) fn no_such_hazard(text: &str) -> Trouble {
    Trouble::Usage(
        format!("{text}：本机没有这条隐患"),
        format!("{text}: no such hazard on this device"),
    )
}

/// The enterprises of the replica that are for its owner to see, by name.
pub(super) fn enterprises(device: &Device) -> Vec<Enterprise> {
    let bodies = device
        .engine
        .bodies(device.opened_at, RecordKind::Enterprise);
    let read = bodies.into_iter().map(minicbor::decode);
    let mut all: Vec<Enterprise> = read.filter_map(Result::ok).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The enterprise with this id, or the only one whose name contains `text`.
pub(super) fn enterprise(device: &Device, text: &str) -> Result<EnterpriseId, Trouble> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let all = enterprises(device);
    if let Some(exact) = all.iter().find(|enterprise| enterprise.name == text) {
        return Ok(exact.id);
    }
    let mut fits = all
        .iter()
        .filter(|enterprise| enterprise.name.contains(text));
    match (fits.next(), fits.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => Err(Trouble::Usage(
            format!("{text}：本机没有这家企业"),
            format!("{text}: no such enterprise on this device"),
        )),
        _ => Err(Trouble::Usage(
            format!("{text}：有多家企业与之相符"),
            format!("{text}: several enterprises fit"),
        )),
    }
}

/// The jurisdiction with this id, or the only one of the replica with this name.
pub(super) fn jurisdiction(engine: &Engine, text: &str) -> Result<JurisdictionId, Trouble> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let rows = engine.state().rows.iter();
    let rows = rows.filter(|((kind, _), row)| *kind == RecordKind::Jurisdiction && row.holders > 0);
    let named = rows.filter_map(|(_, row)| minicbor::decode::<Jurisdiction>(&row.body).ok());
    let mut fits = named.filter(|node| node.name == text);
    match (fits.next(), fits.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => Err(Trouble::Usage(
            format!("{text}：本机没有这个辖区，请用其 id"),
            format!("{text}: no such jurisdiction on this device; name its id"),
        )),
        _ => Err(Trouble::Usage(
            format!("{text}：有多个辖区同名，请用 id"),
            format!("{text}: several jurisdictions have this name; name its id"),
        )),
    }
}

/// The photo of a hazard whose hash begins with `text`.
pub(super) fn photo(view: Option<&HazardView>, text: &str) -> Result<Digest, Trouble> {
    if let Ok(sha256) = text.parse() {
        return Ok(sha256);
    }
    let photos = view
        .map(|view| view.hazard.photos.as_slice())
        .unwrap_or_default();
    let names = photos.iter().map(|photo| photo.reference.sha256);
    let mut fits =
        names.filter(|sha256| sha256.to_string().starts_with(&text.to_ascii_lowercase()));
    match (fits.next(), fits.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Trouble::Usage(
            format!("{text}：不是该隐患的某一张照片"),
            format!("{text}: not one photo of this hazard"),
        )),
    }
}

/// The photo on this device whose hash begins with `text`.
pub(super) fn kept_photo(engine: &Engine, text: &str) -> Result<Digest, Trouble> {
    let wanted = text.to_ascii_lowercase();
    let known = engine.state().photos.keys();
    let mut fits =
        known.filter(|sha256| wanted.len() >= SHORTEST && sha256.to_string().starts_with(&wanted));
    match (fits.next(), fits.next()) {
        (Some(only), None) => Ok(*only),
        (None, _) => Err(Trouble::Usage(
            format!("{text}：本机没有待送达的这张照片（见 photo list）"),
            format!("{text}: no such photo waits on this device (see photo list)"),
        )),
        _ => Err(Trouble::Usage(
            format!("{text}：有多张照片与之相符"),
            format!("{text}: several photos fit"),
        )),
    }
}
