//! What waits for somebody by name where it was filed waits for them in the successor.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::EnterpriseId;
use hazardloop_sync_protocol::wire::RecordKind;

use super::world::{Phone, account};
use super::*;
use crate::sample;
use crate::test_support::terms;

#[test]
fn an_inspector_of_a_dissolved_town_has_the_inspections_of_its_villages_in_the_successor() {
    in_small_lots(async |server| {
        let app = &server.app;
        let mut world = World::build(&server).await;
        let inspector = terms(Role::Inspector, GrantScope::Jurisdiction(world.old));
        let walker = account(app, "walker", vec![inspector]).await;
        let firm = EnterpriseId(sample::id("village firm"));
        let team = [walker, person("inspector1")];
        world.plan(app, 1_002, firm, &team).await;
        let mut phone = Phone::of(app, walker, 90).await;
        phone.pull(app).await;
        let tasks = |place| Scope::Tasks(walker, place, None);
        let waiting = phone.held_in(tasks(world.old));
        let kinds: Vec<RecordKind> = waiting.keys().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [RecordKind::Enterprise, RecordKind::Inspection]);

        world.merge(app).await.unwrap();
        while run_due(app).await.unwrap() > 0 {}
        phone.pull(app).await;
        assert_eq!(phone.held_in(tasks(world.successor)), waiting);
        assert!(phone.held_in(tasks(world.old)).is_empty());
    });
}
