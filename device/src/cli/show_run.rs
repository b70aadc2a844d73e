//! What a run against the server answers: what arrived, what needs a person, what failed.

use hazardloop_sync_protocol::device::{Notice, Standing};
use serde_json::json;

use super::args::Language;
use super::show::{Answer, command_json};
use super::{windows, words};
use crate::driver::{Device, RunReport};

/// What a run did. `attention`: commands settled in it that need a person.
pub(super) fn run(device: &Device, run: &RunReport, attention: &[i64], lang: Language) -> Answer {
    let (settled, waiting) = (run.settled(), device.count(Standing::OnDevice));
    let photos = device.photos_awaited();
    let mut lines = vec![match lang {
        Language::Zh => format!(
            "送达 {} 条；本机还有 {waiting} 条、照片 {photos} 张",
            settled.len()
        ),
        Language::En => {
            format!(
                "{} arrived; {waiting} commands and {photos} photos still here",
                settled.len()
            )
        }
    }];
    let state = device.engine.state();
    for seq in attention.iter().chain(&state.meta.too_large) {
        if let Some(command) = state.commands.get(seq) {
            lines.push(format!("#{seq}: {}", words::reason(lang, state, command)));
        }
    }
    lines.extend(unreadable_photos(run, lang));
    lines.extend(refused_photos(run, lang));
    lines.extend(lost_by_the_server(run, lang));
    if device.engine.state().meta.must_rekey {
        lines.push(words::restored(lang).to_owned());
    }
    lines.extend(windows::reading(device, lang));
    lines.extend(
        run.failure
            .iter()
            .map(|failure| words::failure(lang, failure)),
    );
    let stuck = state
        .meta
        .too_large
        .and_then(|seq| state.commands.get(&seq));
    let json = json!({
        "too_large": stuck.map(|command| command_json(device, command, lang)),
        "requests": run.requests,
        "settled": settled,
        "needs_attention": attention,
        "on_device": waiting,
        "photos_on_device": photos,
        "reading": windows::reading_json(device),
        "failure": run.failure.as_ref().map(|failure| format!("{failure:?}")),
        "message": run.failure.as_ref().map(|failure| words::failure(lang, failure)),
    });
    Answer { json, lines }
}

/// Photos that this device cannot deliver, and what can be done.
fn unreadable_photos(run: &RunReport, lang: Language) -> Vec<String> {
    let unreadable = run.notices.iter().filter_map(|notice| match notice {
        Notice::PhotoUnreadable { sha256 } => Some(*sha256),
        _ => None,
    });
    let unreadable: std::collections::BTreeSet<_> = unreadable.collect();
    let line = |sha256| match lang {
        Language::Zh => format!(
            "照片 {sha256} 在本机无法读取或已损坏：可用 photo retry --file 补回，\
             或用 photo give-up 放弃"
        ),
        Language::En => format!(
            "photo {sha256} cannot be read on this device or is damaged: bring it back with \
             photo retry --file, or let it be with photo give-up"
        ),
    };
    unreadable.into_iter().map(line).collect()
}

/// What a restored server lost and this device no longer has.
fn lost_by_the_server(run: &RunReport, lang: Language) -> Option<String> {
    let gone = run.notices.iter().filter_map(|notice| match notice {
        Notice::ServerRestored { gone, .. } if *gone > 0 => Some(*gone),
        _ => None,
    });
    gone.max().map(|gone| match lang {
        Language::Zh => {
            format!("服务器已从备份恢复，丢失了本机已不再保存的 {gone} 条操作，请与管理员核对")
        }
        Language::En => format!(
            "the server was restored from a backup and lost {gone} commands that this device no \
             longer keeps: compare with its administrator"
        ),
    })
}

/// Photos that the server never takes, and what can be done.
fn refused_photos(run: &RunReport, lang: Language) -> Vec<String> {
    let line = |notice: &Notice| match (notice, lang) {
        (Notice::PhotoRefused { sha256, reason }, Language::Zh) => Some(format!(
            "服务器不接收照片 {sha256}（{reason}）：已停止发送，本机仍保留，\
             可用 photo retry 重试"
        )),
        (Notice::PhotoRefused { sha256, reason }, Language::En) => Some(format!(
            "the server does not take photo {sha256} ({reason}): it is sent no more and stays \
             here; photo retry tries again"
        )),
        _ => None,
    };
    run.notices.iter().filter_map(line).collect()
}
