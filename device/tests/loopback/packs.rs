//! The packs that a phone holds, told without a network.

use std::collections::BTreeMap;

use hazardloop_domain::pack::{Pack, read};
use hazardloop_sync_protocol::wire::{Record, RecordKind};
use serde_json::json;

use super::replica::*;
use super::*;

/// A pack as it is shipped.
pub fn shipped(name: &str) -> Pack {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/packs");
    let entries = std::fs::read_dir(folder.join(name)).unwrap();
    let files: BTreeMap<String, Vec<u8>> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    read(name, &files).unwrap()
}

/// Its records, as a pull brings them.
pub fn records(pack: &Pack) -> Vec<Record> {
    let head = record(RecordKind::Pack, pack.head.id().0, &pack.head);
    let criteria = pack.criteria();
    let criteria = criteria
        .iter()
        .map(|one| record(RecordKind::Criterion, one.id.0, one));
    let lists = pack.checklists();
    let lists = lists
        .iter()
        .map(|one| record(RecordKind::Checklist, one.id.0, one));
    std::iter::once(head).chain(criteria).chain(lists).collect()
}

#[test]
fn packs_say_what_they_hold_and_what_is_still_to_be_entered() {
    let phone = Phone::enrolled();
    let none = phone.told_in_chinese(&["packs"]);
    assert!(none.contains("请先 pull"), "{none}");
    let (trade, gas) = (shipped("industry-and-trade"), shipped("town-gas"));
    hold(&phone, [records(&trade), records(&gas)].concat());

    let (code, all) = phone.run(&["packs"]);
    assert_eq!(code, exit::DONE);
    assert_eq!(
        (&all[0]["name"], &all[1]["name"]),
        (&json!("industry-and-trade"), &json!("town-gas"))
    );
    let open = |pack: &Pack| {
        let criteria = pack.criteria();
        let open = criteria
            .iter()
            .filter(|one| !one.citability().may_be_picked());
        (criteria.len(), open.count())
    };
    for (shown, pack) in [(&all[0], &trade), (&all[1], &gas)] {
        let (criteria, to_be_entered) = open(pack);
        assert_eq!(shown["criteria"], json!(criteria));
        assert_eq!(shown["to_be_entered"], json!(to_be_entered));
        assert_eq!(
            shown["standards"].as_array().unwrap().len(),
            pack.head.standards.len()
        );
        let of_standards: u64 = shown["standards"]
            .as_array()
            .unwrap()
            .iter()
            .map(|standard| standard["criteria"].as_u64().unwrap())
            .sum();
        assert_eq!(of_standards, criteria as u64, "no criterion is left out");
    }
    let (_, gas_only) = phone.run(&["packs", "--sector", "town-gas"]);
    assert_eq!(gas_only.as_array().unwrap().len(), 1);
}

#[test]
fn one_pack_lists_its_standards_and_checklists_with_their_editions() {
    let phone = Phone::enrolled();
    let trade = shipped("industry-and-trade");
    hold(&phone, records(&trade));
    let shown = phone.shown_in_chinese(&["packs", "industry-and-trade"]);
    for standard in &trade.head.standards {
        assert!(
            shown.contains(&standard.number),
            "{}: {shown}",
            standard.number
        );
        for day in [standard.issued_on, standard.effective_from]
            .into_iter()
            .flatten()
        {
            assert!(shown.contains(&day.to_string()), "{day}: {shown}");
        }
    }
    for list in trade.checklists() {
        let heading = format!("{}@{}  {}", list.code, list.edition, list.zh);
        assert!(shown.contains(&heading), "{heading}: {shown}");
        assert!(
            shown.contains(&format!("{} 项", list.items.len())),
            "{shown}"
        );
    }
    let unknown = phone.told_in_chinese(&["packs", "astronomy"]);
    assert!(unknown.contains("本机没有这个行业包"), "{unknown}");
    let (_, english) = phone.run(&["packs", "--sector", "astronomy"]);
    assert_eq!(english, json!([]));
}
