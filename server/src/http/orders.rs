//! Rectification orders over REST (责令限期整改指令书): those in force, and one as a document.

use actix_web::{HttpRequest, HttpResponse, get, route, web};
use hazardloop_domain::access::Certificate;
use hazardloop_domain::command::{CriterionRef, ExpertOpinion, Grade, OrderSuspension, Served};
use hazardloop_domain::hazard::{Authority, Deadline, Extension, Hazard, StatusName};
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId, PersonId};
use hazardloop_domain::time::{LocalDate, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{DeviceMayBeRevoked, Hidden, SignedIn, Unreadable, WithParameters};
use super::auth::Caller;
use super::body::{StrictPath, StrictQuery};
use super::paging::{self, Cursor};
use super::problem::Problem;
use super::versions::{HeldVersion, answer_unless_held};
use crate::app::App;
use crate::usecases::catalog::Snapshot;
use crate::usecases::read::hazards::Filters;
use crate::usecases::read::orders::{self, Issued, Orders};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(read_one);
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OrderQuery {
    /// Grade of the hazard.
    grade: Option<Grade>,
    /// To this enterprise.
    enterprise_id: Option<EnterpriseId>,
    /// Of this jurisdiction and everything below it; outside of the caller's own: nothing.
    jurisdiction_id: Option<JurisdictionId>,
    /// Whether the due date has passed by now.
    overdue: Option<bool>,
    /// Where the page begins, as `next` of the page before said; of the same filters.
    after: Option<Cursor>,
    /// Records at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// An order as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
struct OrderSummary {
    /// The hazard that it is about; an order is read under its id.
    hazard_id: HazardId,
    /// The number by which people quote the hazard.
    #[schema(example = "HZ-261122-0000007Z")]
    hazard_number: String,
    /// The enterprise that it is addressed to, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise_id: Option<EnterpriseId>,
    /// Its name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise_name: Option<String>,
    /// Who answers for the place.
    jurisdiction_id: JurisdictionId,
    /// Grade of the hazard.
    grade: Grade,
    /// Where the hazard stands.
    status: StatusName,
    /// Who set it: a department, or the enterprise itself over a general hazard that it found.
    authority: Authority,
    /// 整改要求.
    requirement: String,
    /// 整改责任人.
    responsible_person: String,
    /// When the server recorded it.
    issued_at: Timestamp,
    /// The first formal deadline.
    due_date_original: LocalDate,
    /// The deadline in force.
    due_date: LocalDate,
    /// Whether it has passed.
    overdue: bool,
    /// Whole days since it passed; 0 where it has not.
    days_overdue: i64,
}

fn days_overdue(hazard: &Hazard, due_date: LocalDate, now: Timestamp) -> i64 {
    if hazard.is_overdue(now) {
        due_date.days_until(now.shanghai_date()).max(0)
    } else {
        0
    }
}

impl OrderSummary {
    fn of(hazard: &Hazard, orders: &Orders, now: Timestamp) -> Option<Self> {
        let order = hazard.order()?;
        let name = hazard.enterprise_id.and_then(|id| orders.names.get(&id.0));
        Some(Self {
            hazard_id: hazard.id,
            hazard_number: hazard.number.clone(),
            enterprise_id: hazard.enterprise_id,
            enterprise_name: name.cloned(),
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
            days_overdue: days_overdue(hazard, order.due_date, now),
        })
    }
}

/// One page of orders.
#[derive(Debug, Serialize, ToSchema)]
struct OrderPage {
    /// The orders. A page may be short, or empty, before the end: what counts is `next`.
    items: Vec<OrderSummary>,
    /// Send it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Cursor>)]
    next: Option<String>,
}

/// List rectification orders
///
/// 责令限期整改指令书 in force, of hazards that the caller may see: the earliest due first, and so overdue ones on
/// top. Those of closed hazards are read one by one.
#[utoipa::path(
    tag = "orders",
    operation_id = "listOrders",
    params(OrderQuery),
    responses(
        (status = 200, description = "One page", body = OrderPage),
        SignedIn, Unreadable, DeviceMayBeRevoked, WithParameters,
    ),
    security(("bearer" = []))
)]
#[get("/orders")]
async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: StrictQuery<OrderQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.0;
    let wanted = paging::wanted(query.after, query.limit, &app.settings.http)?;
    let filters = Filters {
        grade: query.grade,
        enterprise_id: query.enterprise_id,
        jurisdiction_id: query.jurisdiction_id,
        overdue: query.overdue,
        ..Filters::default()
    };
    let now = app.clock.now();
    let orders = orders::list(&app, caller.person_id, filters, wanted, now).await?;
    let items = orders.page.items.iter();
    Ok(HttpResponse::Ok().json(OrderPage {
        items: items
            .filter_map(|hazard| OrderSummary::of(hazard, &orders, now))
            .collect(),
        next: orders.page.next.map(|key| Cursor(key).to_string()),
    }))
}

