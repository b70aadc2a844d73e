//! Rows of the table: who answers for what, and the queue of what nobody answers for.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    rows! {
        readResponsibilities: OK, OK,
            |case| case.ask("GET", &format!("/jurisdictions/{}/responsibilities", town()));
        findResponsible: OK, OK, |case| {
            let path = format!("/jurisdictions/{}/responsibilities/answering", town());
            case.ask("GET", &format!("{path}?sector=town-gas"))
        };
        // Of a version that it never had: whoever may is told so, and nothing changes.
        setResponsibilities: but(all(403), &[SUPERVISOR, ADMINISTRATOR], 412), all(403), |case| {
            case.ask("PUT", &format!("/jurisdictions/{}/responsibilities", town()))
                .with("If-Match", "\"999\"")
                .json(&json!({"rows": [{"sector": "town-gas", "department": "某局"}]}))
        };
        // Whoever looks after other places sees what is theirs: see `unclaimed_tests`.
        listUnclaimed: but(all(403), &[SUPERVISOR, ADMINISTRATOR, HEAD], 200),
            but(all(403), &[SUPERVISOR, ADMINISTRATOR, HEAD], 200),
            |case| case.ask("GET", "/hazards/unclaimed");
    }
}
