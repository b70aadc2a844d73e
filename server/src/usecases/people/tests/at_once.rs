//! The same request, sent many times at once, is one request.

use super::*;

#[test]
fn the_same_grant_sent_many_times_at_once_is_given_once() {
    each_world(|world| async move {
        let worker = id_of("worker");
        for number in 1..6 {
            let new = new_grant(
                number,
                Role::SafetyOfficer,
                GrantScope::Enterprise(EAST_FIRM),
            );
            let sent: Vec<_> = (0..8)
                .map(|_| {
                    let (app, new) = (world.app.clone(), new.clone());
                    tokio::spawn(async move { grant(&app, id_of("east-admin"), worker, new).await })
                })
                .collect();
            let mut made = 0;
            for answer in sent {
                let (granted, created) = answer.await.unwrap().unwrap();
                assert_eq!(granted.id, new.id);
                made += usize::from(created);
            }
            assert_eq!(made, 1);
        }
    });
}

#[test]
fn the_same_person_sent_many_times_at_once_is_added_once() {
    each_world(|world| async move {
        for number in 1..6 {
            let login = format!("new-{number}");
            let scope = GrantScope::Jurisdiction(EAST_TOWN);
            let new = request(number, &login, Role::Inspector, scope);
            let sent: Vec<_> = (0..8)
                .map(|_| {
                    let (app, new) = (world.app.clone(), new.clone());
                    tokio::spawn(async move { create(&app, id_of("east-admin"), new).await })
                })
                .collect();
            let mut made = 0;
            for answer in sent {
                let (person, created) = answer.await.unwrap().unwrap();
                assert_eq!(person.id, new.id);
                made += usize::from(created);
            }
            assert_eq!(made, 1);
            let mut taken = request(number + 50, &login, Role::Inspector, scope);
            taken.name = "别人".to_owned();
            assert_eq!(
                code(create(&world.app, id_of("east-admin"), taken).await),
                "CONFLICT"
            );
        }
    });
}
