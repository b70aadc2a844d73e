//! The enterprises on this device, with what helps where there is no network.

use hazardloop_domain::enterprise::{Enterprise, OperatingStatus};
use serde_json::json;

use super::args::Language;
use super::find;
use super::show::Answer;
use super::words::say;
use crate::driver::Device;

pub(super) fn enterprises(device: &Device, lang: Language) -> Answer {
    let all = find::enterprises(device);
    let lines = all.iter().flat_map(|firm| lines_of(firm, lang)).collect();
    Answer {
        json: json!(all),
        lines,
    }
}

/// One line to find it by, and below it what somebody needs who has no network: whom to call, where
/// it is, how dangerous it is.
fn lines_of(enterprise: &Enterprise, lang: Language) -> Vec<String> {
    let profile = &enterprise.profile;
    let short = profile.short_name.as_ref();
    let short = short.map_or_else(String::new, |name| format!("（{name}）"));
    let Enterprise { id, name, .. } = enterprise;
    let first = format!("{id}  {name}{short}  {}", enterprise.sector);
    let principal = profile.principal.as_ref().map(|principal| {
        let phone = principal.phone.as_ref();
        let phone = phone.map_or_else(String::new, |phone| format!(" {}", phone.0));
        format!("{}{phone}", principal.name)
    });
    let status = Some(profile.status).filter(|status| *status != OperatingStatus::default());
    let known: Vec<String> = [
        profile
            .risk_level
            .map(|level| say(lang, level.zh(), level.as_str()).to_owned()),
        status.map(|status| say(lang, status.zh(), status.as_str()).to_owned()),
        principal,
        enterprise.address.clone(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let below = format!("    {}", known.join("  "));
    let below = (!known.is_empty()).then_some(below);
    std::iter::once(first).chain(below).collect()
}

#[cfg(test)]
mod tests {
    use hazardloop_domain::enterprise::{Contact, EnterpriseProfile, Phone, RiskLevel};
    use hazardloop_domain::ids::{EnterpriseId, JurisdictionId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_enterprise_shows_whom_to_call_where_it_is_and_how_dangerous() {
        let mut firm = Enterprise {
            id: EnterpriseId(Uuid::from_u128(1)),
            name: "某某家具有限公司".to_owned(),
            credit_code: None,
            jurisdiction_id: JurisdictionId(Uuid::from_u128(2)),
            sector: "工贸".to_owned(),
            address: None,
            position: None,
            version: 1,
            profile: EnterpriseProfile::default(),
        };
        let id = firm.id;
        assert_eq!(
            lines_of(&firm, Language::Zh),
            [format!("{id}  某某家具有限公司  工贸")]
        );
        firm.address = Some("工业园一路 8 号".to_owned());
        firm.profile = EnterpriseProfile {
            short_name: Some("某家具".to_owned()),
            principal: Some(Contact {
                name: "王二".to_owned(),
                phone: Some(Phone("13800000001".to_owned())),
            }),
            risk_level: Some(RiskLevel::Red),
            status: OperatingStatus::Suspended,
            ..EnterpriseProfile::default()
        };
        let lines = [
            format!("{id}  某某家具有限公司（某家具）  工贸"),
            "    红  停产  王二 13800000001  工业园一路 8 号".to_owned(),
        ];
        assert_eq!(lines_of(&firm, Language::Zh), lines);
    }
}
