//! Cases of people who answer for some sectors of a town.

use hazardloop_domain::access::{GrantScope, Role};
use hazardloop_domain::ids::HazardId;

use super::hub::{HubUnderTest, Phone, TRADE, hazard_id, outcomes};
use super::hub_world::{INSPECTOR, WORKER, firm, note, person, phone, report, town, world};
use crate::wire::{DropReason, Scope, ScopeCursor, ScopeUpdate, SectorName};

/// The sector of the third enterprise.
const CHEMICALS: &str = "危化品";
/// Answers for that sector of the first town alone.
const CHEMIST: u8 = 8;
/// Works in the third enterprise.
const OPERATOR: u8 = 9;

fn sector_scope(name: &str, of: u8) -> Scope {
    Scope::JurisdictionSector(town(of), SectorName::new(name).unwrap())
}

/// A hazard of each sector in the first town, and the phone of the inspector of one sector.
fn of_two_sectors(hub: &mut dyn HubUnderTest) -> (Phone, HazardId, HazardId) {
    world(hub);
    hub.add_enterprise_of(CHEMICALS, firm(3), town(1));
    let over = GrantScope::Enterprise(firm(3));
    hub.add_person(person(OPERATOR), Role::Employee, over);
    let over = GrantScope::Jurisdiction(town(1));
    hub.add_person_for(&[CHEMICALS], person(CHEMIST), Role::Inspector, over);
    for (who, number, at) in [(WORKER, 1, 1), (OPERATOR, 2, 3)] {
        let mut reporter = phone(hub, who);
        let reported = reporter.seal(hazard_id(number), report(hub, at));
        assert_eq!(outcomes(&reporter.push(hub, vec![reported])), ["applied"]);
    }
    (phone(hub, CHEMIST), hazard_id(1), hazard_id(2))
}

/// Their scope is the town's of that sector: what is of another is neither shown nor open to them, and cannot be asked
/// for. Whoever answers for the town as a whole holds both.
pub fn whoever_answers_for_some_sectors_holds_those_and_no_others(hub: &mut dyn HubUnderTest) {
    let (mut chemist, of_trade, of_chemicals) = of_two_sectors(hub);
    chemist.pull_until(hub, |phone| !phone.hazards().is_empty());
    let own = sector_scope(CHEMICALS, 1);
    assert_eq!(chemist.hazards(), [of_chemicals].into());
    assert_eq!(chemist.hazards_in(own), [(of_chemicals, 1)].into());
    let mut inspector = phone(hub, INSPECTOR);
    inspector.pull_until(hub, |phone| phone.hazards().len() == 2);
    assert!(inspector.scopes.contains_key(&Scope::Jurisdiction(town(1))));

    let notes = vec![
        chemist.seal(of_trade, note("他行业的")),
        chemist.seal(of_chemicals, note("本行业的")),
    ];
    let answer = chemist.push(hub, notes);
    assert_eq!(outcomes(&answer), ["rejected", "applied"]);
    chemist.pull_until(hub, |phone| phone.hazards_in(own)[&of_chemicals] == 2);
    assert_eq!(chemist.hazards(), [of_chemicals].into());

    for foreign in [sector_scope(TRADE, 1), Scope::Jurisdiction(town(1))] {
        let mut request = chemist.request(None);
        request.scopes.push(ScopeCursor {
            scope: foreign,
            cursor: None,
            checkpoint: None,
        });
        let answer = hub.pull(person(CHEMIST), request).unwrap();
        let of_it = answer.answers.iter().find(|one| one.scope == foreign);
        let dropped = ScopeUpdate::Drop {
            reason: DropReason::NoLongerYours,
        };
        assert_eq!(of_it.map(|one| &one.update), Some(&dropped), "{foreign}");
    }
}

/// And arrives in none of that town: its inspector of the sector is told to remove it.
pub fn an_enterprise_of_a_sector_that_moves_leaves_its_sectors_scope_too(
    hub: &mut dyn HubUnderTest,
) {
    let (mut chemist, _, _) = of_two_sectors(hub);
    let over = GrantScope::Jurisdiction(town(2));
    hub.add_person_for(&[CHEMICALS], person(10), Role::Inspector, over);
    hub.add_person_for(&[TRADE], person(11), Role::Inspector, over);
    let (mut there, mut beside) = (phone(hub, 10), phone(hub, 11));
    chemist.pull_until(hub, |phone| !phone.hazards().is_empty());
    hub.move_enterprise(firm(3), town(2));
    chemist.pull_until(hub, |phone| phone.hazards().is_empty());
    there.pull_until(hub, |phone| {
        phone.hazards_in(sector_scope(CHEMICALS, 2)).len() == 1
    });
    beside.pull_until(hub, |_| true);
    assert_eq!(beside.hazards(), [].into());
}
