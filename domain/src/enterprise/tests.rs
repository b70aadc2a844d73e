//! Old records still read, new ones read back, and what a field may hold.

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::time::LocalDate;

/// An enterprise as this program wrote it before there was a file: keys 0 to 7 alone.
#[derive(Encode)]
#[cbor(map)]
struct Before {
    #[n(0)]
    id: EnterpriseId,
    #[n(1)]
    name: String,
    #[n(2)]
    credit_code: Option<String>,
    #[n(3)]
    jurisdiction_id: JurisdictionId,
    #[n(4)]
    sector: String,
    #[n(5)]
    address: Option<String>,
    #[n(6)]
    position: Option<Position>,
    #[n(7)]
    version: i64,
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn plain() -> Enterprise {
    Enterprise {
        id: EnterpriseId(id(1)),
        name: "某某家具有限公司".to_owned(),
        credit_code: Some("91500153MA00T0005Y".to_owned()),
        jurisdiction_id: JurisdictionId(id(2)),
        sector: "工贸".to_owned(),
        address: None,
        position: None,
        version: 3,
        profile: EnterpriseProfile::default(),
    }
}

/// Every field filled in.
fn full() -> Enterprise {
    let day = |year| LocalDate::new(date(year, 6, 30));
    let phone = |number: &str| Some(Phone(number.to_owned()));
    let text = |text: &str| Some(text.to_owned());
    let profile = EnterpriseProfile {
        short_name: text("某某家具"),
        legal_rep: text("陈一"),
        principal: Some(Contact {
            name: "王二".to_owned(),
            phone: phone("13800000001"),
        }),
        actual_controller: text("陈一"),
        safety_director: text("李三"),
        safety_manager: Some(SafetyManager {
            name: "赵四".to_owned(),
            phone: phone("023-46700000 转 12"),
            certificate_no: text("渝安B0001"),
        }),
        chief_engineer: text("孙五"),
        industry_code: text("C2110"),
        subsectors: vec!["粉尘涉爆".to_owned(), "有限空间".to_owned()],
        size_class: Some(SizeClass::AboveScale),
        employee_count: Some(120),
        division_code: text("500153003000"),
        grid_id: Some(JurisdictionId(id(3))),
        licences: vec![Licence {
            kind: "排污许可证".to_owned(),
            number: "P-1".to_owned(),
            valid_to: Some(day(2028)),
        }],
        standardization_level: Some(StandardizationLevel::Third),
        insurance: Some(Insurance {
            number: "A-1".to_owned(),
            valid_to: Some(day(2027)),
            insurer: text("某保险"),
        }),
        major_source_level: Some(MajorSourceLevel::None),
        supervising_dept: text("区经信委"),
        admin_level: Some(AdminLevel::District),
        risk_level: Some(RiskLevel::Orange),
        credit_class: text("B"),
        status: OperatingStatus::Suspended,
        related_parties: vec![RelatedParty {
            name: "某某物流".to_owned(),
            credit_code: None,
            kind: RelatedPartyKind::Tenant,
            from: Some(day(2025)),
            to: Some(day(2026)),
        }],
        supervision_plan: text("每季检查一次除尘系统"),
    };
    Enterprise { profile, ..plain() }
}

#[test]
fn a_record_from_before_there_was_a_file_reads_as_one_with_an_empty_file() {
    let Enterprise {
        id,
        name,
        credit_code,
        jurisdiction_id,
        sector,
        address,
        position,
        version,
        profile: _,
    } = plain();
    let before = Before {
        id,
        name,
        credit_code,
        jurisdiction_id,
        sector,
        address,
        position,
        version,
    };
    let bytes = minicbor::to_vec(before).unwrap();
    assert_eq!(minicbor::decode::<Enterprise>(&bytes).unwrap(), plain());
    // The very bytes of such a record, so that no later build can change what it reads.
    assert_eq!(hex::encode(&bytes), KEPT);
}

/// [`plain`] as it was written before there was a file.
const KEPT: &str = "a6005000000000000000000000000000000001017818e69f90e69f90e5aeb6e585b7e69c89e99990e585ace58fb8027239313530303135334d4130305430303035590350000000000000000000000000000000020466e5b7a5e8b4b80703";

#[test]
fn a_full_record_reads_back_from_cbor_and_json() {
    let full = full();
    let bytes = minicbor::to_vec(&full).unwrap();
    assert_eq!(minicbor::decode::<Enterprise>(&bytes).unwrap(), full);
    let json = serde_json::to_value(&full).unwrap();
    assert_eq!(json["risk_level"], "orange");
    assert_eq!(json["principal"]["phone"], "13800000001");
    assert!(json.get("profile").is_none(), "one flat object: {json}");
    assert_eq!(serde_json::from_value::<Enterprise>(json).unwrap(), full);
    assert_eq!(full.check(), Ok(()));
    assert_eq!(plain().check(), Ok(()));
}

#[test]
fn debugging_output_holds_no_phone_number() {
    let shown = format!("{:?}", full());
    assert!(shown.contains("王二"));
    assert!(
        !shown.contains("13800000001") && !shown.contains("46700000"),
        "{shown}"
    );
}

fn faults(change: impl Fn(&mut Enterprise)) -> Vec<(String, FaultKind)> {
    let mut changed = full();
    change(&mut changed);
    let found = changed.faults().into_iter();
    found.map(|fault| (fault.field, fault.kind)).collect()
}

#[track_caller]
fn refused(field: &str, kind: FaultKind, change: impl Fn(&mut Enterprise)) {
    assert_eq!(faults(change), [(field.to_owned(), kind)]);
}

#[test]
fn every_field_has_a_form_and_a_limit() {
    let long = "长".repeat(501);
    refused("name", FaultKind::Blank, |e| e.name = " ".to_owned());
    refused("short_name", FaultKind::TooLong(500), |e| {
        e.profile.short_name = Some(long.clone());
    });
    refused("credit_class", FaultKind::Blank, |e| {
        e.profile.credit_class = Some(String::new());
    });
    refused("legal_rep", FaultKind::ControlCharacter, |e| {
        e.profile.legal_rep = Some("a\u{7}".to_owned());
    });
    refused("credit_code", FaultKind::TooLong(18), |e| {
        e.credit_code = Some("9".repeat(19));
    });
    for wrong in [
        "", "C", "C1", "C12345", "c2110", "U01", "2110", "C21a", "粉11",
    ] {
        refused("industry_code", FaultKind::IndustryCode, |e| {
            e.profile.industry_code = Some(wrong.to_owned());
        });
    }
    for wrong in ["500153", "50015300300０", "5001530030001"] {
        refused("division_code", FaultKind::DivisionCode, |e| {
            e.profile.division_code = Some(wrong.to_owned());
        });
    }
    refused("employee_count", FaultKind::TooBig(EMPLOYEES_MAX), |e| {
        e.profile.employee_count = Some(EMPLOYEES_MAX + 1);
    });
    refused("principal.phone", FaultKind::Phone, |e| {
        e.profile.principal.as_mut().unwrap().phone = Some(Phone("无".to_owned()));
    });
    refused("subsectors[1]", FaultKind::Twice, |e| {
        e.profile.subsectors = vec!["粉尘涉爆".to_owned(); 2];
    });
    refused("related_parties[0].to", FaultKind::Period, |e| {
        let party = &mut e.profile.related_parties[0];
        std::mem::swap(&mut party.from, &mut party.to);
    });
    refused("supervision_plan", FaultKind::TooLong(4_000), |e| {
        e.profile.supervision_plan = Some("策".repeat(4_001));
    });
}

#[test]
fn lists_are_counted_and_the_whole_record_is_weighed() {
    let tags = |count| (0..count).map(|number: usize| number.to_string()).collect();
    assert!(faults(|e| e.profile.subsectors = tags(SUBSECTORS_MAX)).is_empty());
    refused("subsectors", FaultKind::TooMany(SUBSECTORS_MAX), |e| {
        e.profile.subsectors = tags(SUBSECTORS_MAX + 1);
    });
    let licences = |e: &mut Enterprise, count| {
        e.profile.licences = vec![e.profile.licences[0].clone(); count];
    };
    assert!(faults(|e| licences(e, LICENCES_MAX)).is_empty());
    refused("licences", FaultKind::TooMany(LICENCES_MAX), |e| {
        licences(e, LICENCES_MAX + 1)
    });
    let parties = |e: &mut Enterprise, count, name: &str| {
        let party = &mut e.profile.related_parties[0];
        party.name = name.to_owned();
        e.profile.related_parties = vec![party.clone(); count];
    };
    assert!(faults(|e| parties(e, RELATED_PARTIES_MAX, "厂")).is_empty());
    let too_many = FaultKind::TooMany(RELATED_PARTIES_MAX);
    refused("related_parties", too_many, |e| {
        parties(e, RELATED_PARTIES_MAX + 1, "厂")
    });
    let too_large = FaultKind::RecordTooLarge(RECORD_BYTES_MAX);
    refused("record", too_large, |e| parties(e, 60, &"名".repeat(500)));
}

#[test]
fn several_faults_are_all_found_and_worded_in_both_languages() {
    let found = faults(|e| {
        e.name = String::new();
        e.profile.industry_code = Some("?".to_owned());
        e.profile.division_code = Some("?".to_owned());
    });
    assert_eq!(found.len(), 3);
    for (_, kind) in found {
        assert!(kind.zh().chars().any(|c| c > '\u{4e00}'));
        assert!(!kind.en().is_empty() && !kind.code().is_empty());
    }
}
