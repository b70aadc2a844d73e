//! `GET /hazards/{id}/recurrences`: what looks like the same hazard again.

use actix_web::{HttpResponse, get, web};
use hazardloop_domain::hazard::Likeness;
use hazardloop_domain::ids::HazardId;
use hazardloop_domain::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answers::{DeviceMayBeRevoked, Hidden, SignedIn, Unreadable};
use super::auth::Caller;
use super::body::StrictPath;
use super::hazard_views::HazardSummary;
use super::problem::Problem;
use crate::app::App;
use crate::usecases::read::recurrences::{self, Alike};

/// Adds the routes of this file.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_all);
}

/// A hazard that looks like another, and by what.
#[derive(Debug, Serialize, ToSchema)]
struct AlikeView {
    /// The hazard.
    hazard: HazardSummary,
    /// What they have in common, beside the enterprise.
    likeness: Likeness,
    /// When it was closed, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Timestamp>,
}

impl AlikeView {
    fn all(alike: &[Alike], now: Timestamp) -> Vec<Self> {
        let view = |alike: &Alike| Self {
            hazard: HazardSummary::of(&alike.hazard, now),
            likeness: alike.likeness,
            closed_at: alike.hazard.closed_at(),
        };
        alike.iter().map(view).collect()
    }
}

/// What a hazard may repeat, and what may repeat it.
#[derive(Debug, Serialize, ToSchema)]
struct RecurrencesView {
    /// Closed hazards that it looks like again, closed last first.
    earlier: Vec<AlikeView>,
    /// Hazards that look like it again, found last first; only of one that is closed.
    later: Vec<AlikeView>,
}

/// Read what looks like a recurrence of a hazard
///
/// Of the same enterprise, by the same criterion or of the same category, at the same risk point where both name one,
/// found within so many months (a setting) after the other was closed. A suggestion: people decide, by `recurrence_of`
/// of a report or by `reopen`. The newest hazards of the enterprise are looked through, as many as a setting says.
#[utoipa::path(
    tag = "hazards",
    operation_id = "readRecurrences",
    params(("id" = HazardId, Path, description = "The hazard")),
    responses(
        (status = 200, description = "What looks alike", body = RecurrencesView),
        SignedIn, Unreadable, DeviceMayBeRevoked, Hidden,
    ),
    security(("bearer" = []))
)]
#[get("/hazards/{id}/recurrences")]
async fn read_all(
    app: web::Data<App>,
    caller: Caller,
    id: StrictPath<HazardId>,
) -> Result<HttpResponse, Problem> {
    let found = recurrences::of(&app, caller.person_id, id.0).await?;
    let now = app.clock.now();
    Ok(HttpResponse::Ok().json(RecurrencesView {
        earlier: AlikeView::all(&found.earlier, now),
        later: AlikeView::all(&found.later, now),
    }))
}
