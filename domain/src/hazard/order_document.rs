//! A rectification order (责令限期整改指令书) as people read it: a line of a list, and the document that it is. An
//! order is part of its hazard; the names that it needs besides come from whoever shows it.

use serde::{Deserialize, Serialize};

use super::{Authority, Deadline, Extension, Hazard, Order, StatusName};
use crate::access::{Certificate, Grant, Place, Role};
use crate::command::{CriterionRef, ExpertOpinion, Grade, OrderSuspension, Served};
use crate::enterprise::Enterprise;
use crate::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use crate::pack::Criterion;
use crate::time::{LocalDate, Timestamp};

/// An order as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderSummary {
    /// The hazard that it is about; an order is read under its id.
    pub hazard_id: HazardId,
    /// The number by which people quote the hazard.
    #[cfg_attr(feature = "openapi", schema(example = "HZ-261122-0000007Z"))]
    pub hazard_number: String,
    /// The enterprise that it is addressed to, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<EnterpriseId>,
    /// Its name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_name: Option<String>,
    /// Who answers for the place.
    pub jurisdiction_id: JurisdictionId,
    /// Grade of the hazard.
    pub grade: Grade,
    /// Where the hazard stands.
    pub status: StatusName,
    /// Who set it: a department, or the enterprise itself over a general hazard that it found.
    pub authority: Authority,
    /// 整改要求.
    pub requirement: String,
    /// 整改责任人.
    pub responsible_person: String,
    /// When the server recorded it.
    pub issued_at: Timestamp,
    /// The first formal deadline.
    pub due_date_original: LocalDate,
    /// The deadline in force.
    pub due_date: LocalDate,
    /// Whether it has passed.
    pub overdue: bool,
    /// Whole days since it passed; 0 where it has not.
    pub days_overdue: i64,
}

impl OrderSummary {
    /// The order over this hazard as it stands at `now`; `None`: there is none.
    pub fn of(hazard: &Hazard, enterprise_name: Option<String>, now: Timestamp) -> Option<Self> {
        let order = hazard.issued_order()?;
        Some(Self {
            hazard_id: hazard.id,
            hazard_number: hazard.number.clone(),
            enterprise_id: hazard.enterprise_id,
            enterprise_name,
            jurisdiction_id: hazard.jurisdiction_id,
            grade: hazard.grade,
            status: hazard.status_name(),
            authority: order.authority,
            requirement: order.requirement.clone(),
            responsible_person: order.responsible_person.clone(),
            issued_at: order.confirmed_at,
            due_date_original: order.due_date_original,
            due_date: order.due_date,
            overdue: hazard.is_overdue(now),
            days_overdue: hazard.days_overdue(now),
        })
    }
}

/// To whom an order is addressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Addressee {
    /// The enterprise.
    pub enterprise_id: EnterpriseId,
    /// Its name.
    pub name: String,
    /// 统一社会信用代码.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl From<Enterprise> for Addressee {
    fn from(enterprise: Enterprise) -> Self {
        Self {
            enterprise_id: enterprise.id,
            name: enterprise.name,
            credit_code: enterprise.credit_code,
            address: enterprise.address,
        }
    }
}

/// Who signed an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = SignatoryView))]
pub struct Signatory {
    /// Who.
    pub person_id: PersonId,
    /// Their name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 执法证: the certificate that was valid when the order was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// The law or standard that an order rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LegalBasis {
    /// The criterion in its edition.
    pub criterion: CriterionRef,
    /// 文号.
    pub number: String,
    /// Title of the standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title_zh: Option<String>,
    /// Where in it.
    pub clause: String,
    /// What it says, in our own words, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// `full_text`: may be cited with document, number and clause. `clause_only`: a pointer to the clause.
    /// `not_citable`: no legal basis any more.
    #[cfg_attr(
        feature = "openapi",
        schema(
            pattern = "^(full_text|clause_only|not_citable)$",
            example = "full_text"
        )
    )]
    pub citability: &'static str,
}

impl LegalBasis {
    /// The basis that `criterion` is, of the standard with this title.
    pub fn of(criterion: &Criterion, title_zh: Option<String>) -> Self {
        Self {
            criterion: criterion.reference(),
            number: criterion.number.clone(),
            title_zh,
            clause: criterion.clause.clone(),
            zh: criterion.zh.clone(),
            en: criterion.en.clone(),
            citability: criterion.citability().as_str(),
        }
    }
}

/// What the record of a hazard does not say of its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The name of [`Order::issued_in()`].
    pub issuing_body: Option<String>,
    /// The enterprise.
    pub addressee: Option<Addressee>,
    /// Those of [`Order::signed_by`], in that order.
    pub signatories: Vec<Signatory>,
    /// The criterion that it cites, in the edition that it cites.
    pub legal_basis: Option<LegalBasis>,
}

