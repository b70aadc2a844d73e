//! What the audit says of co-signatures that are kept with events.

use diesel::RunQueryDsl as _;

use super::*;
use crate::store::StoreError;
use crate::test_support::seal_everything;
use crate::usecases::audit::{self, Fault};

/// What the audit finds, of one fault.
fn found(server: &TestServer) -> Vec<String> {
    seal_everything(&server.app.db);
    let report = audit::verify(&server.app.db, None).unwrap();
    let unfit = |finding: audit::Finding| {
        assert_eq!(finding.fault, Fault::CoSignatureUnfit, "{finding:?}");
        finding.detail
    };
    report.findings.into_iter().map(unfit).collect()
}

fn tamper(server: &TestServer, statement: &'static str) {
    let changed = server.app.db.write_blocking(move |tx| {
        Ok::<_, StoreError>(diesel::sql_query(statement).execute(tx.conn())?)
    });
    assert_eq!(changed.unwrap(), 1, "{statement}");
}

#[test]
fn a_co_signature_that_no_longer_fits_is_named() {
    on_each_database(async |server| {
        let mut site = Site::of(&server).await;
        let by = signed_by(&site.second);
        let major = confirm(Grade::Major);
        assert!(site.push(hazard_id(1), major, &[by]).await.took_effect());
        let noted = Action::Note(Note {
            text: "看过".to_owned(),
        });
        assert!(site.push(hazard_id(1), noted, &[]).await.took_effect());
        // A key that is revoked goes on verifying what it signed before.
        let second = site.second.install_id;
        devices::revoke(&server.app, person("inspector2"), second, "lost")
            .await
            .unwrap();
        assert_eq!(found(&server), Vec::<String>::new());
        // What was signed is another command than the one that is kept.
        tamper(
            &server,
            "UPDATE pushed_commands SET kind = 'note', payload = (SELECT other.payload \
             FROM pushed_commands AS other WHERE other.seq = 2) WHERE seq = 1",
        );
        let [other] = found(&server).try_into().unwrap();
        assert!(other.contains("not over the command that came"), "{other}");
        tamper(
            &server,
            "UPDATE pushed_commands SET payload = previous_hash WHERE seq = 1",
        );
        let [unread] = found(&server).try_into().unwrap();
        assert!(unread.contains("cannot be read"), "{unread}");
        // The key of somebody else in the place of theirs.
        tamper(
            &server,
            "UPDATE installs SET public_key = (SELECT other.public_key FROM installs AS other \
             WHERE other.last_seq = 2) WHERE last_seq = 0",
        );
        let [_, unfit] = found(&server).try_into().unwrap();
        assert!(unfit.contains("does not fit its key"), "{unfit}");
    });
}
