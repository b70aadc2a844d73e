//! How many bytes the protocol takes, beside its aims: `cargo run --release -p hazardloop-sync-protocol
//! --example bytes_bench`. Real messages of the real code, with words of the rows of the corpus that no
//! dictionary was trained on. Ends with 1 where an aim is missed.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark measures time, and says what it missed"
)]

#[path = "bytes/pushes.rs"]
mod pushes;
mod reports;

use hazardloop_domain::command::AnchorToken;
use hazardloop_domain::hazard::Hazard;
use hazardloop_sync_protocol::codec::{decode_strict, encode};
use hazardloop_sync_protocol::compress::{self, Coding};
use hazardloop_sync_protocol::digest::DigestKey;
use hazardloop_sync_protocol::wire::{
    Bytes, Checkpoint, LeanPull, LeanPullResponse, PackedPullResponse, Page, PullRequest,
    PullResponse, RecordKind, ResetReason, Scope, ScopeAnswer, ScopeCursor, ScopeUpdate,
};
use reports::{District, Numbers, record, rows, texts};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Hazards of a first pull.
const HAZARDS: usize = 10_000;
/// Raw bytes of records in one page, half of a body as the server does it.
const PAGE_BYTES: usize = 512 * 1024;
/// Records in one page.
const PAGE_RECORDS: usize = 1_000;

/// How many aims were missed.
static MISSED: AtomicUsize = AtomicUsize::new(0);

fn main() -> ExitCode {
    println!("## Bytes\n");
    println!("| what | form | coding | mean | most | aim |");
    println!("|---|---|---|---:|---:|---:|");
    pushes::pushes();
    pulls();
    pushes::parts();
    pushes::speed();
    match MISSED.load(Ordering::Relaxed) {
        0 => ExitCode::SUCCESS,
        missed => {
            eprintln!("{missed} aims were missed");
            ExitCode::FAILURE
        }
    }
}

fn hold(what: &str, most: f64, aim: f64) {
    if most > aim {
        MISSED.fetch_add(1, Ordering::Relaxed);
        eprintln!("missed: {what}: {most}, not {aim}");
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
    if let Some(aim) = aim {
        hold(
            &format!("{what}, {form}, {}", name(coding)),
            most as f64,
            aim as f64,
        );
    }
    let aim = aim.map_or(String::new(), |aim| aim.to_string());
    println!(
        "| {what} | {form} | {} | {mean} | {most} | {aim} |",
        name(coding)
    );
}

const CODINGS: [Option<Coding>; 4] = [
    None,
    Some(Coding::Zstd),
    Some(Coding::ReportsZh1),
    Some(Coding::ReportsZh2),
];

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
    let answer = response(changed, &epoch, false);
    let answer = PackedPullResponse::of(answer).map_or_else(|a| encode(&a), |a| encode(&a));
    for coding in CODINGS {
        let sizes = [lean.len(), full.len(), answer.len()];
        let sent =
            body(&lean, coding).len() + body(&full, coding).len() + body(&answer, coding).len();
        // With a dictionary, as every device of ours has one.
        let with_dictionary = coding.filter(|coding| *coding != Coding::Zstd);
        let aim = with_dictionary.map(|_| 1_000);
        line(
            &format!("one of {HAZARDS} changed, both ways together ({sizes:?} uncoded)"),
            "lean, full, packed",
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
    let town = Some(Scope::Jurisdiction(hazard.jurisdiction_id));
    let enterprise = hazard.enterprise_id.map(Scope::Enterprise);
    let scopes = [enterprise, town].into_iter().flatten();
    scopes
        .map(|scope| ScopeAnswer {
            scope,
            update: ScopeUpdate::Page(page(numbers)),
        })
        .collect()
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
            let aim = (coding.is_some() && form == Form::Packed).then_some(55.0);
            if let Some(aim) = aim {
                hold("bytes a row beside its text", whole - text, aim);
            }
            println!(
                "| {name_of_form} | {} | {whole:.1} | {text:.1} | {:.1} | {} | {:.0} | {:.0} |",
                name(coding),
                whole - text,
                aim.map_or(String::new(), |aim| aim.to_string()),
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
