//! Rectification orders over REST (责令限期整改指令书): those in force, and one as a document.

use actix_web::{HttpRequest, HttpResponse, get, route, web};
use hazardloop_domain::command::Grade;
use hazardloop_domain::hazard::{
    Addressee, Hazard, LegalBasis, Named, OrderDocument, OrderSummary,
};
use hazardloop_domain::ids::{EnterpriseId, HazardId, JurisdictionId};
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
use crate::usecases::read::orders::{self, Issued};

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
    let summary = |hazard: &Hazard| {
        let name = hazard.enterprise_id.and_then(|id| orders.names.get(&id.0));
        OrderSummary::of(hazard, name.cloned(), now)
    };
    Ok(HttpResponse::Ok().json(OrderPage {
        items: orders.page.items.iter().filter_map(summary).collect(),
        next: orders.page.next.map(|key| Cursor(key).to_string()),
    }))
}

fn document(issued: Issued, catalog: &Snapshot) -> OrderDocument {
    let basis = issued.criterion.as_ref().map(|criterion| {
        let standard = catalog.standard(criterion);
        LegalBasis::of(
            criterion,
            standard.map(|standard| standard.title_zh.clone()),
        )
    });
    let named = Named {
        issuing_body: issued.issuing_body.map(|body| body.name),
        addressee: issued.addressee.map(Addressee::from),
        signatories: issued.signatories,
        legal_basis: basis,
    };
    OrderDocument::of(&issued.hazard, &issued.order, named, issued.asked_at)
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
        (status = 200, description = "The order", body = OrderDocument,
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
        document(issued, &catalog)
    }))
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;
