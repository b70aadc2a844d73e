//! A certificate is one account's: two accounts that act by one would count as two inspectors.

use hazardloop_domain::access::Certificate;

use super::*;

fn by(number: &str) -> Option<Certificate> {
    Some(Certificate {
        number: number.to_owned(),
        valid_to: "2030-12-31".parse().ok(),
    })
}

fn inspector(number: u16, login: &str, certificate: &str) -> PersonRequest {
    let mut new = request(
        number,
        login,
        Role::Inspector,
        GrantScope::Jurisdiction(EAST),
    );
    new.grants[0].certificate = by(certificate);
    new
}

#[test]
fn a_certificate_is_one_persons_however_it_is_written() {
    each_world(|world| async move {
        let (app, admin) = (&world.app, id_of("east-admin"));
        let first = inspector(1, "first", "渝A-0042");
        let (first, _) = create(app, admin, first).await.unwrap();
        for (number, written) in [
            (2, "渝A-0042"),
            (3, " 渝a-0042\u{3000}"),
            (4, "渝Ａ－００４２"),
        ] {
            let second = inspector(number, "second", written);
            let id = second.id;
            let refused = create(app, admin, second).await;
            assert_eq!(code(refused), "CERTIFICATE_TAKEN", "{written:?}");
            assert_eq!(version_of(app, id).await, 0, "nobody was added");
        }
        let over = |number, scope, certificate| {
            let mut new = new_grant(number, Role::Inspector, GrantScope::Jurisdiction(scope));
            new.terms.certificate = by(certificate);
            new
        };
        let other = id_of("east-inspector");
        let refused = grant(app, admin, other, over(5, EAST_TOWN, "渝A-0042")).await;
        assert_eq!(code(refused), "CERTIFICATE_TAKEN");
        let own = over(6, EAST_TOWN, "渝A-0042");
        grant(app, admin, first.id, own).await.unwrap();
        let next = over(7, EAST_TOWN, "渝A-0043");
        grant(app, admin, other, next).await.unwrap();

        // What was decided by a role that has ended stands: the certificate stays theirs.
        let held = one(app, admin, first.id).await.unwrap().grants;
        for ended in held.iter().filter(|grant| grant.role == Role::Inspector) {
            end_grant(app, admin, first.id, ended.id).await.unwrap();
        }
        let again = || inspector(8, "again", "渝A-0042");
        let refused = create(app, admin, again()).await;
        assert_eq!(code(refused), "CERTIFICATE_TAKEN");
        let stays = new_grant(9, Role::Employee, GrantScope::Enterprise(EAST_FIRM));
        grant(app, admin, first.id, stays).await.unwrap();
        disable(app, admin, first.id, "另立账号").await.unwrap();
        create(app, admin, again()).await.unwrap();
    });
}

#[test]
fn of_many_who_are_added_at_once_by_one_certificate_one_is() {
    each_world(|world| async move {
        for round in 0..6_u16 {
            let certificate = format!("渝B-{round:04}");
            let sent: Vec<_> = (0..6_u16)
                .map(|number| {
                    let number = 1 + round * 10 + number;
                    let new = inspector(number, &format!("new-{number}"), &certificate);
                    let app = world.app.clone();
                    tokio::spawn(async move { create(&app, id_of("east-admin"), new).await })
                })
                .collect();
            let mut added = 0;
            for answer in sent {
                match answer.await.unwrap() {
                    Ok(_) => added += 1,
                    refused => assert_eq!(code(refused), "CERTIFICATE_TAKEN"),
                }
            }
            assert_eq!(added, 1);
        }
    });
}
