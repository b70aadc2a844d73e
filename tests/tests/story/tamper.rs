//! Somebody with the database's password rewrites history; `audit verify` names what was touched.

use std::process::Command;

use hazardloop_tests::postgres::psql;
use hazardloop_tests::process::{described, run};

use super::actors::Stage;

/// Runs one statement on an SQLite file. Python's own library, since no other client is needed to build or test.
const PYTHON: &str = "import sqlite3, sys\n\
    with sqlite3.connect(sys.argv[1]) as connection:\n    connection.execute(sys.argv[2])\n\
    connection.close()\n";

/// Runs one statement on a database.
pub fn execute(url: &str, statement: &str) {
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let mut python = Command::new("python3");
            python.args(["-c", PYTHON, path, statement]);
            let output = run(python);
            assert!(output.status.success(), "{}", described(&output));
        }
        None => psql(url, statement).unwrap(),
    }
}

/// Changes, and then removes, an event; each time the check must fail and say which.
pub fn tamper_with_an_event(stage: &Stage) {
    let url = stage.server.database_url();
    let sqlite = url.starts_with("sqlite");
    let kept = stage.audit_head();
    let whole = "SELECT tx, ordinal FROM events WHERE kind = 'noted' ORDER BY tx, ordinal LIMIT 1";
    // The last byte of the body: a letter of the note or of what follows it.
    let changed = if sqlite {
        "UPDATE events SET body = CAST(substr(body, 1, length(body) - 1) || x'21' AS BLOB)"
    } else {
        "UPDATE events SET body = set_byte(body, length(body) - 1, 33)"
    };
    execute(url, &format!("{changed} WHERE (tx, ordinal) IN ({whole})"));
    finds(stage, "Changed");
    execute(
        url,
        &format!("DELETE FROM events WHERE (tx, ordinal) IN ({whole})"),
    );
    finds(stage, "Removed");
    // Who removes the end of the chain as well is found by the head that was kept elsewhere.
    execute(url, "DELETE FROM audit_chain WHERE position > 3");
    let output = stage
        .server
        .task(&["audit", "verify", "--kept-head", &kept]);
    assert_eq!(output.status.code(), Some(3), "{}", described(&output));
}

fn finds(stage: &Stage, fault: &str) {
    let output = stage.server.task(&["audit", "verify"]);
    let printed = described(&output);
    assert_eq!(output.status.code(), Some(3), "{printed}");
    assert!(
        printed
            .lines()
            .any(|line| line.starts_with(&format!("{fault}:"))),
        "{printed}"
    );
}
