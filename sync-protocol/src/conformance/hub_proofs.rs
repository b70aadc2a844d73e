//! The case of what is proven about the times of commands.

use hazardloop_domain::time_proof::ProofLevel;

use super::hub::{HubUnderTest, Phone, hazard_id};
use super::hub_world::{INSPECTOR, NEIGHBOUR, WORKER, another_phone, note, world};

/// Three phones without network, each of which has seen the one before; they come home in any order, the first of
/// them in two parts. All that anybody had seen is proven for the earliest time at which the hub could know.
pub fn what_others_had_seen_is_proven_however_it_arrives(hub: &mut dyn HubUnderTest) {
    world(hub);
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for (round, order) in orders.into_iter().enumerate() {
        let round = u8::try_from(round).unwrap();
        let people = [WORKER, INSPECTOR, NEIGHBOUR].into_iter().enumerate();
        let numbered = people.map(|(place, who)| {
            let number = 10 + round * 3 + u8::try_from(place).unwrap();
            another_phone(hub, who, number)
        });
        let mut phones: Vec<Phone> = numbered.collect();
        let id = hazard_id(200);
        // What becomes of a command does not matter: that it was there does.
        let mut first = vec![
            phones[0].seal(id, note("一")),
            phones[0].seal(id, note("二")),
        ];
        let shown = phones[0].head();
        let second = vec![phones[1].seal_witness(&shown)];
        first.push(phones[0].seal(id, note("三")));
        let shown = phones[1].head();
        let third = vec![phones[2].seal_witness(&shown)];
        let mut batches = [first, second, third];
        let home = hub.now();
        let at = |hours: i64| home.plus_millis(hours * 3_600_000);
        let mut arrived = [0; 3];
        for (place, which) in order.into_iter().enumerate() {
            let hours = 1 + i64::try_from(place).unwrap();
            arrived[which] = hours;
            hub.set_now(at(hours));
            let mut batch = std::mem::take(&mut batches[which]);
            let rest = batch.split_off(1);
            phones[which].push(hub, batch);
            if !rest.is_empty() {
                phones[which].push(hub, rest);
            }
        }
        // The third had seen the second, which had seen two commands of the first.
        let second = arrived[1].min(arrived[2]);
        let first = arrived[0].min(second);
        let expected = [
            (0, 1, first),
            (0, 2, first),
            (0, 3, arrived[0]),
            (1, 1, second),
            (2, 1, arrived[2]),
        ];
        for (which, seq, hours) in expected {
            let proof = hub.time_proof(phones[which].sent(seq));
            assert_eq!(proof.proven_at, Some(at(hours)), "{order:?}: {which} {seq}");
            assert_eq!(proof.received_at, Some(at(arrived[which])));
            let witnessed = hours < arrived[which];
            assert_eq!(proof.level == ProofLevel::Witnessed, witnessed);
        }
        hub.set_now(at(100));
    }
}