/// To whom an order is addressed.
#[derive(Debug, Serialize, ToSchema)]
struct Addressee {
    /// The enterprise.
    enterprise_id: EnterpriseId,
    /// Its name.
    name: String,
    /// 统一社会信用代码.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_code: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

/// Who signed an order.
#[derive(Debug, Serialize, ToSchema)]
struct SignatoryView {
    /// Who.
    person_id: PersonId,
    /// Their name now.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// 执法证: the certificate that was valid when the order was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate>,
}

/// The law or standard that an order rests on.
#[derive(Debug, Serialize, ToSchema)]
struct LegalBasis {
    /// The criterion in its edition.
    criterion: CriterionRef,
    /// 文号.
    number: String,
    /// Title of the standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    title_zh: Option<String>,
    /// Where in it.
    clause: String,
    /// What it says, in our own words, Chinese.
    zh: String,
    /// The same in English.
    en: String,
    /// `full_text`: may be cited with document, number and clause. `clause_only`: a pointer to the clause.
    /// `not_citable`: no legal basis any more.
    #[schema(
        pattern = "^(full_text|clause_only|not_citable)$",
        example = "full_text"
    )]
    citability: &'static str,
}

/// A rectification order.
#[derive(Debug, Serialize, ToSchema)]
struct OrderView {
    /// The hazard that it is about.
    hazard_id: HazardId,
    /// The number by which people quote it.
    hazard_number: String,
    /// Version of the hazard; the ETag.
    version: i64,
    /// Grade of the hazard.
    grade: Grade,
    /// Where the hazard stands.
    status: StatusName,
    /// Who set it.
    authority: Authority,
    /// Who answers for the place.
    jurisdiction_id: JurisdictionId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuing_body: Option<String>,
    /// 主管部门, once named.
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    /// To whom; absent while nobody knows the enterprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    addressee: Option<Addressee>,
    /// 整改责任单位, where it is not the enterprise itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    responsible_unit: Option<String>,
    /// 整改责任人.
    responsible_person: String,
    /// 存在问题: what is wrong.
    fact: String,
    /// Place within the site.
    place_text: String,
    /// The criterion that it cites.
    #[serde(skip_serializing_if = "Option::is_none")]
    legal_basis: Option<LegalBasis>,
    /// The basis in words where no criterion fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<String>,
    /// 专家意见.
    #[serde(skip_serializing_if = "Option::is_none")]
    expert_opinion: Option<ExpertOpinion>,
    /// 整改要求.
    requirement: String,
    /// The first formal deadline; figures count by it.
    due_date_original: LocalDate,
    /// The deadline in force.
    due_date: LocalDate,
    /// How the deadline in force was counted, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Deadline>,
    /// Applications for a later due date, oldest first.
    extensions: Vec<Extension>,
    /// Whether the deadline in force has passed and the hazard is not closed.
    overdue: bool,
    /// Whole days since it passed; 0 where it has not.
    days_overdue: i64,
    /// 停用范围: what must stand still, while it must.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspension: Option<OrderSuspension>,
    /// When the server recorded it.
    issued_at: Timestamp,
    /// Who signed it, the first inspector first.
    signatories: Vec<SignatoryView>,
    /// How the enterprise took it: signed or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    served: Option<Served>,
    /// The principal declared the hazard major: until the department has acknowledged a plan, the due date is
    /// the enterprise's own word.
    self_declared: bool,
}

