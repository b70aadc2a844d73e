//! What networks really answer: portals, proxies, cut bodies, expired tokens, 413.

use super::*;

#[test]
fn a_report_made_offline_arrives_and_is_shown_as_arrived() {
    let phone = Phone::enrolled();
    phone.server.mishap(Mishap::Refuse);
    let id = phone.report("配电箱无门");
    assert_eq!(phone.run(&["sync"]).0, exit::UNREACHABLE);
    assert_eq!(phone.on_device(), 1, "work is kept");
    let (code, answer) = phone.run(&["sync"]);
    assert_eq!(code, exit::DONE, "{answer}");
    assert_eq!(phone.server.accepted().len(), 1);
    let (_, queue) = phone.run(&["queue"]);
    assert_eq!(queue["arrived"][0]["hazard_id"], id.as_str());
    assert_eq!(queue["on_device"].as_array().unwrap().len(), 0);
}

#[test]
fn what_is_not_our_server_settles_nothing() {
    for mishap in [
        Mishap::Portal,
        Mishap::PortalRedirect,
        Mishap::BadGateway,
        Mishap::Truncated,
        Mishap::WrongType,
        Mishap::Garbage,
    ] {
        let phone = Phone::enrolled();
        phone.report("a");
        phone.server.mishap(mishap);
        let (code, answer) = phone.run(&["push"]);
        assert_eq!(code, exit::UNREACHABLE, "{mishap:?} {answer}");
        assert_eq!(phone.on_device(), 1, "{mishap:?}");
        assert_eq!(phone.run(&["push"]).0, exit::DONE, "{mishap:?}");
        assert_eq!(phone.on_device(), 0, "{mishap:?}");
        assert_eq!(phone.server.accepted().len(), 1, "{mishap:?}");
    }
}

#[test]
fn an_expired_token_is_renewed_within_the_run() {
    let phone = Phone::enrolled();
    phone.report("a");
    phone.server.mishap(Mishap::ExpiredToken);
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.on_device(), 0);
    assert_eq!(phone.server.refreshes(), 1);
}

#[test]
fn a_renewal_whose_answer_is_lost_costs_nothing() {
    let phone = Phone::enrolled();
    phone.report("a");
    phone.server.mishap(Mishap::ExpiredToken);
    phone.server.mishap(Mishap::Truncated);
    assert_eq!(phone.run(&["push"]).0, exit::UNREACHABLE);
    assert_eq!(phone.on_device(), 1);
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.on_device(), 0);
}

#[test]
fn a_session_that_ended_asks_for_enrolment_and_keeps_the_queue() {
    let phone = Phone::enrolled();
    phone.report("a");
    phone.server.mishap(Mishap::ExpiredToken);
    phone.server.mishap(Mishap::ExpiredToken);
    assert_eq!(phone.run(&["push"]).0, exit::ATTENTION);
    assert_eq!(phone.on_device(), 1);
    let before = phone.run(&["status"]).1["install_id"].clone();
    assert_eq!(phone.enroll("li").0, exit::DONE);
    assert_eq!(
        phone.run(&["status"]).1["install_id"],
        before,
        "the same install goes on"
    );
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
}

#[test]
fn a_413_halves_the_batch() {
    let phone = Phone::enrolled();
    for n in 0..5 {
        phone.report(&format!("report {n}"));
    }
    phone.server.mishap(Mishap::TooLarge);
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    assert_eq!(phone.server.batches(), [5, 2, 3]);
    assert_eq!(phone.server.accepted().len(), 5);
}

#[test]
fn a_server_that_hangs_keeps_nobody_from_queueing() {
    let phone = Phone::enrolled();
    phone.report("before");
    let (has_come, go) = phone.server.hang();
    std::thread::scope(|scope| {
        let sync = scope.spawn(|| phone.run(&["sync"]));
        has_come.recv().unwrap();
        let (told, tells) = std::sync::mpsc::channel();
        let phone = &phone;
        scope.spawn(move || {
            let (code, second) = phone.run(&["sync"]);
            assert!(second["error"].as_str().unwrap().contains("try later"));
            assert_eq!(
                code,
                exit::UNREACHABLE,
                "one at a time speaks to the server"
            );
            phone.report("while the server hangs");
            told.send(phone.on_device()).unwrap();
        });
        let queued = tells.recv_timeout(std::time::Duration::from_secs(60));
        go.send(()).unwrap();
        let (code, answer) = sync.join().unwrap();
        assert_eq!(queued, Ok(2), "both are on the device meanwhile");
        assert_eq!(code, exit::DONE, "{answer}");
        assert_eq!(
            answer["settled"],
            serde_json::json!([1, 2]),
            "the same run took both"
        );
    });
    assert_eq!(phone.on_device(), 0);
    assert_eq!(phone.server.accepted().len(), 2);
}

#[test]
fn what_no_record_shows_yet_stays_beyond_the_number_to_be_kept() {
    let phone = Phone::enrolled();
    for n in 0..5 {
        phone.report(&format!("report {n}"));
    }
    assert_eq!(phone.run(&["push"]).0, exit::DONE);
    let arrived = |phone: &Phone| phone.run(&["status"]).1["arrived"].as_u64().unwrap();
    assert_eq!(arrived(&phone), 5, "kept for 30 days");
    phone.report("behind them");
    let line = ["push", "--keep-commands", "2"];
    assert_eq!(phone.run(&line).0, exit::DONE);
    // The scripted server never shows them in a record: they are still shown on top.
    assert_eq!(arrived(&phone), 6, "what no record shows yet stays");
    assert_eq!(phone.server.accepted().len(), 6);
}

#[test]
fn a_device_killed_at_any_request_loses_nothing_and_doubles_nothing() {
    for nth in 0..6 {
        let phone = Phone::enrolled();
        let file = phone.jpeg("a.jpg", 200_000);
        let line = ["report", "--text", "a", "--place", "b", "--photo", &file];
        assert_eq!(phone.run(&line).0, exit::DONE);
        phone.report("second");
        (0..nth).for_each(|_| phone.server.mishap(Mishap::None));
        let (has_come, go) = phone.server.hang();
        let program = env!("CARGO_BIN_EXE_hazardloop-device");
        let mut sync = std::process::Command::new(program)
            .args(["--json", "sync", "--keep-commands", "0", "--home"])
            .arg(phone.home.path())
            .arg("--key-dir")
            .arg(phone.keys.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        has_come.recv().unwrap();
        // SIGKILL while it waits for the answer; the server does what it was asked all the same.
        sync.kill().unwrap();
        sync.wait().unwrap();
        go.send(()).unwrap();
        let (code, answer) = phone.run(&["sync", "--keep-commands", "0"]);
        assert_eq!(code, exit::DONE, "request {nth}: {answer}");
        assert_eq!(phone.server.accepted().len(), 2, "request {nth}");
        assert_eq!(phone.server.uploaded(), std::fs::read(&file).unwrap());
        let (_, status) = phone.run(&["status"]);
        assert_eq!(
            (&status["on_device"], &status["needs_attention"]),
            (&0.into(), &0.into())
        );
    }
}
