//! Settings from file, environment and flags, each with its default and its unit.

mod of_rules;
mod packs;
mod sync;
mod witness;

pub use packs::PackLimits;
pub use sync::{REMOVALS_KEPT_DAYS_MIN, SyncLimits, WindowSettings, Windows};
pub use witness::WitnessLimits;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use hazardloop_domain::evidence::MediaType;
use hazardloop_domain::hazard::Limits;
use hazardloop_domain::inspection::InspectionLimits;
use serde::{Deserialize, Serialize};

use crate::store::DbOptions;
use crate::tables::TableLimits;

/// Everything that can be set. TOML file (`hazardloop.toml` in the data folder, or `--config`),
/// then environment (`HAZARDLOOP_` + name, `__` between levels), then flags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder of the database, photos and temporary files.
    pub data_dir: PathBuf,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// `sqlite://PATH` or `postgres://…`; empty: SQLite in the data folder.
    pub database_url: String,
    /// Sample accounts and data for trying out.
    pub demo: bool,
    /// Allow `demo` on an address that others can reach.
    pub demo_on_public_address: bool,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// How the database is used.
    pub database: Database,
    /// Sign-in and tokens.
    pub sign_in: SignIn,
    /// Limits on requests.
    pub http: HttpLimits,
    /// Limits on photos and uploads.
    pub photos: PhotoLimits,
    /// Limits on hazards.
    pub hazards: HazardLimits,
    /// Limits on inspections.
    pub inspections: InspectionSettings,
    /// Limits on sync messages.
    pub sync: SyncLimits,
    /// Rules on people and their roles.
    pub people: PeopleLimits,
    /// Limits on tables of enterprises.
    pub imports: ImportLimits,
    /// Limits on packs that are brought as an archive.
    pub packs: PackLimits,
    /// Limits on witness statements.
    pub witness: WitnessLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_url: String::new(),
            demo: false,
            demo_on_public_address: false,
            trusted_proxies: Vec::new(),
            database: Database::default(),
            sign_in: SignIn::default(),
            http: HttpLimits::default(),
            photos: PhotoLimits::default(),
            hazards: HazardLimits::default(),
            inspections: InspectionSettings::default(),
            sync: SyncLimits::default(),
            people: PeopleLimits::default(),
            imports: ImportLimits::default(),
            packs: PackLimits::default(),
            witness: WitnessLimits::default(),
        }
    }
}

/// How the database is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Connections that read.
    pub readers: u32,
    /// Connections that write; SQLite has one.
    pub writers: u32,
    /// Writes that may wait at once; more wait for a place.
    pub queue_length: usize,
    /// Most writes in one commit.
    pub group_limit: usize,
    /// Longest wait for a connection or a place in the queue, milliseconds.
    pub acquire_timeout_ms: u64,
    /// Longest wait for a lock, milliseconds.
    pub lock_timeout_ms: u64,
    /// Longest statement, milliseconds (PostgreSQL).
    pub statement_timeout_ms: u64,
}

impl Default for Database {
    fn default() -> Self {
        let options = DbOptions::default();
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            readers: options.readers,
            writers: options.writers,
            queue_length: options.queue_length,
            group_limit: options.group_limit,
            acquire_timeout_ms: ms(options.acquire_timeout),
            lock_timeout_ms: ms(options.lock_timeout),
            statement_timeout_ms: ms(options.statement_timeout),
        }
    }
}

impl Database {
    /// As the store takes it.
    pub fn options(&self) -> DbOptions {
        DbOptions {
            readers: self.readers,
            writers: self.writers,
            queue_length: self.queue_length,
            group_limit: self.group_limit,
            acquire_timeout: Duration::from_millis(self.acquire_timeout_ms),
            busy_timeout: Duration::from_millis(self.lock_timeout_ms),
            lock_timeout: Duration::from_millis(self.lock_timeout_ms),
            statement_timeout: Duration::from_millis(self.statement_timeout_ms),
            ..DbOptions::default()
        }
    }
}

