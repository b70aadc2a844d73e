//! Photos that wait on this device: list them, give one up, try again.

use hazardloop_domain::hazard::hazard_number;
use hazardloop_domain::ids::HazardId;
use hazardloop_sync_protocol::device::{GivenUp, StoredPhoto};
use serde_json::{Value, json};

use super::args::{GiveUpArgs, Language, RetryArgs};
use super::show::Answer;
use super::trouble::Trouble;
use super::words::{self, say};
use super::{exit, find};
use crate::ambient::Ambient;
use crate::driver::Device;

/// Most characters of the reason for giving a photo up.
const REASON_CHARACTERS: usize = 500;

fn as_json(device: &Device, photo: &StoredPhoto, lang: Language) -> Value {
    let awaited = device.engine.photo_is_awaited(photo);
    json!({
        "sha256": photo.sha256,
        "size": photo.size,
        "media_type": photo.media_type,
        "hazard_id": photo.subject_id,
        "number": hazard_number(HazardId(photo.subject_id.0)),
        "seq": photo.seq,
        "stage": words::photo_stage(lang, photo, awaited).0,
        "given_up_at": photo.given_up.as_ref().map(|given| given.at),
        "reason": photo.given_up.as_ref().map(|given| &given.reason),
    })
}

pub(super) fn list(device: &Device, lang: Language) -> Answer {
    let photos = device.engine.state().photos.values();
    let line = |photo: &StoredPhoto| {
        let awaited = device.engine.photo_is_awaited(photo);
        let (_, stage) = words::photo_stage(lang, photo, awaited);
        let why = photo.given_up.as_ref().map(|given| given.reason.as_str());
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        let number = hazard_number(HazardId(photo.subject_id.0));
        format!("{}  {number}  {}  {stage}{why}", photo.sha256, photo.size)
    };
    let mut lines: Vec<String> = photos.clone().map(line).collect();
    if lines.is_empty() {
        lines.push(
            say(
                lang,
                "本机没有待送达的照片",
                "no photo waits on this device",
            )
            .to_owned(),
        );
    }
    Answer {
        json: photos.map(|photo| as_json(device, photo, lang)).collect(),
        lines,
    }
}

pub(super) fn give_up(
    device: &mut Device,
    ambient: &Ambient,
    args: &GiveUpArgs,
    lang: Language,
) -> Result<Answer, Trouble> {
    let reason = args.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARACTERS {
        let zh = "--reason 须写明原因，且不能过长".to_owned();
        let en = "--reason says why, in not too many words".to_owned();
        return Err(Trouble::Usage(zh, en));
    }
    let sha256 = find::kept_photo(&device.engine, &args.sha256)?;
    let known = device.engine.state().photos.get(&sha256).cloned();
    if args.delete {
        device.engine.handle_photo_forgotten(sha256);
    } else {
        let given_up = GivenUp {
            reason: reason.to_owned(),
            at: ambient.clock.now(),
        };
        device.engine.handle_photo_given_up(sha256, given_up);
    }
    device.keep(ambient)?;
    let number = known.map_or_else(String::new, |photo| {
        hazard_number(HazardId(photo.subject_id.0))
    });
    let what = match args.delete {
        true => say(
            lang,
            "照片文件已从本机删除，不可恢复",
            "the photo's bytes are deleted from this device, for good",
        ),
        false => say(
            lang,
            "已停止发送；照片仍保留在本机，可用 photo retry 恢复发送",
            "it is sent no more; its bytes stay here, photo retry takes it up again",
        ),
    };
    let means = say(
        lang,
        "该隐患仍显示缺照片，不能销号，直到其他设备送来这张照片，或管理员登记其遗失（lost-photo）",
        "the hazard goes on awaiting it and cannot be closed, until another device brings the photo \
         or an administrator records it as lost (lost-photo)",
    );
    Ok(Answer {
        json: json!({ "sha256": sha256, "deleted": args.delete, "message": means }),
        lines: vec![
            format!("{sha256}  {number}"),
            what.to_owned(),
            means.to_owned(),
        ],
    })
}

pub(super) fn retry(
    device: &mut Device,
    ambient: &Ambient,
    args: &RetryArgs,
    lang: Language,
) -> Result<Answer, Trouble> {
    let sha256 = find::kept_photo(&device.engine, &args.sha256)?;
    if let Some(path) = &args.file {
        let most = device.engine.limits().hazards.evidence_bytes();
        if !device.photos.restore(&sha256, path, most)? {
            let path = path.display();
            return Err(Trouble::Usage(
                format!("{path}：不是这张照片（SHA-256 不同）"),
                format!("{path}: not this photo (its SHA-256 differs)"),
            ));
        }
    }
    if device.photos.check(&sha256).is_err() {
        return Err(Trouble::Said(
            exit::ATTENTION,
            "照片在本机无法读取或已损坏，请用 --file 给出同一张照片的文件",
            "the photo cannot be read on this device or is damaged: name a file that holds it, --file",
        ));
    }
    device.engine.handle_photo_retry(sha256);
    device.keep(ambient)?;
    let what = say(lang, "下次 sync 时重新发送", "the next sync tries again");
    Ok(Answer {
        json: json!({ "sha256": sha256, "message": what }),
        lines: vec![format!("{sha256}: {what}")],
    })
}