/// A rectification order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = OrderView))]
pub struct OrderDocument {
    /// The hazard that it is about.
    pub hazard_id: HazardId,
    /// The number by which people quote it.
    pub hazard_number: String,
    /// Version of the hazard; the ETag.
    pub version: i64,
    /// Grade of the hazard.
    pub grade: Grade,
    /// Where the hazard stands.
    pub status: StatusName,
    /// Who set it.
    pub authority: Authority,
    /// Who answers for the place.
    pub jurisdiction_id: JurisdictionId,
    /// Who answered for it when the order was issued.
    pub issuing_jurisdiction_id: JurisdictionId,
    /// The name of that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuing_body: Option<String>,
    /// 主管部门, once named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// To whom; absent while nobody knows the enterprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addressee: Option<Addressee>,
    /// 整改责任单位, where it is not the enterprise itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible_unit: Option<String>,
    /// 整改责任人.
    pub responsible_person: String,
    /// 存在问题: what is wrong.
    pub fact: String,
    /// Place within the site.
    pub place_text: String,
    /// The criterion that it cites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<LegalBasis>,
    /// The basis in words where no criterion fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// 专家意见.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expert_opinion: Option<ExpertOpinion>,
    /// 整改要求.
    pub requirement: String,
    /// The first formal deadline; figures count by it.
    pub due_date_original: LocalDate,
    /// The deadline in force.
    pub due_date: LocalDate,
    /// How the deadline in force was counted, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Deadline>,
    /// Applications for a later due date, oldest first.
    pub extensions: Vec<Extension>,
    /// Whether the deadline in force has passed and the hazard is not closed.
    pub overdue: bool,
    /// Whole days since it passed; 0 where it has not.
    pub days_overdue: i64,
    /// 停用范围: what must stand still, while it must.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspension: Option<OrderSuspension>,
    /// When the server recorded it.
    pub issued_at: Timestamp,
    /// Who signed it, the first inspector first.
    pub signatories: Vec<Signatory>,
    /// How the enterprise took it: signed or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
    /// The principal declared the hazard major: until the department has acknowledged a plan, the due date is
    /// the enterprise's own word.
    pub self_declared: bool,
}

impl OrderDocument {
    /// `order` over `hazard` as it stands at `now`.
    pub fn of(hazard: &Hazard, order: &Order, named: Named, now: Timestamp) -> Self {
        let suspension = hazard.suspension.as_ref().filter(|_| hazard.is_suspended());
        Self {
            hazard_id: hazard.id,
            hazard_number: hazard.number.clone(),
            version: hazard.version,
            grade: hazard.grade,
            status: hazard.status_name(),
            authority: order.authority,
            jurisdiction_id: hazard.jurisdiction_id,
            issuing_jurisdiction_id: order.issued_in(hazard),
            issuing_body: named.issuing_body,
            department: hazard.department.clone(),
            addressee: named.addressee,
            responsible_unit: order.responsible_unit.clone(),
            responsible_person: order.responsible_person.clone(),
            fact: order.fact_over(hazard).to_owned(),
            place_text: hazard.place_text.clone(),
            legal_basis: named.legal_basis,
            basis: order.basis.clone(),
            expert_opinion: order.expert_opinion.clone(),
            requirement: order.requirement.clone(),
            due_date_original: order.due_date_original,
            due_date: order.due_date,
            deadline: order.deadline.clone(),
            extensions: hazard.extensions.clone(),
            overdue: hazard.is_overdue(now),
            days_overdue: hazard.days_overdue(now),
            suspension: suspension.map(|suspension| suspension.order.clone()),
            issued_at: order.confirmed_at,
            signatories: named.signatories,
            served: order.served.clone(),
            self_declared: order.self_declared,
        }
    }
}

impl Order {
    /// Who signed it, the first inspector first.
    pub fn signed_by(&self) -> impl Iterator<Item = PersonId> {
        std::iter::once(self.confirmed_by).chain(self.second)
    }

    /// The jurisdiction that answered for the place when it was issued.
    pub fn issued_in(&self, hazard: &Hazard) -> JurisdictionId {
        self.issued_in.unwrap_or(hazard.jurisdiction_id)
    }

    /// 存在问题 as it was issued with; orders of earlier builds keep none of their own, and say what their
    /// hazard says.
    pub fn fact_over<'a>(&'a self, hazard: &'a Hazard) -> &'a str {
        self.fact.as_deref().unwrap_or(&hazard.description)
    }
}

impl Hazard {
    /// Whole days since its due date passed; 0 where it has not, or nobody waits any more.
    pub fn days_overdue(&self, now: Timestamp) -> i64 {
        match self.order().filter(|_| self.is_overdue(now)) {
            Some(order) => order.due_date.days_until(now.shanghai_date()).max(0),
            None => 0,
        }
    }
}

/// The certificate by which somebody with these grants acted as an inspector at `at`: of a grant over the place,
/// where there is one.
pub fn certificate_at<'a>(
    grants: impl Iterator<Item = &'a Grant>,
    place: &Place,
    at: Timestamp,
) -> Option<Certificate> {
    let held = grants.filter(|grant| grant.role == Role::Inspector && grant.holds_at(at));
    let valid = |grant: &&Grant| {
        let certificate = grant.certificate.as_ref();
        certificate.is_some_and(|certificate| certificate.is_valid_at(at))
    };
    let by_place = |grant: &&Grant| !grant.covers(place);
    let grant = held.filter(valid).min_by_key(by_place)?;
    grant.certificate.clone()
}
