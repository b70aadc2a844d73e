//! What pushes take, and how long a phone or a server works on one body.

use std::time::Instant;

use hazardloop_sync_protocol::codec::encode;
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::wire::{CommandPayload, LeanPush, PackedPush, PushRequest};

use super::reports::{self, Phone, Row, rows};
use super::{CODINGS, body, line};

/// Characters of the reports that are measured.
const CHARACTERS: usize = 40;
/// How often what is short is measured.
const TIMES: u32 = 200;

/// Unseen rows of at least so many characters.
fn long_rows() -> Vec<Row> {
    let mut rows = rows(1);
    rows.retain(|row| row.description.chars().count() >= CHARACTERS);
    rows
}

/// What was before the reports that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// An earlier report, and a contact since then.
    Contact,
    /// The same, and then the phone was switched off and on.
    Restart,
    /// A contact, and since then another report, which the server has.
    Told,
    /// Nothing: they are the first of their install.
    Nothing,
}

/// Pushes of so many reports whose description has 40 characters, or has them together with the place; and the payload
/// of the command before them.
fn pushed(
    rows: &[Row],
    count: usize,
    with_place: bool,
    before: Before,
) -> Vec<(PushRequest, Option<Vec<u8>>)> {
    let batches = rows.chunks_exact(count).zip(50_000_000..);
    batches
        .map(|(some, seed)| {
            let mut phone = Phone::new(seed);
            // Another row's words, none of those that are measured.
            let another = some.first().and_then(|row| {
                let at = rows
                    .iter()
                    .position(|one| one.description == row.description)?;
                rows.get((at + count) % rows.len())
            });
            let mut earlier = None;
            if let Some(row) = another.filter(|_| before != Before::Nothing) {
                if before == Before::Told {
                    phone.meets_server();
                }
                let report = phone.report(row, 400);
                let push = phone.push(&[report]);
                earlier = push.commands.first().map(|first| first.payload.0.clone());
            }
            if before != Before::Told {
                phone.meets_server();
            }
            if before == Before::Restart {
                phone.restarts();
            }
            let reports = some.iter().map(|row| {
                let place = if with_place {
                    row.place.chars().count()
                } else {
                    0
                };
                phone.report(row, CHARACTERS.saturating_sub(place))
            });
            let reports: Vec<_> = reports.collect();
            (phone.push(&reports), earlier)
        })
        .collect()
}

pub(super) fn pushes() {
    let rows = long_rows();
    for (what, count, with_place, before, aims) in [
        (
            "1 report, place and description 40 characters",
            1,
            true,
            Before::Contact,
            [Some(420), Some(420), None, Some(260)],
        ),
        (
            "the same, switched off and on since the one before",
            1,
            true,
            Before::Restart,
            [None; 4],
        ),
        (
            "the same, another one since the contact",
            1,
            true,
            Before::Told,
            [None; 4],
        ),
        (
            "the same, the first of its install",
            1,
            true,
            Before::Nothing,
            [None; 4],
        ),
        (
            "1 report, description 40 characters",
            1,
            false,
            Before::Contact,
            [None; 4],
        ),
        (
            "20 reports, place and description 40 characters",
            20,
            true,
            Before::Contact,
            [None, None, None, Some(3_000)],
        ),
        (
            "20 reports, description 40 characters",
            20,
            false,
            Before::Contact,
            [None; 4],
        ),
    ] {
        let requests = pushed(&rows, count, with_place, before);
        for (coding, aim) in CODINGS.into_iter().zip(aims) {
            let full = requests.iter().map(|(r, _)| body(&encode(r), coding).len());
            line(what, "full", coding, &full.collect::<Vec<_>>(), None);
            let lean = requests.iter().filter_map(|(r, _)| LeanPush::of(r));
            let lean: Vec<_> = lean.map(|r| body(&encode(&r), coding).len()).collect();
            line(what, "lean", coding, &lean, None);
            let packed = requests
                .iter()
                .filter_map(|(request, before)| packed(request, before.as_deref()));
            let packed: Vec<_> = packed.map(|r| body(&encode(&r), coding).len()).collect();
            line(what, "packed", coding, &packed, aim);
        }
    }
}

/// The packed form, which is held against what it stands for.
fn packed(request: &PushRequest, before: Option<&[u8]>) -> Option<PackedPush> {
    let lean = LeanPush::of(request)?;
    let packed = PackedPush::of(&lean, before)?;
    let told = request.commands.iter().find_map(|command| {
        let payload: CommandPayload = minicbor::decode(&command.payload.0).ok()?;
        payload.made.anchor_token
    });
    let again = packed.clone().unpacked(before, &|_| told.clone(), 1 << 20);
    assert_eq!(again.as_ref(), Ok(&lean), "what is packed is read again");
    Some(packed)
}

/// Where the bytes of one report go.
pub(super) fn parts() {
    println!("\n## Where the bytes of one report go\n");
    println!("| part | raw, full form | raw, lean form |");
    println!("|---|---:|---:|");
    let requests = pushed(&long_rows(), 1, false, Before::Contact);
    let Some((request, envelope)) = requests
        .first()
        .and_then(|(r, _)| Some((r, r.commands.first()?)))
    else {
        return;
    };
    let lean = LeanPush::of(request);
    let text = long_rows().first().map_or(0, |row| {
        row.place.len() + reports::cut(row.description, CHARACTERS).len()
    });
    let rest = envelope.payload.0.len() - text - 16 * 3;
    for (part, full, lean) in [
        ("signature", 64, 64),
        ("link hash before", 32, 0),
        ("install", 16, 0),
        ("hazard, enterprise, boot", 48, 48),
        ("text and place", text, text),
        (
            "clocks, times, position, criterion, reason, keys",
            rest,
            rest,
        ),
        (
            "the rest of the envelope and the batch",
            encode(request).len() - envelope.payload.0.len() - 112,
            lean.as_ref()
                .map_or(0, |lean| encode(lean).len() - envelope.payload.0.len() - 64),
        ),
        (
            "all",
            encode(request).len(),
            lean.as_ref().map_or(0, |lean| encode(lean).len()),
        ),
    ] {
        println!("| {part} | {full} | {lean} |");
    }
}

/// How long a phone or a server works on one body.
pub(super) fn speed() {
    println!("\n## Processor time of one body (`hl-zh2`)\n");
    println!("| body | bytes | to code, µs | to read, µs |");
    println!("|---|---:|---:|---:|");
    let rows = long_rows();
    for (what, count) in [("1 report", 1), ("20 reports", 20), ("45 reports", 45)] {
        let requests = pushed(&rows, count, true, Before::Contact);
        let request = requests.first();
        let Some(message) = request
            .and_then(|(request, before)| packed(request, before.as_deref()))
            .map(|packed| encode(&packed))
        else {
            continue;
        };
        let begun = Instant::now();
        let mut coded = Vec::new();
        for _ in 0..TIMES {
            coded = body(&message, Some(Coding::ReportsZh2));
        }
        let packed = begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
        let begun = Instant::now();
        for _ in 0..TIMES {
            let read = compress::decode(Coding::ReportsZh2.name(), &coded, 1024 * 1024);
            assert_eq!(read.as_ref(), Ok(&message), "what is coded is read again");
        }
        let unpacked = begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
        println!(
            "| {what} | {} | {packed:.0} | {unpacked:.0} |",
            message.len()
        );
    }
}
