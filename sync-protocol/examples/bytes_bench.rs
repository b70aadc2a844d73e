//! How many bytes the protocol takes, beside its aims: `cargo run --release -p hazardloop-sync-protocol
//! --example bytes_bench`. Real messages of the real code, with words of the rows of the corpus that no
//! dictionary was trained on.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures time"
)]

mod reports;

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hazard::Hazard;
use hazardloop_sync_protocol::codec::{decode_strict, encode};
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, CommandPayload, LeanPull, LeanPullResponse, LeanPush, PackedPullResponse,
    PackedPush, Page, PullRequest, PullResponse, PushRequest, RecordKind, ResetReason, Scope,
    ScopeAnswer, ScopeCursor, ScopeUpdate,
};
use reports::{District, Numbers, Phone, Row, record, rows};
use std::time::Instant;

/// Characters of the reports that are measured.
const CHARACTERS: usize = 40;
/// Hazards of a first pull.
const HAZARDS: usize = 10_000;
/// How often what is short is measured.
const TIMES: u32 = 200;
/// Raw bytes of records in one page, half of a body as the server does it.
const PAGE_BYTES: usize = 512 * 1024;
/// Records in one page.
const PAGE_RECORDS: usize = 1_000;

fn main() {
    println!("## Bytes\n");
    println!("| what | form | coding | mean | most | aim |");
    println!("|---|---|---|---:|---:|---:|");
    pushes();
    pulls();
    parts();
    speed();
}

/// How long a phone or a server works on one body.
fn speed() {
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

/// The body as it travels.
fn body(message: &[u8], coding: Option<Coding>) -> Vec<u8> {
    let coded = coding.and_then(|coding| compress::encode(coding, message));
    coded.unwrap_or_else(|| message.to_vec())
}

fn name(coding: Option<Coding>) -> &'static str {
    coding.map_or("none", Coding::name)
}

fn line(what: &str, form: &str, coding: Option<Coding>, sizes: &[usize], aim: Option<usize>) {
    let most = sizes.iter().copied().max().unwrap_or_default();
    let mean = sizes.iter().sum::<usize>() / sizes.len().max(1);
    let aim = aim.map_or(String::new(), |aim| aim.to_string());
    println!(
        "| {what} | {form} | {} | {mean} | {most} | {aim} |",
        name(coding)
    );
}

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

const CODINGS: [Option<Coding>; 4] = [
    None,
    Some(Coding::Zstd),
    Some(Coding::ReportsZh1),
    Some(Coding::ReportsZh2),
];

