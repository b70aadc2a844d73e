//! Nobody begins with standing roles in two districts, and nobody gives roles to themselves.

use super::*;

#[test]
fn an_account_begins_at_home_in_one_district() {
    each_world(|world| async move {
        let app = &world.app;
        let over = |id| terms(Role::Inspector, GrantScope::Jurisdiction(id));
        let with = |number, login: &str, grants: Vec<Terms>| PersonRequest {
            grants,
            ..request(
                number,
                login,
                Role::Inspector,
                GrantScope::Jurisdiction(EAST),
            )
        };
        let admin = id_of("city-admin");
        let both = with(1, "both", vec![over(EAST), over(WEST)]);
        assert_eq!(code(create(app, admin, both).await), "INVALID grants");
        let in_part = with(2, "in-part", vec![over(EAST_TOWN), over(WEST)]);
        assert_eq!(code(create(app, admin, in_part).await), "INVALID grants");
        // A town of the same district, the city above both, and an enterprise anywhere are at home.
        let firm = terms(Role::Employee, GrantScope::Enterprise(EAST_FIRM));
        let near = with(3, "near", vec![over(EAST), over(EAST_TOWN)]);
        create(app, admin, near).await.unwrap();
        let above = with(4, "above", vec![over(CITY), over(EAST)]);
        create(app, admin, above).await.unwrap();
        let beside = with(5, "beside", vec![over(WEST), firm]);
        create(app, admin, beside).await.unwrap();
    });
}

#[test]
fn nobody_gives_roles_to_themselves() {
    each_world(|world| async move {
        let app = &world.app;
        let over_east = GrantScope::Jurisdiction(EAST);
        let new = new_grant(1, Role::Inspector, over_east);
        for login in ["city-admin", "east-admin", "east-inspector", "worker"] {
            let me = id_of(login);
            let answer = grant(app, me, me, new.clone()).await;
            assert_eq!(code(answer), "FORBIDDEN", "{login}");
        }
        let other = id_of("east-admin");
        grant(app, id_of("city-admin"), other, new).await.unwrap();
    });
}
