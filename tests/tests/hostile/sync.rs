//! Sync messages that are none: refused as a whole. Commands that are none inside good messages: a receipt each.

use hazardloop_domain::command::{Action, ReceivePhoto};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, InstallId};
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::{
    Bytes, MEDIA_TYPE_CBOR, MEDIA_TYPE_JSON, Outcome, PROTOCOL_MAX, PullRequest, PushRequest,
    PushResult, QuarantineReason, Scope, ScopeCursor,
};
use hazardloop_tests::TestDatabase;
use hazardloop_tests::install::{Install, uuid_v7};
use hazardloop_tests::rest::Answer;

use super::{Site, assert_refused, now, plain, refuses_all};

fn enrolled(site: &Site, salt: &str) -> Install {
    Install::enrol(&site.server.rest(), "employee", salt, now())
}

fn enterprise(site: &Site) -> EnterpriseId {
    site.enterprise.parse().unwrap()
}

fn pull(install: &Install, body: &[u8]) -> Answer {
    install.rest.ask(
        "POST",
        "/api/v1/sync/pull",
        &[("content-type", MEDIA_TYPE_CBOR)],
        Some(body),
    )
}

#[test]
fn cbor_that_is_no_message() {
    refuses_all(plain, |site| {
        let mut install = enrolled(site, "cbor");
        let (_, envelope) = install.seal_report(now(), enterprise(site));
        let good = install.push_body(vec![envelope]);
        let long_head = |head: u8| [&[head][..], &[0xff; 8]].concat();
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("nothing", Vec::new()),
            ("text", b"hello".to_vec()),
            ("JSON", b"{\"protocol\":1}".to_vec()),
            ("an empty map", vec![0xa0]),
            ("null", vec![0xf6]),
            ("bytes after the end", [&good[..], &[0x00]].concat()),
            ("a key twice", vec![0xa2, 0x00, 0x01, 0x00, 0x01]),
            ("an endless map", vec![0xbf, 0x00, 0x01, 0xff]),
            (
                "an endless list",
                vec![0xa3, 0x00, 0x01, 0x01, 0x40, 0x02, 0x9f, 0xff],
            ),
            ("NaN", vec![0xa1, 0x00, 0xf9, 0x7e, 0x00]),
            (
                "a number in more bytes than it needs",
                vec![0xa1, 0x00, 0x18, 0x01],
            ),
            ("a list of 2^64 - 1", long_head(0x9b)),
            ("a map of 2^64 - 1", long_head(0xbb)),
            ("text of 2^64 - 1", long_head(0x7b)),
            ("bytes of 2^64 - 1", long_head(0x5b)),
            ("deep lists", vec![0x81; 100_000]),
            ("deep maps", [0xa1, 0x00].repeat(50_000)),
            ("a tag", vec![0xc0, 0xa0]),
            (
                "numbers of the wrong kind",
                vec![0xa3, 0x00, 0x20, 0x01, 0x40, 0x02, 0x80],
            ),
            (
                "an id of three bytes",
                vec![0xa3, 0x00, 0x01, 0x01, 0x43, 1, 2, 3, 0x02, 0x80],
            ),
        ];
        for (case, body) in cases {
            assert_refused(
                &install.post_push(&body),
                &format!("push of {case}"),
                &[400, 403, 422],
            );
            assert_refused(
                &pull(&install, &body),
                &format!("pull of {case}"),
                &[400, 403, 422],
            );
        }
        for end in (0..good.len()).step_by(11) {
            assert_refused(
                &install.post_push(&good[..end]),
                &format!("the first {end} bytes"),
                &[400],
            );
        }
        for kind in ["application/json", "application/cbor", "text/plain"] {
            let answer = install.rest.ask(
                "POST",
                "/api/v1/sync/push",
                &[("content-type", kind)],
                Some(&good),
            );
            assert_refused(&answer, kind, &[415]);
        }
    });
}

#[test]
fn json_that_is_no_message() {
    refuses_all(plain, |site| {
        let install = enrolled(site, "json");
        let push = |body: &str| {
            install.rest.ask(
                "POST",
                "/api/v1/sync/push",
                &[("content-type", MEDIA_TYPE_JSON)],
                Some(body.as_bytes()),
            )
        };
        let id = install.id;
        let cases = [
            ("nothing", String::new()),
            (
                "a key twice",
                format!(
                    "{{\"protocol\":1,\"protocol\":1,\"install_id\":\"{id}\",\"commands\":[]}}"
                ),
            ),
            (
                "an unknown key",
                format!("{{\"protocol\":1,\"install_id\":\"{id}\",\"commands\":[],\"colour\":1}}"),
            ),
            (
                "deep lists",
                format!(
                    "{{\"protocol\":1,\"install_id\":\"{id}\",\"commands\":{}",
                    "[".repeat(50_000)
                ),
            ),
            (
                "a number beyond all",
                format!("{{\"protocol\":1e999,\"install_id\":\"{id}\",\"commands\":[]}}"),
            ),
            (
                "no protocol",
                format!("{{\"protocol\":-1,\"install_id\":\"{id}\",\"commands\":[]}}"),
            ),
            (
                "NaN",
                format!("{{\"protocol\":NaN,\"install_id\":\"{id}\",\"commands\":[]}}"),
            ),
        ];
        for (case, body) in cases {
            assert_refused(&push(&body), case, &[400, 422]);
        }
    });
}