/// Sign-in and tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// Life of an access token, seconds.
    pub access_token_s: i64,
    /// Life of an unused refresh token, seconds.
    pub refresh_token_s: i64,
    /// Memory of one password hash, KiB.
    pub argon2_memory_kib: u32,
    /// Passes of one password hash.
    pub argon2_passes: u32,
    /// Password hashes computed at once, each with its memory; more wait. One is some 40 a second.
    pub argon2_at_once: usize,
    /// Failed sign-ins per account and source address before waiting begins.
    pub free_failures: u32,
    /// Longest wait after failures, seconds.
    pub longest_wait_s: u64,
    /// Failed sign-ins per minute and source network.
    pub attempts_per_minute: u32,
    /// Leeway for clocks when a token is checked, seconds.
    pub leeway_s: i64,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            access_token_s: 600,
            refresh_token_s: 60 * 86_400,
            argon2_memory_kib: 19 * 1024,
            argon2_passes: 2,
            argon2_at_once: 1,
            free_failures: 5,
            longest_wait_s: 900,
            attempts_per_minute: 60,
            leeway_s: 30,
        }
    }
}

/// Limits on requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// Bytes of a JSON body.
    pub json_bytes: usize,
    /// Seconds in which the head of a request must have come.
    pub head_timeout_s: u64,
    /// Seconds in which a JSON body must have come, and in which [`Self::body_least_bytes`] of another must have.
    pub body_timeout_s: u64,
    /// Bytes of a sync message or of a part of a photo that must come in that time, so that a slow link is waited for,
    /// and one that has stalled is not.
    pub body_least_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// Rows of one page of a list.
    pub page_rows: usize,
    /// Requests per second and person, on average.
    pub requests_per_second: u32,
    /// Requests at once beyond that average.
    pub request_burst: u32,
    /// Requests of one session that are worked on at a time, and half of those of one person; the others wait for
    /// their turn.
    pub requests_at_once: usize,
    /// Requests of one session that may wait; further ones are told to come again.
    pub requests_waiting: usize,
    /// Worker threads; 0: one a core.
    pub workers: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            json_bytes: 256 * 1024,
            head_timeout_s: 10,
            body_timeout_s: 60,
            body_least_bytes: 16 * 1024,
            connections: 4096,
            page_rows: 200,
            requests_per_second: 200,
            request_burst: 2_000,
            requests_at_once: 8,
            requests_waiting: 64,
            workers: 0,
        }
    }
}

/// Limits on photos, documents, clips and uploads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PhotoLimits {
    /// Bytes of one photo.
    pub bytes: u64,
    /// Bytes of one document (PDF).
    pub document_bytes: u64,
    /// Bytes of one clip (MP4).
    pub clip_bytes: u64,
    /// Pixels of one photo.
    pub pixels: u64,
    /// Memory of one decoder, bytes.
    pub decode_bytes: u64,
    /// Longer edge of a thumbnail, pixels.
    pub thumbnail_edge: u32,
    /// Life of an unfinished upload, seconds.
    pub upload_life_s: i64,
    /// Unfinished uploads of one person.
    pub uploads_per_person: i64,
    /// Bytes of one PATCH with a checksum: it counts only once all of it fits.
    pub chunk_bytes: usize,
}

impl Default for PhotoLimits {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            bytes: limits.photo_bytes,
            document_bytes: limits.document_bytes,
            clip_bytes: limits.clip_bytes,
            pixels: 200_000_000,
            decode_bytes: 1024 * 1024 * 1024,
            thumbnail_edge: 320,
            upload_life_s: 7 * 86_400,
            uploads_per_person: 200,
            chunk_bytes: 8 * 1024 * 1024,
        }
    }
}

impl PhotoLimits {
    /// Bytes of one file of this type.
    pub const fn bytes_of(&self, media_type: MediaType) -> u64 {
        match media_type {
            MediaType::Jpeg | MediaType::Png | MediaType::Webp => self.bytes,
            MediaType::Pdf => self.document_bytes,
            MediaType::Mp4 => self.clip_bytes,
        }
    }

    /// Bytes of the largest file of any type.
    pub fn largest(&self) -> u64 {
        self.bytes.max(self.document_bytes).max(self.clip_bytes)
    }
}

