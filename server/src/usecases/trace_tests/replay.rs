//! The requests of a trace, asked of a server: pushes byte for byte as they came, pulls with the server's own cursors
//! in place of the simulated hub's.

use std::collections::BTreeMap;

use hazardloop_domain::ids::PersonId;
use hazardloop_simulation::trace::Event;
use hazardloop_sync_protocol::codec;
use hazardloop_sync_protocol::wire::{
    Bytes, PullRequest, PullResponse, PushRequest, PushResponse, Scope, ScopeCursor, ScopeUpdate,
    WireLimits,
};

use crate::app::App;
use crate::usecases::{pull, push};

/// What a server says to a request; a request that is refused as a whole, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Push(Result<PushResponse, String>),
    Pull(Result<PullResponse, String>),
}

impl Said {
    /// Without the bytes of cursors, which are each store's own.
    pub fn without_cursors(mut self) -> Self {
        if let Self::Pull(Ok(answer)) = &mut self {
            for answer in &mut answer.answers {
                if let ScopeUpdate::Page(page) = &mut answer.update {
                    page.cursor = Bytes(Vec::new());
                }
            }
        }
        self
    }
}

/// Where somebody stands at the server, for each cursor that the simulated hub gave them.
#[derive(Default)]
pub(super) struct Cursors(BTreeMap<(PersonId, Scope, Vec<u8>), ScopeCursor>);

impl Cursors {
    /// The pull as a device sends it that had its answers from this server.
    fn translate(&self, app: &App, by: PersonId, mut request: PullRequest) -> PullRequest {
        if request.epoch.is_some() {
            request.epoch = Some(app.epoch.clone());
        }
        for held in &mut request.scopes {
            let Some(theirs) = held.cursor.take() else {
                continue;
            };
            let ours = self.0.get(&(by, held.scope, theirs.0));
            held.cursor = ours.and_then(|ours| ours.cursor.clone());
            // A device says what it holds unless pages of it are staged.
            let ours = ours.and_then(|ours| ours.checkpoint);
            held.checkpoint = held.checkpoint.and(ours);
        }
        request
    }

    /// Notes where a pull has taken its sender here, under the cursors to which it took them there.
    fn learn(
        &mut self,
        by: PersonId,
        asked: &PullRequest,
        (theirs, ours): (&PullResponse, &PullResponse),
    ) {
        for answer in &theirs.answers {
            let ScopeUpdate::Page(page) = &answer.update else {
                continue;
            };
            let scope = answer.scope;
            let here = ours.answers.iter().find(|answer| answer.scope == scope);
            let stands = match here.map(|answer| &answer.update) {
                Some(ScopeUpdate::Page(page)) => Some(ScopeCursor {
                    scope,
                    cursor: Some(page.cursor.clone()),
                    checkpoint: page.checkpoint,
                }),
                Some(ScopeUpdate::Drop { .. }) => None,
                None => asked
                    .scopes
                    .iter()
                    .find(|held| held.scope == scope)
                    .cloned(),
            };
            if let Some(stands) = stands {
                let key = (by, scope, page.cursor.0.clone());
                self.0.insert(key, stands);
            }
        }
    }
}

fn read<T: for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> T {
    codec::decode_strict(bytes, WireLimits::default().depth).unwrap()
}

/// Whose request it is; `None`: it is none.
pub(super) fn sender(what: &Event) -> Option<PersonId> {
    match what {
        Event::Push { by, .. } | Event::Pull { by, .. } => Some(*by),
        _ => None,
    }
}

/// Asks the server what the simulated hub was asked. A pull changes nothing, and is asked again as long as `enough` is
/// not content: on PostgreSQL a transaction of another test may hold up what it could be told.
pub(super) async fn ask(
    app: &App,
    what: &Event,
    cursors: &mut Cursors,
    enough: impl Fn(&Said) -> bool,
) -> Option<Said> {
    match what {
        Event::Push { by, bytes, .. } => {
            let request: PushRequest = read(bytes);
            let answer = push::push(app, *by, request).await;
            Some(Said::Push(answer.map_err(|error| error.to_string())))
        }
        Event::Pull { by, bytes, answer } => {
            let asked = cursors.translate(app, *by, read(bytes));
            let said = pull_until(app, *by, &asked, enough).await;
            if let (Some(theirs), Ok(ours)) = (answer, &said) {
                cursors.learn(*by, &asked, (theirs, ours));
            }
            Some(Said::Pull(said))
        }
        _ => None,
    }
}

/// Far more pulls than any other test's transaction takes; then what is said is what there is.
const TRIES: u32 = 2_000;

async fn pull_until(
    app: &App,
    by: PersonId,
    asked: &PullRequest,
    enough: impl Fn(&Said) -> bool,
) -> Result<PullResponse, String> {
    let mut tries = 0;
    loop {
        let answer = pull::pull(app, by, asked.clone()).await;
        let answer = answer.map_err(|error| error.to_string());
        tries += 1;
        if tries >= TRIES || enough(&Said::Pull(answer.clone())) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}