#[test]
fn messages_that_are_too_large_or_of_another_device() {
    refuses_all(plain, |site| {
        let mut install = enrolled(site, "large");
        let (_, envelope) = install.seal_report(now(), enterprise(site));
        let many: Vec<_> = (1..=10_000)
            .map(|seq| {
                let mut one = envelope.clone();
                one.seq = seq;
                one.payload = Bytes(Vec::new());
                one
            })
            .collect();
        assert_refused(
            &install.post_push(&install.push_body(many)),
            "10,000 commands",
            &[413],
        );
        let mut fat = envelope.clone();
        fat.payload = Bytes(vec![0; 100_000]);
        assert_refused(
            &install.post_push(&install.push_body(vec![fat])),
            "a fat command",
            &[413],
        );
        assert_refused(&install.post_push(&vec![0; 3_000_000]), "3 MB", &[413]);
        let scopes = (0..10_000)
            .map(|_| ScopeCursor {
                scope: Scope::Catalog,
                cursor: None,
                checkpoint: None,
            })
            .collect();
        let asked = PullRequest {
            protocol: PROTOCOL_MAX,
            install_id: install.id,
            epoch: None,
            scopes,
            max_records: None,
        };
        assert_refused(
            &pull(&install, &codec::encode(&asked)),
            "10,000 scopes",
            &[400, 413, 422],
        );

        let with = |install_id: InstallId, seqs: &[i64]| {
            let commands = seqs.iter().map(|seq| {
                let mut one = envelope.clone();
                one.seq = *seq;
                one
            });
            codec::encode(&PushRequest {
                protocol: PROTOCOL_MAX,
                install_id,
                commands: commands.collect(),
                settled: Vec::new(),
            })
        };
        let stranger = InstallId(uuid_v7(now().as_millis(), "a stranger"));
        assert_refused(
            &install.post_push(&with(stranger, &[1])),
            "another device's stream",
            &[403, 404],
        );
        let neighbour = enrolled(site, "neighbour");
        assert_refused(
            &install.post_push(&with(neighbour.id, &[1])),
            "a known device's stream",
            &[403, 404],
        );
        for seqs in [&[0][..], &[-1], &[i64::MIN], &[1, 1], &[2, 1], &[1, 3]] {
            assert_refused(
                &install.post_push(&with(install.id, seqs)),
                &format!("sequences {seqs:?}"),
                &[422],
            );
        }
        assert_refused(
            &site.employee.ask(
                "POST",
                "/api/v1/sync/push",
                &[("content-type", MEDIA_TYPE_CBOR)],
                Some(&with(install.id, &[1])),
            ),
            "a token of no device",
            &[403],
        );
    });
}

/// Not through `refuses_all`: good commands among the bad ones take effect, as they must.
#[test]
fn bad_commands_get_a_receipt_and_hold_nobody_up() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let site = Site::start(database, plain());
        let mut install = enrolled(&site, "mixed");
        let (hazard, report) = install.seal_report(now(), enterprise(&site));
        let unknown_kind = install.seal_payload("abolish", 1, vec![0xa0]);
        let unknown_version = install.seal_payload("note", 999, vec![0xa0]);
        let malformed = install.seal_payload("note", 1, vec![0xff, 0x00]);
        let receipt = ReceivePhoto {
            sha256: Digest([1; 32]),
        };
        let servers_own = install.seal(now(), hazard, Action::ReceivePhoto(receipt));
        let mut forged = install.seal_note(now(), hazard, "forged");
        forged.signature.0[0] ^= 1;
        let mut unchained = install.seal_note(now(), hazard, "from another chain");
        unchained.previous = Digest([9; 32]);
        let commands = vec![
            report,
            unknown_kind,
            unknown_version,
            malformed,
            servers_own,
            forged,
            unchained,
        ];
        let response = install.push(commands.clone());
        let reasons: Vec<Option<QuarantineReason>> =
            response.results.iter().map(quarantined).collect();
        assert_eq!(
            reasons,
            [
                None,
                Some(QuarantineReason::UnknownKind),
                Some(QuarantineReason::UnknownVersion),
                Some(QuarantineReason::MalformedPayload),
                Some(QuarantineReason::UnknownKind),
                Some(QuarantineReason::BadSignature),
                Some(QuarantineReason::BrokenChain),
            ]
        );
        assert_eq!((response.last, response.expected), (7, None));
        // The same again gets the same again; another command under a used number does not pass for the first one.
        assert_eq!(install.push(commands.clone()).results, response.results);
        let mut other = commands[0].clone();
        other.payload.0.push(0);
        assert_eq!(
            install.push(vec![other]).results,
            [PushResult::IdReused { seq: 1 }]
        );
        let mut early = commands[0].clone();
        early.seq = 100;
        assert_eq!(install.push(vec![early]).expected, Some(8));
        let seen = site
            .employee
            .get(&format!("/api/v1/hazards/{hazard}"))
            .expect_status(&[200])
            .json();
        assert_eq!(seen["version"], 1);
        assert_eq!(seen["notes"].as_array().unwrap().len(), 0);
    }
}

fn quarantined(result: &PushResult) -> Option<QuarantineReason> {
    match result {
        PushResult::Receipt(receipt) => match &receipt.outcome {
            Outcome::Quarantined { reason, .. } => Some(*reason),
            Outcome::Applied { .. } => None,
            other => panic!("{other:?}"),
        },
        PushResult::IdReused { seq } => panic!("{seq} is taken"),
    }
}
