//! Rectification orders (责令限期整改指令书): what stands, by which basis, what is to be done and by when, who ordered
//! it and how the enterprise took it. An order is part of its hazard; here it is read as the document that it is.

use std::collections::BTreeMap;

use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::hazard::{Hazard, Order as Decided, Signatory, certificate_at};
use hazardloop_domain::ids::{HazardId, PersonId};
use hazardloop_domain::jurisdiction::Jurisdiction;
use hazardloop_domain::pack::Criterion;
use hazardloop_domain::time::Timestamp;
use uuid::Uuid;

use super::hazard::visible;
use super::hazards::{self, Filters, Order};
use super::{Page, Wanted};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{Conn, jurisdictions, lists, packs, people, places};
use crate::usecases::execute::lineage;

/// An order with what a reader of the document must know.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued {
    /// The hazard, which has an order.
    pub hazard: Hazard,
    /// The order.
    pub order: Decided,
    /// Whose order it is: who answered for the place when it was issued.
    pub issuing_body: Option<Jurisdiction>,
    /// To whom it is addressed.
    pub addressee: Option<Enterprise>,
    /// The inspectors, the first one first.
    pub signatories: Vec<Signatory>,
    /// The criterion that it cites, in the edition that it cites.
    pub criterion: Option<Criterion>,
    /// When this was asked.
    pub asked_at: Timestamp,
}

/// The order over one hazard.
///
/// # Errors
/// [`Failure::NotFound`] when there is no such hazard, none for this person, or no order over it.
pub async fn one(app: &App, person_id: PersonId, id: HazardId) -> Result<Issued, Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let conn = tx.conn();
            let (hazard, _) = visible(conn, person_id, id, now)?;
            let Some(order) = hazard.issued_order().cloned() else {
                return Err(Failure::NotFound("order"));
            };
            let issuing_body = jurisdictions::one(conn, order.issued_in(&hazard))?;
            let addressee = match hazard.enterprise_id {
                Some(id) => places::enterprise(conn, id)?,
                None => None,
            };
            let criterion = match &hazard.criterion {
                Some(reference) => packs::criterion(conn, reference)?,
                None => None,
            };
            Ok(Issued {
                issuing_body: issuing_body.map(|node| node.node),
                addressee,
                signatories: signatories(conn, &hazard, &order)?,
                criterion,
                order,
                hazard,
                asked_at: now,
            })
        })
        .await
}

fn signatories(
    conn: &mut Conn,
    hazard: &Hazard,
    order: &Decided,
) -> Result<Vec<Signatory>, Failure> {
    let people: Vec<PersonId> = order.signed_by().collect();
    let ids: Vec<Vec<u8>> = people.iter().map(|id| id.as_bytes().to_vec()).collect();
    let mut names = lists::names_of_people(conn, &ids)?;
    // Also of whoever has left since: an order that was made stays as it is.
    let grants = people::grants_of(conn, &people)?;
    let place = hazard.place(lineage(conn, hazard.jurisdiction_id)?.ancestors);
    let signatory = |(person_id, id): (PersonId, Vec<u8>)| {
        let theirs = grants
            .iter()
            .filter(|placed| placed.person_id == person_id)
            .map(|placed| &placed.grant);
        Signatory {
            person_id,
            name: names.remove(&id),
            certificate: certificate_at(theirs, &place, order.confirmed_at),
        }
    };
    Ok(people.iter().copied().zip(ids).map(signatory).collect())
}

/// A page of orders, and the names of the enterprises that they are addressed to.
pub struct Orders {
    /// The hazards, each with an order.
    pub page: Page<Hazard>,
    /// By enterprise.
    pub names: BTreeMap<Uuid, String>,
}

/// The orders that are in force over hazards that `person_id` may see and that pass the filters, the earliest
/// due first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    app: &App,
    person_id: PersonId,
    filters: Filters,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Orders, Failure> {
    let page = hazards::list(app, person_id, filters, Order::Due, wanted, now).await?;
    let of: Vec<Uuid> = page
        .items
        .iter()
        .filter_map(|hazard| hazard.enterprise_id.map(|id| id.0))
        .collect();
    let names = app
        .db
        .read(move |tx| lists::enterprise_names(tx.conn(), &of))
        .await?;
    Ok(Orders { page, names })
}
