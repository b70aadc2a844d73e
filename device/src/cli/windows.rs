//! What this device holds of closed records, how far first reads are, and where the rest is looked up.

use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::device::Notice;
use hazardloop_sync_protocol::wire::{ClosedWindow, Scope};
use serde_json::{Value, json};

use super::args::Language;
use super::ground::Ground;
use super::words::say;
use crate::driver::Device;

pub(super) fn json(window: ClosedWindow) -> Value {
    json!({
        "days": window.closed_days,
        "bytes": window.closed_bytes,
        "complete_after": window.complete_after,
    })
}

/// What people call a scope.
fn name(scope: Scope, ground: &Ground, lang: Language) -> String {
    let place = |id| ground.jurisdiction(id).map(str::to_owned);
    let named = match scope {
        Scope::Person(_) => Some(say(lang, "本人", "yourself").to_owned()),
        Scope::Tasks(_, id, sector) => place(id).map(|place| {
            let of = sector.map_or(place.clone(), |sector| format!("{place} {sector}"));
            format!(
                "{of}{}",
                say(lang, "：由本人检查的", ": for you to inspect")
            )
        }),
        Scope::OwnReports(_) => Some(say(lang, "本人上报的", "what you reported").to_owned()),
        Scope::Enterprise(id) => ground.enterprise(Some(id)).map(str::to_owned),
        Scope::Jurisdiction(id) => place(id),
        Scope::JurisdictionSector(id, sector) => place(id).map(|place| format!("{place} {sector}")),
        Scope::Catalog => Some(say(lang, "基础资料", "reference data").to_owned()),
    };
    named.unwrap_or_else(|| scope.to_string())
}

/// A line for each scope that has a window.
pub(super) fn lines(device: &Device, now: Timestamp, lang: Language) -> Vec<String> {
    let ground = Ground::of(device, now);
    let scopes = device.engine.state().scopes.iter();
    let with_window = scopes.filter_map(|(scope, state)| Some((*scope, state.window?)));
    let line = |(scope, window): (Scope, ClosedWindow)| {
        let (name, days) = (name(scope, &ground, lang), window.closed_days);
        let since = window.complete_after.map(Timestamp::shanghai_date);
        match (lang, since) {
            (Language::Zh, None) => {
                format!("{name}：办结的在本机保留 {days} 天，目前没有移出的")
            }
            (Language::Zh, Some(since)) => format!(
                "{name}：办结的在本机保留 {days} 天，{since} 及以前办结的已移出，用 find 在服务器上查找"
            ),
            (Language::En, None) => format!(
                "{name}: closed records stay here for {days} days; none has been left out so far"
            ),
            (Language::En, Some(since)) => format!(
                "{name}: closed records stay here for {days} days; those closed up to {since} are \
                 left out, find looks them up on the server"
            ),
        }
    };
    with_window.map(line).collect()
}

/// Below a list: that closed hazards are left out, and how to see them.
pub(super) fn hint(device: &Device, lang: Language) -> Option<String> {
    let mut scopes = device.engine.state().scopes.values();
    let left_out = |window: ClosedWindow| window.complete_after.is_some();
    let any = scopes.any(|state| state.window.is_some_and(left_out));
    any.then(|| {
        say(
            lang,
            "更早办结的不在本机：用 hazardloop-device find 在服务器上查找（需要网络）",
            "what was closed earlier is not on this device: hazardloop-device find looks it up \
             (needs the server)",
        )
        .to_owned()
    })
}

/// A line for each scope whose role has ended by this device's clock: what is missing here, and that it is not deleted.
pub(super) fn lapsed(device: &Device, now: Timestamp, lang: Language) -> Vec<String> {
    let scopes = device.engine.lapsed_scopes(now);
    let ground = Ground::of(device, now);
    let line = |scope| {
        let name = name(scope, &ground, lang);
        match lang {
            Language::Zh => format!(
                "{name}：按本机时钟，您在此处的职权已到期，其记录不再显示（未删除，下次联系服务器时确认）"
            ),
            Language::En => format!(
                "{name}: by this device's clock your role there has ended; its records are not shown \
                 any more (they are not deleted: the next contact with the server tells)"
            ),
        }
    };
    // What waited for somebody by name in a place is told with the place.
    let places = scopes
        .into_iter()
        .filter(|scope| !matches!(scope, Scope::Tasks(..)));
    places.map(line).collect()
}

/// A number as people read it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

fn progress(name: &str, rows: u64, whole: u64, lang: Language) -> String {
    let (rows, whole) = (grouped(rows), grouped(whole));
    match lang {
        Language::Zh => format!("{name}：已取回 {rows} / {whole} 条"),
        Language::En => format!("{name}: {rows} of {whole} records have come"),
    }
}

/// How far first reads are that are under way: the next sync goes on with them.
pub(super) fn reading(device: &Device, lang: Language) -> Vec<String> {
    let under_way = device.engine.state().first_reads();
    let now = device.engine.state().meta.server_time;
    let ground = Ground::of(device, now.unwrap_or(Timestamp::from_millis(0)));
    let go_on = say(lang, "（再次 sync 接着取）", " (sync goes on)");
    let line = |(scope, rows, whole)| {
        let name = name(scope, &ground, lang);
        format!("{}{go_on}", progress(&name, rows, whole, lang))
    };
    under_way.into_iter().map(line).collect()
}

pub(super) fn reading_json(device: &Device) -> Value {
    let under_way = device.engine.state().first_reads().into_iter();
    under_way
        .map(|(scope, rows, whole)| json!({ "scope": scope, "rows": rows, "of": whole }))
        .collect()
}

/// Tells people how far a first read is, while it goes on.
pub(super) fn watch(lang: Language) -> fn(&Notice) {
    fn tell(notice: &Notice, lang: Language) {
        use std::io::Write as _;
        if let Notice::Reading { scope, rows, whole } = notice {
            let rows = u64::try_from(*rows).unwrap_or(*whole);
            let line = progress(&scope.to_string(), rows, *whole, lang);
            drop(writeln!(std::io::stderr(), "{line}"));
        }
    }
    match lang {
        Language::Zh => |notice| tell(notice, Language::Zh),
        Language::En => |notice| tell(notice, Language::En),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_groups() {
        for (number, read) in [
            (7, "7"),
            (999, "999"),
            (3_200, "3,200"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), read);
        }
    }
}
