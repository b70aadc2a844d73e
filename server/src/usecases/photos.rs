//! Photos: who may see them, what is served, and the thumbnail that is made of each.

use std::io::Cursor;
use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hazardloop_domain::access::{Actor, Role};
use hazardloop_domain::command::Subject;
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::operations::Operation;
use hazardloop_domain::time::Timestamp;

use crate::app::App;
use crate::failure::Failure;
use crate::photos::exif::Metadata;
use crate::photos::inspect::{MediaType, PictureLimits};
use crate::photos::originals::{self, OriginalsError};
use crate::photos::thumbnail::{self, ThumbnailError};
use crate::settings::PhotoLimits;
use crate::store::jobs::{self, JobState};
use crate::store::photos::{self, StoredPhoto};
use crate::store::{Conn, command_photos, hazards, inspections, uploads};
use crate::usecases::quarantined;
use crate::usecases::reach::Reach;

/// The media type of every thumbnail.
pub const THUMBNAIL_TYPE: &str = "image/jpeg";
/// What shows a photo and is looked at in one statement.
const SHOWING_AT_ONCE: i64 = 50;
/// Seconds after which it makes sense to ask again for a thumbnail that is not made yet.
pub const THUMBNAIL_RETRY_S: u64 = 2;

/// Which form of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoSize {
    /// The bytes as they came.
    Original,
    /// The small copy.
    Thumbnail,
}

/// A photo, opened for its reader.
pub struct PhotoContent {
    /// Its media type, by content.
    pub media_type: String,
    /// Bytes of the whole.
    pub size: u64,
    /// The part that follows.
    pub range: Range<u64>,
    /// The bytes of that part.
    pub bytes: BoxStream<'static, Result<Bytes, Failure>>,
}

/// What there is to serve.
pub enum Served {
    /// This.
    Content(PhotoContent),
    /// The photo is here and its thumbnail is still to be made.
    NotYet,
    /// The photo is here and no thumbnail can be made of it.
    Never,
}

/// What decoders may do, by the settings.
pub fn picture_limits(limits: &PhotoLimits) -> PictureLimits {
    PictureLimits {
        pixels: limits.pixels,
        decode_bytes: limits.decode_bytes,
    }
}

/// The deduplication key of the job that makes a photo's thumbnail.
pub fn thumbnail_job_key(sha256: Digest) -> String {
    format!("thumbnail:{sha256}")
}

/// Opens a photo that `person` may see: one that they brought, or that a hazard or an inspection
/// in their scope shows.
///
/// # Errors
/// [`Failure::NotFound`] also for a photo that is here and not theirs to see.
pub async fn open(
    app: &App,
    person: PersonId,
    sha256: Digest,
    size: PhotoSize,
    range: Option<Range<u64>>,
) -> Result<Served, Failure> {
    let (photo, _) = visible(app, person, sha256).await?;
    let (key, media_type) = match size {
        PhotoSize::Original => (photo.object_key, photo.media_type),
        PhotoSize::Thumbnail if photo.thumbnail_at.is_some() => {
            let key = originals::thumbnail_key(sha256);
            (key, THUMBNAIL_TYPE.to_owned())
        }
        PhotoSize::Thumbnail => return unmade(app, &photo).await,
    };
    // A range that begins beyond the end is no range, as RFC 9110 allows.
    let range = range.filter(|range| range.start < photo.size);
    let opened = originals::open(&app.objects, &key, range)
        .await
        .map_err(internal)?;
    Ok(Served::Content(PhotoContent {
        media_type,
        size: opened.size,
        range: opened.range,
        bytes: opened.bytes.map(|part| part.map_err(internal)).boxed(),
    }))
}

/// What the camera wrote into a photo.
///
/// # Errors
/// [`Failure::NotFound`] as in [`open`]; [`Failure::Forbidden`] for those who may see the picture
/// only.
pub async fn metadata(app: &App, person: PersonId, sha256: Digest) -> Result<Metadata, Failure> {
    let (photo, rights) = visible(app, person, sha256).await?;
    if !rights.may_see_metadata() {
        let who = "for inspectors, reviewers, supervisors and whoever brought the photo";
        return Err(Failure::Forbidden(who.to_owned()));
    }
    serde_json::from_str(&photo.metadata).map_err(|error| Failure::Internal(error.to_string()))
}

async fn visible(
    app: &App,
    person: PersonId,
    sha256: Digest,
) -> Result<(StoredPhoto, Rights), Failure> {
    let now = app.clock.now();
    app.db
        .read(move |tx| {
            let photo = photos::find(tx.conn(), sha256)?;
            let rights = rights(tx.conn(), person, sha256, now)?;
            photo
                .filter(|_| rights.may_see())
                .map(|photo| (photo, rights))
                .ok_or(Failure::NotFound("photo"))
        })
        .await
}

/// What somebody is to a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rights {
    /// They brought it.
    brought_it: bool,
    /// The roles they hold over what shows it.
    roles: Vec<Role>,
    /// A command that could not be judged names it, and is theirs to settle.
    settles: bool,
}

impl Rights {
    /// Whether they may see the picture.
    fn may_see(&self) -> bool {
        self.brought_it || self.settles || !self.roles.is_empty()
    }