fn legal_basis(issued: &Issued, catalog: &Snapshot) -> Option<LegalBasis> {
    let criterion = issued.criterion.as_ref()?;
    Some(LegalBasis {
        criterion: issued.hazard.criterion.clone()?,
        number: criterion.number.clone(),
        title_zh: catalog
            .standard(criterion)
            .map(|standard| standard.title_zh.clone()),
        clause: criterion.clause.clone(),
        zh: criterion.zh.clone(),
        en: criterion.en.clone(),
        citability: criterion.citability().as_str(),
    })
}

impl OrderView {
    fn of(issued: Issued, catalog: &Snapshot) -> Self {
        let legal_basis = legal_basis(&issued, catalog);
        let Issued {
            hazard,
            order,
            asked_at,
            ..
        } = issued;
        let signatories = issued.signatories.into_iter().map(|by| SignatoryView {
            person_id: by.person_id,
            name: by.name,
            certificate: by.certificate,
        });
        let addressee = issued.addressee.map(|enterprise| Addressee {
            enterprise_id: enterprise.id,
            name: enterprise.name,
            credit_code: enterprise.credit_code,
            address: enterprise.address,
        });
        Self {
            hazard_id: hazard.id,
            version: hazard.version,
            grade: hazard.grade,
            status: hazard.status_name(),
            authority: order.authority,
            jurisdiction_id: hazard.jurisdiction_id,
            issuing_body: issued.issuing_body.map(|body| body.name),
            addressee,
            legal_basis,
            overdue: hazard.is_overdue(asked_at),
            days_overdue: days_overdue(&hazard, order.due_date, asked_at),
            suspension: hazard
                .suspension
                .as_ref()
                .filter(|_| hazard.is_suspended())
                .map(|suspension| suspension.order.clone()),
            hazard_number: hazard.number,
            department: hazard.department,
            responsible_unit: order.responsible_unit,
            responsible_person: order.responsible_person,
            fact: order.fact.unwrap_or(hazard.description),
            place_text: hazard.place_text,
            basis: order.basis,
            expert_opinion: order.expert_opinion,
            requirement: order.requirement,
            due_date_original: order.due_date_original,
            due_date: order.due_date,
            deadline: order.deadline,
            extensions: hazard.extensions,
            issued_at: order.confirmed_at,
            signatories: signatories.collect(),
            served: order.served,
            self_declared: order.self_declared,
        }
    }
}

/// Read a rectification order
///
/// As the document that it is: fact, basis, requirement, deadline, who signed and how it was served. Its ETag is the
/// version of the hazard; names and `overdue` follow from the time of asking.
#[utoipa::path(
    tag = "orders",
    operation_id = "readOrder",
    params(
        ("id" = HazardId, Path, description = "The hazard that it is about"),
        HeldVersion,
    ),
    responses(
        (status = 200, description = "The order", body = OrderView,
            headers(("ETag" = String, description = "The hazard's version in quotes"))),
        (status = 304, description = "The caller holds this version"),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[route("/orders/{id}", method = "GET", method = "HEAD")]
async fn read_one(
    app: web::Data<App>,
    caller: Caller,
    http: HttpRequest,
    id: StrictPath<HazardId>,
) -> Result<HttpResponse, Problem> {
    let issued = orders::one(&app, caller.person_id, id.0).await?;
    let version = issued.hazard.version;
    let catalog = app.catalog.now();
    Ok(answer_unless_held(&http, version, || {
        OrderView::of(issued, &catalog)
    }))
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;