/// Limits on hazards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HazardLimits {
    /// Photos of one hazard.
    pub photos: usize,
    /// Notes of one hazard.
    pub notes: usize,
    /// Days from today to the latest due date.
    pub due_days: i64,
    /// Stages of one plan.
    pub milestones: usize,
    /// Extensions of one hazard.
    pub extensions: usize,
    /// Days by which a due date may be extended without an expert's opinion.
    pub extension_days_without_expert: i64,
    /// Penalty cases of one hazard.
    pub penalties: usize,
    /// Items of one re-inspection.
    pub items: usize,
    /// Spot checks of one hazard.
    pub spot_checks: usize,
    /// Months after a closure within which the same again is taken for a recurrence.
    pub recurrence_months: u32,
    /// Hazards of one enterprise that are looked through for recurrences, newest first.
    pub recurrences_looked_through: usize,
    /// Whether a confirmation names the category where the report does not.
    pub category_required: bool,
    /// Whether whoever found a hazard may not pass or close it either.
    pub finder_may_not_reinspect: bool,
    /// Hazards that one transaction moves along with their enterprise; the others follow.
    pub moved_at_once: usize,
    /// Hazards that a count tells exactly; of more it says "so many or more".
    pub counted: usize,
}

impl Default for HazardLimits {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            photos: limits.photos,
            notes: limits.notes,
            due_days: limits.due_days,
            milestones: limits.milestones,
            extensions: limits.extensions,
            extension_days_without_expert: limits.extension_days_without_expert,
            penalties: limits.penalties,
            items: limits.items,
            spot_checks: limits.spot_checks,
            recurrence_months: limits.recurrence_months,
            recurrences_looked_through: 500,
            category_required: limits.category_required,
            finder_may_not_reinspect: limits.finder_may_not_reinspect,
            moved_at_once: 200,
            counted: 10_000,
        }
    }
}

/// Limits on inspections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InspectionSettings {
    /// Checklists of one inspection.
    pub checklists: usize,
    /// Items of one inspection that have a result.
    pub items: usize,
    /// Findings of one inspection.
    pub findings: usize,
    /// People present at one inspection; also its signatures.
    pub attendees: usize,
    /// People in the team of one inspection; also its departments.
    pub team: usize,
    /// Photos of one inspection.
    pub inspection_photos: usize,
    /// Days from today to the last day of a plan.
    pub plan_days: i64,
    /// Departments' inspections of one enterprise that lie no more days apart are shown beside each
    /// other (综合查一次).
    pub nearby_days: i64,
}

impl Default for InspectionSettings {
    fn default() -> Self {
        let limits = InspectionLimits::default();
        Self {
            checklists: limits.checklists,
            items: limits.items,
            findings: limits.findings,
            attendees: limits.attendees,
            team: limits.team,
            inspection_photos: limits.photos,
            plan_days: limits.plan_days,
            nearby_days: 30,
        }
    }
}

/// Rules on people, their roles and who answers for what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeopleLimits {
    /// Days that a temporary grant away from home (异地交叉执法) lasts at most.
    pub temporary_grant_days: i64,
    /// Sectors for which one jurisdiction says who answers (三管三必须).
    pub responsibility_rows: usize,
}

impl Default for PeopleLimits {
    fn default() -> Self {
        Self {
            temporary_grant_days: 90,
            responsibility_rows: 500,
        }
    }
}

/// Limits on tables of enterprises that are brought as a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportLimits {
    /// Bytes of the file.
    pub file_bytes: usize,
    /// Bytes of a workbook once it is unpacked.
    pub unpacked_bytes: u64,
    /// Rows, the heading left aside: all are stored in one transaction.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Characters of one cell.
    pub cell_chars: usize,
    /// Problems listed one by one; all are counted.
    pub problems: usize,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self {
            file_bytes: 10 * 1024 * 1024,
            unpacked_bytes: 64 * 1024 * 1024,
            rows: 5_000,
            columns: 200,
            cell_chars: 20_000,
            problems: 10_000,
        }
    }
}

impl ImportLimits {
    /// As the reading of tables takes them.
    pub fn of_table(&self) -> TableLimits {
        TableLimits {
            rows: self.rows,
            columns: self.columns,
            cell_chars: self.cell_chars,
            unpacked_bytes: self.unpacked_bytes,
        }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
