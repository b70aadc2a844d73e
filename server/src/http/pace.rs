//! Bodies that come too slowly are not waited for; those that come slowly, over a slow link, are.

use std::pin::Pin;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::time::Sleep;

use crate::settings::HttpLimits;

/// So many bytes have to come within so long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    least: usize,
    within: Duration,
}

impl Pace {
    pub(super) fn of(limits: &HttpLimits) -> Self {
        Self {
            least: limits.body_least_bytes,
            within: Duration::from_secs(limits.body_timeout_s),
        }
    }
}

/// The body came more slowly than its [`Pace`].
#[derive(Clone, Copy, Debug)]
pub(super) struct TooSlow;

/// A body, as long as it keeps up.
pub(super) struct Paced<S> {
    payload: S,
    pace: Pace,
    came: usize,
    patience: Pin<Box<Sleep>>,
}

impl<S, E> Paced<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    pub(super) fn new(payload: S, pace: Pace) -> Self {
        Self {
            payload,
            pace,
            came: 0,
            patience: Box::pin(tokio::time::sleep(pace.within)),
        }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<S::Item>, TooSlow> {
        loop {
            tokio::select! {
                biased;
                next = self.payload.next() => {
                    if let Some(Ok(bytes)) = &next {
                        self.came = self.came.saturating_add(bytes.len());
                    }
                    return Ok(next);
                }
                () = &mut self.patience => {
                    if self.came < self.pace.least {
                        return Err(TooSlow);
                    }
                    self.came = 0;
                    self.patience.set(tokio::time::sleep(self.pace.within));
                }
            }
        }
    }

    /// What has not come yet.
    pub(super) fn rest(self) -> S {
        self.payload
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const PACE: Pace = Pace {
        least: 100,
        within: Duration::from_secs(60),
    };

    /// What comes of ten pieces of `bytes` bytes, each `seconds` after the one before; the clock is a paused one.
    fn ten_pieces(bytes: usize, seconds: u64) -> Result<usize, TooSlow> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(async {
            let pieces = futures_util::stream::iter(0..10).then(|_| async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok::<_, Infallible>(Bytes::from(vec![0; bytes]))
            });
            let (mut body, mut came) = (Paced::new(Box::pin(pieces), PACE), 0);
            while let Some(piece) = body.next().await? {
                came += piece.unwrap().len();
            }
            Ok(came)
        })
    }

    #[test]
    fn a_slow_link_is_waited_for_and_one_that_has_stalled_is_not() {
        assert_eq!(ten_pieces(100, 59).unwrap(), 1_000);
        assert_eq!(ten_pieces(34, 20).unwrap(), 340);
        ten_pieces(10, 59).unwrap_err();
        ten_pieces(1_000, 121).unwrap_err();
    }
}
