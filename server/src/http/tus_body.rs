//! Bodies of parts on their way to the disk: bounded, not too slow, and kept when the sender goes.

use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt as _;
use hazardloop_domain::ids::PersonId;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::pace::{Pace, Paced, TooSlow};
use crate::app::App;
use crate::failure::Failure;
use crate::held;
use crate::usecases::upload::{self, Append, Appended, BodyPart};

/// Pieces of a body that may wait for the disk; a piece is what one read of the connection gave.
const WAITING_PIECES: usize = 4;
/// Bytes of a refused body that are still read, so that its sender gets to read the answer.
const DRAINED_BYTES: usize = 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Appends the body. The work is a task of its own: the framework drops a handler whose client has
/// gone, and what had come by then must still be flushed and counted.
pub(super) async fn receive(
    app: &App,
    person: PersonId,
    id: Uuid,
    part: Append,
    payload: web::Payload,
) -> Result<Appended, Failure> {
    let (pieces, body) = mpsc::channel(WAITING_PIECES);
    let shared = app.clone();
    let work = held::spawn(async move { upload::append(&shared, person, id, part, body).await });
    let pace = Pace::of(&app.settings.http);
    let (done, ()) = tokio::join!(work, pump(payload, pieces, pace));
    done.unwrap_or_else(|error| Err(Failure::Internal(error.to_string())))
}

/// Hands a body on, as long as it comes fast enough. Returning early without [`BodyPart::End`]
/// tells the receiver that it was cut.
async fn pump(payload: web::Payload, pieces: mpsc::Sender<BodyPart>, pace: Pace) {
    let mut body = Paced::new(payload, pace);
    loop {
        let piece = match body.next().await {
            Ok(Some(Ok(bytes))) => BodyPart::Bytes(bytes),
            Ok(Some(Err(_))) => return,
            Ok(None) => {
                let _told = pieces.send(BodyPart::End).await;
                return;
            }
            Err(TooSlow) => {
                // A receiver that has gone has given its answer.
                let _told = pieces.send(BodyPart::TooSlow).await;
                return;
            }
        };
        if pieces.send(piece).await.is_err() {
            return drain(body.rest()).await;
        }
    }
}

pub(super) async fn drain(mut payload: web::Payload) {
    let rest = async {
        let mut drained = 0;
        while let Some(Ok(bytes)) = payload.next().await {
            drained += bytes.len();
            if drained > DRAINED_BYTES {
                break;
            }
        }
    };
    // When the time is over, the answer goes out all the same.
    let _in_time = tokio::time::timeout(DRAIN_TIME, rest).await;
}
