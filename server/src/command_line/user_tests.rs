//! What the one who runs the server can do about accounts, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use clap::Parser;

use super::*;
use crate::command_line::keys::{self, KeysTask};
use crate::usecases::sign_in::test_support::{CITY, World, each_world, id_of, try_sign_in};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    task: UserTask,
}

/// What is said, or the error.
async fn say(world: &World, line: &str, input: &str) -> Result<String, String> {
    let words = line.split_whitespace().map(str::to_owned);
    let words: Vec<String> = std::iter::once("user".to_owned()).chain(words).collect();
    let task = Line::try_parse_from(words)
        .map_err(|error| error.to_string())?
        .task;
    let (app, input) = (world.app.clone(), input.to_owned());
    crate::held::blocking(move || {
        let context = Context {
            db: &app.db,
            sign_in: &app.settings.sign_in,
            people: &app.settings.people,
            now: app.clock.now(),
            entropy: &app.entropy,
        };
        let mut out = Vec::new();
        run(context, task, &mut input.as_bytes(), &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    })
    .await
    .unwrap()
}

#[test]
fn an_account_is_added_granted_given_a_password_and_disabled() {
    each_world(|world| async move {
        let app = &world.app;
        let over = CITY.0;
        let line = format!("add boss --name 老板 --grant administrator:{over}");
        let said = say(&world, &line, "").await.unwrap();
        let password = said.trim_end().rsplit(' ').next().unwrap();
        let signed_in = try_sign_in(app, "boss", password, "192.0.2.1")
            .await
            .unwrap();
        assert_eq!(signed_in.person.grants[0].role, Role::Administrator);
        let said = say(&world, &format!("grant boss inspector:{over}"), "")
            .await
            .unwrap();
        assert!(said.contains("inspector"), "{said}");
        let said = say(
            &world,
            "password boss --password-stdin",
            "another password\n",
        )
        .await;
        assert!(said.unwrap().contains("1 session(s) ended"));
        try_sign_in(app, "boss", "another password", "192.0.2.1")
            .await
            .unwrap();
        let listed = say(&world, "list", "").await.unwrap();
        assert_eq!(listed.lines().count(), 10);
        assert!(listed.contains(&format!(
            "\tboss\t老板\tactive\tadministrator:{over} inspector:{over}"
        )));
        say(&world, "disable boss --reason left", "").await.unwrap();
        assert!(
            try_sign_in(app, "boss", "another password", "192.0.2.1")
                .await
                .is_err()
        );
    });
}

#[test]
fn what_cannot_be_done_is_said() {
    each_world(|world| async move {
        let (over, worker) = (CITY.0, id_of("worker").0);
        for (line, input, why) in [
            (
                "disable nobody --reason left".to_owned(),
                "",
                "account not found",
            ),
            (
                "password worker --password-stdin".to_owned(),
                "short\n",
                "10 to 256",
            ),
            ("add worker --name x".to_owned(), "", "login"),
            (
                format!("add x --name x --grant king:{over}"),
                "",
                "the role is one of",
            ),
            (
                format!("add x --name x --grant inspector:{worker}"),
                "",
                "scope not found",
            ),
            ("grant worker inspector".to_owned(), "", "ROLE:UUID"),
        ] {
            let said = say(&world, &line, input).await.unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    });
}

#[test]
fn keys_are_rotated_by_name() {
    each_world(|world| async move {
        let app = world.app.clone();
        let old = app.sign_in.keys.signer().kid.clone();
        let rotating = crate::held::blocking(move || {
            let mut out = Vec::new();
            keys::run(
                &app.db,
                &app.clock,
                &app.entropy,
                &KeysTask::Rotate,
                &mut out,
            )
            .unwrap();
            String::from_utf8(out).unwrap()
        });
        assert!(rotating.await.unwrap().contains(&format!("retired: {old}")));
    });
}

#[test]
fn a_grant_may_be_limited_to_sectors_and_carry_a_certificate() {
    each_world(|world| async move {
        let over = CITY.0;
        let grants = format!("--grant inspector:{over} --grant expert:jurisdiction/{over}");
        let within = "--sector 工贸 --certificate A-1 --certificate-until 2027-01-31";
        let line = format!("add boss --name 老板 {grants} {within}");
        say(&world, &line, "").await.unwrap();
        let listed = say(&world, "list", "").await.unwrap();
        assert!(
            listed.contains(&format!("inspector:{over}[工贸]")),
            "{listed}"
        );
        for (line, expected) in [
            (
                format!("grant boss principal:jurisdiction/{over}"),
                "not held over",
            ),
            (
                format!("grant boss expert:{over} --temporary-reason 交叉"),
                "ends within",
            ),
            (
                format!("grant boss inspector:{over} --certificate-until 2027-01-31"),
                "--certificate",
            ),
            // Written otherwise, and another's all the same.
            (
                format!("grant worker inspector:{over} --certificate ａ-１"),
                "another person's",
            ),
            (
                format!("add x --name x --grant inspector:{over} --certificate a-1"),
                "another person's",
            ),
        ] {
            let refused = say(&world, &line, "").await.unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    });
}

/// More scopes than a device asks for in one pull would come in part, and never leave.
#[test]
fn nobody_is_given_roles_over_more_than_a_device_holds() {
    each_world(|world| async move {
        let over = CITY.0;
        let line = |lot: usize| {
            let names = (0..16).map(|number| format!("--sector sector-{lot}-{number}"));
            let names: Vec<String> = names.collect();
            format!("grant worker grid_worker:{over} {}", names.join(" "))
        };
        for lot in 0..7 {
            say(&world, &line(lot), "").await.unwrap();
        }
        let said = say(&world, &line(7), "").await.unwrap_err();
        assert!(said.contains("a device holds 128"), "{said}");
    });
}