    /// Whether they may see what the camera wrote into it: place, time, device.
    fn may_see_metadata(&self) -> bool {
        let may = |role: &Role| Operation::ReadPhotoMetadata.roles().contains(role);
        self.brought_it || self.roles.iter().any(may)
    }
}

/// What `person` is to the photo `sha256` at `now`; all that it is, or as much as gives every right.
fn rights(
    conn: &mut Conn,
    person: PersonId,
    sha256: Digest,
    now: Timestamp,
) -> Result<Rights, Failure> {
    let mut rights = Rights {
        brought_it: uploads::brought(conn, person, sha256)?.is_some(),
        roles: Vec::new(),
        settles: false,
    };
    let reach = Reach::of(conn, person, now)?;
    let mut after = None;
    while !rights.may_see_metadata() {
        let showing = photos::shown_by(conn, sha256, after, SHOWING_AT_ONCE)?;
        after = showing.last().map(|subject| subject.id());
        if after.is_none() {
            break;
        }
        let (mut hazard_ids, mut inspection_ids) = (Vec::new(), Vec::new());
        for subject in showing {
            match subject {
                Subject::Hazard(id) => hazard_ids.push(id),
                Subject::Inspection(id) => inspection_ids.push(id),
            }
        }
        let mut seen_as = Vec::new();
        for loaded in hazards::load_all(conn, &hazard_ids)? {
            seen_as.extend(reach.seen(conn, &loaded.hazard)?.map(|seen| seen.onlooker));
        }
        for (inspection, _) in inspections::load_all(conn, &inspection_ids)? {
            seen_as.extend(reach.seen_inspection(conn, &inspection)?);
        }
        for actor in seen_as {
            if let Actor::Person { mut roles, .. } = actor {
                rights.roles.append(&mut roles);
            }
        }
    }
    if !rights.may_see() {
        let naming = command_photos::naming(conn, sha256, SHOWING_AT_ONCE)?;
        rights.settles = quarantined::settles_one_of(conn, person, &naming, now)?;
    }
    Ok(rights)
}

/// Whether a thumbnail is ever made of files of this type: documents and clips have none.
pub(super) fn has_thumbnail(media_type: &str) -> bool {
    MediaType::from_name(media_type).is_some_and(MediaType::is_picture)
}

async fn unmade(app: &App, photo: &StoredPhoto) -> Result<Served, Failure> {
    if !has_thumbnail(&photo.media_type) {
        return Ok(Served::Never);
    }
    let sha256 = photo.sha256;
    let key = thumbnail_job_key(sha256);
    let state = app.db.read(move |tx| jobs::state_of(tx.conn(), &key)).await;
    Ok(match state.map_err(Failure::Store)? {
        JobState::Failed { .. } => Served::Never,
        JobState::Pending | JobState::Absent => Served::NotYet,
    })
}

/// Why a thumbnail was not made.
#[derive(Debug, thiserror::Error)]
pub enum NoThumbnail {
    /// Trying again will not help.
    #[error("{0}")]
    Never(String),
    /// Trying again may help.
    #[error(transparent)]
    Later(#[from] Failure),
}

/// Makes and stores the thumbnail of a photo; a repetition replaces it.
///
/// # Errors
/// [`NoThumbnail`].
pub async fn make_thumbnail(app: &App, sha256: Digest) -> Result<(), NoThumbnail> {
    let found = app.db.read(move |tx| photos::find(tx.conn(), sha256)).await;
    let Some(photo) = found.map_err(Failure::Store)? else {
        return Err(NoThumbnail::Never("there is no such photo".to_owned()));
    };
    let settings = &app.settings.photos;
    let original = originals::read(&app.objects, &photo.object_key, photo.size)
        .await
        .map_err(internal)?;
    let media_type = MediaType::of_first_bytes(&original).filter(|found| found.is_picture());
    let Some(media_type) = media_type else {
        return Err(NoThumbnail::Never(
            "it does not begin like a picture".to_owned(),
        ));
    };
    let (edge, limits) = (settings.thumbnail_edge, picture_limits(settings));
    let made = crate::held::blocking(move || {
        let source = Cursor::new(original);
        thumbnail::make(source, media_type, photo.orientation, edge, limits)
    });
    let jpeg = match made.await {
        Ok(Ok(jpeg)) => jpeg,
        Ok(Err(error @ (ThumbnailError::Undecodable(_) | ThumbnailError::NotMade(_)))) => {
            return Err(NoThumbnail::Never(error.to_string()));
        }
        Err(stopping) if stopping.is_cancelled() => {
            return Err(Failure::Internal(stopping.to_string()).into());
        }
        // The decoder panicked over this photo, and would again.
        Err(panicked) => return Err(NoThumbnail::Never(panicked.to_string())),
    };
    originals::write_derived(&app.objects, &originals::thumbnail_key(sha256), jpeg)
        .await
        .map_err(internal)?;
    let now = app.clock.now();
    let write = app
        .db
        .write(move |tx| photos::set_thumbnail(tx.conn(), sha256, now));
    Ok(write.await.map_err(Failure::Store)?)
}

fn internal(error: OriginalsError) -> Failure {
    Failure::Internal(error.to_string())
}