fn pushes() {
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

fn scopes(numbers: &mut Numbers, district: &[Hazard]) -> Vec<ScopeCursor> {
    let first = district.first();
    let enterprise = first
        .and_then(|hazard| hazard.enterprise_id)
        .map(Scope::Enterprise);
    let town = first.map(|hazard| Scope::Jurisdiction(hazard.jurisdiction_id));
    let person = first.map(|hazard| Scope::Person(hazard.reported_by));
    let all = [person, enterprise, town, Some(Scope::Catalog)]
        .into_iter()
        .flatten();
    all.map(|scope| ScopeCursor {
        scope,
        cursor: Some(Bytes(
            [0_u64, numbers.below(1 << 40)]
                .map(|n| n.to_be_bytes())
                .concat()
                .split_off(4),
        )),
        checkpoint: Some(Checkpoint {
            count: numbers.below(12_000),
            digest: numbers.next(),
        }),
    })
    .collect()
}

fn response(answers: Vec<ScopeAnswer>, epoch: &str, first: bool) -> PullResponse {
    PullResponse {
        protocol: 1,
        epoch: epoch.to_owned(),
        digest_key: first.then(|| Bytes(vec![7; 16])),
        server_time: hazardloop_domain::time::Timestamp::from_millis(1_795_309_200_000),
        last: 217,
        answers,
        more: false,
        missing_photos: Vec::new(),
        anchor: AnchorToken::from_slice(&[0x9d, 0x21, 0x77, 0xe0, 0x4b, 0x58, 0xc3, 0x06]),
    }
}

fn pulls() {
    let mut numbers = Numbers(3);
    let mut district = District::new(4, 1_000, rows(1));
    let hazards: Vec<Hazard> = (0..HAZARDS).filter_map(|_| district.hazard()).collect();
    let epoch = numbers.uuid4().to_string();
    let mut request = PullRequest {
        protocol: 1,
        install_id: hazardloop_domain::ids::InstallId(numbers.uuid4()),
        epoch: Some(epoch.clone()),
        scopes: scopes(&mut numbers, &hazards),
        max_records: Some(1_000),
    };
    let lean = LeanPull::of(&request)
        .as_ref()
        .map(encode)
        .unwrap_or_default();
    let full = encode(&request);
    let nothing = encode(&response(Vec::new(), &epoch, false));
    for coding in CODINGS {
        line(
            "asking whether 4 scopes are new",
            "full",
            coding,
            &[body(&full, coding).len()],
            None,
        );
        line(
            "asking whether 4 scopes are new",
            "lean",
            coding,
            &[body(&lean, coding).len()],
            Some(100),
        );
        line(
            "nothing is",
            "",
            coding,
            &[body(&nothing, coding).len()],
            Some(100),
        );
    }
    let changed = one_change(&mut district, &hazards, &mut numbers);
    let answer = encode(&response(changed, &epoch, false));
    for coding in CODINGS {
        let sizes = [lean.len(), full.len(), answer.len()];
        let sent =
            body(&lean, coding).len() + body(&full, coding).len() + body(&answer, coding).len();
        let aim = coding.map(|_| 1_000);
        line(
            &format!("one of {HAZARDS} changed, both ways together ({sizes:?} uncoded)"),
            "lean, then full",
            coding,
            &[sent],
            aim,
        );
    }
    request.scopes.clear();
    first_pull(&hazards, &epoch);
}

/// The answer after a note on one hazard: the two scopes that hold it.
fn one_change(
    district: &mut District,
    hazards: &[Hazard],
    numbers: &mut Numbers,
) -> Vec<ScopeAnswer> {
    let Some(mut hazard) = hazards.get(5_000).cloned() else {
        return Vec::new();
    };
    district.note(&mut hazard, "已电话催办，企业承诺周五前完成");
    let page = |numbers: &mut Numbers| Page {
        reset: None,
        records: vec![record(&hazard)],
        removals: Vec::new(),
        cursor: Bytes(vec![0, 0, 0, 0, 0, 2, 0xb7, 0x1c, 0, 0, 0, 1]),
        checkpoint: Some(Checkpoint {
            count: 10_000,
            digest: numbers.next(),
        }),
        extent: None,
    };
    vec![ScopeAnswer {
        scope: Scope::Jurisdiction(hazard.jurisdiction_id),
        update: ScopeUpdate::Page(page(numbers)),
    }]
}

/// All free text of a hazard.
fn texts(hazard: &Hazard) -> String {
    let mut text = format!("{}{}", hazard.description, hazard.place_text);
    text.push_str(hazard.no_photo_reason.as_deref().unwrap_or_default());
    if let Some(order) = hazard.status.order() {
        text.push_str(&order.responsible_person);
        text.push_str(&order.requirement);
        text.push_str(order.basis.as_deref().unwrap_or_default());
        text.push_str(order.fact.as_deref().unwrap_or_default());
    }
    if let hazardloop_domain::hazard::Status::PendingReinspection { submission, .. } =
        &hazard.status
    {
        text.push_str(&submission.measures);
    }
    if let hazardloop_domain::hazard::Status::Closed {
        submission,
        opinion,
        ..
    } = &hazard.status
    {
        text.push_str(&submission.measures);
        text.push_str(opinion);
    }
    text
}

fn pages(hazards: &[Hazard]) -> Vec<&[Hazard]> {
    let mut pages = Vec::new();
    let mut rest = hazards;
    while !rest.is_empty() {
        let mut bytes = 0;
        let mut count = 0;
        for hazard in rest.iter().take(PAGE_RECORDS) {
            bytes += encode(hazard).len() + 40;
            if bytes > PAGE_BYTES && count > 0 {
                break;
            }
            count += 1;
        }
        let (page, after) = rest.split_at(count);
        pages.push(page);
        rest = after;
    }
    pages
}

/// The answers that bring all hazards, page by page.
fn answers(pages: &[&[Hazard]], epoch: &str) -> Vec<PullResponse> {
    let town = pages.first().and_then(|page| page.first());
    let scope = town.map_or(Scope::Catalog, |h| Scope::Jurisdiction(h.jurisdiction_id));
    let answer = |page: &&[Hazard]| {
        let page = Page {
            reset: Some(ResetReason::First),
            records: page.iter().map(record).collect(),
            removals: Vec::new(),
            cursor: Bytes(vec![0; 12]),
            checkpoint: None,
            extent: None,
        };
        let update = ScopeUpdate::Page(page);
        response(vec![ScopeAnswer { scope, update }], epoch, false)
    };
    pages.iter().map(answer).collect()
}

fn first_pull(hazards: &[Hazard], epoch: &str) {
    let pages = pages(hazards);
    let answers = answers(&pages, epoch);
    let words: Vec<String> = pages
        .iter()
        .map(|page| page.iter().map(texts).collect())
        .collect();
    let count = u32::try_from(hazards.len()).unwrap_or(1);
    let each =
        |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / f64::from(count);
    println!(
        "\n## First pull of {count} hazards in {} pages\n",
        pages.len()
    );
    println!(
        "| form | coding | bytes a row | text alone | beside its text | aim | write ms | read ms |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for (name_of_form, form) in [
        ("full", Form::Full),
        ("lean", Form::Lean),
        ("packed", Form::Packed),
    ] {
        for coding in CODINGS {
            let begun = Instant::now();
            let bodies: Vec<_> = answers.iter().map(|a| write(a, form, coding)).collect();
            let written = begun.elapsed();
            let begun = Instant::now();
            let read: Vec<_> = bodies.iter().map(|b| read(b, form, coding)).collect();
            let taken = begun.elapsed();
            let same = read
                .iter()
                .zip(&answers)
                .all(|(read, answer)| read.as_ref() == Some(answer));
            assert!(same, "what is written is read again");
            let whole = each(bodies.iter().map(Vec::len).sum());
            let text = words
                .iter()
                .map(|words| body(words.as_bytes(), coding).len());
            let text = each(text.sum());
            println!(
                "| {name_of_form} | {} | {whole:.1} | {text:.1} | {:.1} | {} | {:.0} | {:.0} |",
                name(coding),
                whole - text,
                if coding.is_some() && form == Form::Packed {
                    "55"
                } else {
                    ""
                },
                written.as_secs_f64() * 1e3,
                taken.as_secs_f64() * 1e3
            );
        }
    }
    // Digests are part of what both ends do with each row.
    let key = DigestKey([7; 16]);
    let begun = Instant::now();
    let mut held = Checkpoint::EMPTY;
    for hazard in hazards {
        let (id, version) = (&hazard.id.0, hazard.version);
        held = held.with(key.of_record(RecordKind::Hazard, id, version, &encode(hazard)));
    }
    println!(
        "\nDigest of all of them: {:016x}, {:.0} ms with their encoding.",
        held.digest,
        begun.elapsed().as_secs_f64() * 1e3
    );
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Full,
    Lean,
    Packed,
}

/// The body of an answer, as a server writes it.
fn write(answer: &PullResponse, form: Form, coding: Option<Coding>) -> Vec<u8> {
    let message = match form {
        Form::Full => encode(answer),
        Form::Lean => LeanPullResponse::of(answer.clone())
            .map_or_else(|answer| encode(&answer), |lean| encode(&lean)),
        Form::Packed => PackedPullResponse::of(answer.clone())
            .map_or_else(|answer| encode(&answer), |packed| encode(&packed)),
    };
    body(&message, coding)
}

/// The answer again, as a device reads it.
fn read(body: &[u8], form: Form, coding: Option<Coding>) -> Option<PullResponse> {
    const MOST: usize = 8 * 1024 * 1024;
    let plain = match coding {
        Some(coding) => compress::decode(coding.name(), body, MOST).ok()?,
        None => body.to_vec(),
    };
    match form {
        Form::Full => decode_strict(&plain, 16).ok(),
        Form::Lean => {
            let read: LeanPullResponse = decode_strict(&plain, 16).ok()?;
            read.in_full(MOST).ok()
        }
        Form::Packed => {
            let read: PackedPullResponse = decode_strict(&plain, 16).ok()?;
            read.in_full(MOST).ok()
        }
    }
}

/// Where the bytes of one report go.
fn parts() {
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
