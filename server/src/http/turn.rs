//! The turn of a request: waited for before its body is read, and held until all the work that it began is over.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::held::{self, Held};

/// Has what a request holds go with its work. A body that is being sent is work, too.
///
/// # Errors
/// Those of the service behind it.
pub(super) async fn hold(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let held = Held::default();
    request.extensions_mut().insert(held.clone());
    held::during(held, next.call(request)).await
}

/// What the request holds.
///
/// # Errors
/// 500 where [`hold`] does not stand before the route.
pub(super) fn held(request: &HttpRequest) -> Result<Held, Failure> {
    let held = request.extensions().get::<Held>().cloned();
    held.ok_or_else(|| Failure::Internal("nothing holds the turns of this route".to_owned()))
}

/// Somebody waits for their turn while this is there.
pub(super) struct Waits(#[allow(dead_code, reason = "dropping it tells")] watch::Sender<()>);

#[derive(Clone)]
struct Comes(watch::Receiver<()>);

/// Notes that the request has to wait for its turn, until the answer is dropped.
pub(super) fn waits(request: &HttpRequest) -> Waits {
    let (waits, comes) = watch::channel(());
    request.extensions_mut().insert(Comes(comes));
    Waits(waits)
}

/// Returns when the request waits for no turn, or no more. For whoever reads a body: what waits takes no memory.
/// Extractors are made before any of them is polled, so their order does not matter.
pub(super) async fn came(request: &HttpRequest) {
    let comes = request.extensions().get::<Comes>().cloned();
    if let Some(Comes(mut comes)) = comes {
        // It never changes; it ends.
        while comes.changed().await.is_ok() {}
    }
}
