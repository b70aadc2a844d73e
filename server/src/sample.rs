//! The small sample that `--demo` loads: one district, one town, three enterprises, one person a
//! role, from `catalog/demo/ground-floor.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use hazardloop_domain::access::{Certificate, GrantScope, Role};
use hazardloop_domain::enterprise::Enterprise;
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::hash::Digest;
use hazardloop_domain::ids::{EnterpriseId, JurisdictionId, PersonId};
use hazardloop_domain::jurisdiction::{Jurisdiction, Level};
use hazardloop_domain::responsibility::Matrix;
use hazardloop_domain::time::Timestamp;
use serde::Deserialize;

use crate::clock::Clock;
use crate::command_line::{SettingsError, TaskError};
use crate::entropy::Entropy;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::store::{Db, WriteTx, meta};
use crate::usecases::{enterprises, jurisdictions, people, responsibilities};

/// What everybody in the sample signs in with. Known to the world: hence `--demo` alone, and
/// loopback alone unless told twice.
pub const DEMO_PASSWORD: &str = "hazardloop-demo";

/// Ids of the sample are made from this instant and a name, so that lines to paste stay true.
const SAMPLE_INSTANT_MS: u64 = 1_767_225_600_000;

const SAMPLE: &str = include_str!("../../catalog/demo/ground-floor.toml");
const BOUNDARIES: &str = include_str!("../../catalog/divisions/chongqing-districts.geojson");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    jurisdiction: Vec<SampleJurisdiction>,
    responsibility: Vec<SampleResponsibility>,
    enterprise: Vec<SampleEnterprise>,
    person: Vec<SamplePerson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleJurisdiction {
    code: String,
    name: String,
    #[serde(rename = "name_en")]
    _name_en: String,
    level: Level,
    parent: Option<String>,
    boundary_feature: Option<String>,
    boundary_reference: Option<CoordinateReference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleResponsibility {
    jurisdiction: String,
    rows: BTreeMap<String, String>,
    fallback: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleEnterprise {
    key: String,
    name: String,
    credit_code: String,
    sector: String,
    address: String,
    town_code: String,
    longitude: f64,
    latitude: f64,
    reference: CoordinateReference,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SamplePerson {
    login: String,
    name: String,
    role: Role,
    enterprise: Option<String>,
    jurisdiction: Option<String>,
    #[serde(default)]
    sectors: Vec<String>,
    certificate: Option<Certificate>,
}

/// What was loaded, for the greeting.
#[derive(Clone, Debug)]
pub struct Loaded {
    accounts: Vec<(String, Role)>,
    first_enterprise: Option<EnterpriseId>,
}

/// Loads the sample once; a second start finds it there.
///
/// # Errors
/// When the sample cannot be read (a defect) or the database does not answer.
pub async fn load(
    db: &Db,
    settings: &Settings,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Loaded, Failure> {
    let sample = read()?;
    let loaded = Loaded {
        accounts: sample
            .person
            .iter()
            .map(|p| (p.login.clone(), p.role))
            .collect(),
        first_enterprise: sample.enterprise.first().map(|e| EnterpriseId(id(&e.key))),
    };
    if is_loaded(db).await? {
        return Ok(loaded);
    }
    let (_, digest_key) = crate::serve::identity(db, entropy)
        .await
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let password_hash = people::hash_password(&settings.sign_in, entropy, DEMO_PASSWORD)?;
    let now = clock.now();
    db.write(move |tx| {
        if meta::get(tx.conn(), "sample")?.is_some() {
            return Ok::<_, Failure>(());
        }
        let boundaries = boundaries()?;
        for jurisdiction in &sample.jurisdiction {
            add_jurisdiction(tx, &digest_key, jurisdiction, &boundaries, now)?;
        }
        for said in &sample.responsibility {
            let matrix = Matrix {
                rows: said.rows.clone(),
                fallback: said.fallback.clone(),
            };
            let place = JurisdictionId(id(&said.jurisdiction));
            responsibilities::say(tx, place, (&matrix, 0), None, now)?;
        }
        for enterprise in &sample.enterprise {
            enterprises::register(tx, &digest_key, &record(enterprise)?, None, now)?;
        }
        for person in &sample.person {
            let new = people::NewPerson {
                id: PersonId(id(&person.login)),
                login: person.login.clone(),
                name: person.name.clone(),
                phone: None,
                password_hash: password_hash.clone(),
                grants: vec![people::Terms {
                    sectors: person.sectors.clone(),
                    certificate: person.certificate.clone(),
                    ..(person.role, scope(person)?).into()
                }],
            };
            people::register(tx, &digest_key, new, None, now)?;
        }
        meta::get_or_set(tx, "sample", "ground-floor")?;
        Ok(())
    })
    .await?;
    Ok(loaded)
}

/// Whether a sample has been loaded into this database, now or at an earlier start.
///
/// # Errors
/// When the database does not answer.
pub async fn is_loaded(db: &Db) -> Result<bool, Failure> {
    let found = db.read(|tx| meta::get(tx.conn(), "sample")).await?;
    Ok(found.is_some())
}

/// Refuses to serve a database that holds the sample without `--demo`: its accounts, whose
/// password the world knows, would outlive the demonstration.
///
/// # Errors
/// [`SettingsError::HoldsSample`], or when the database does not answer.
pub async fn require_absent(db: &Db) -> Result<(), TaskError> {
    match is_loaded(db).await? {
        true => Err(SettingsError::HoldsSample.into()),
        false => Ok(()),
    }
}

fn read() -> Result<Sample, Failure> {
    Figment::from(Toml::string(SAMPLE))
        .extract()
        .map_err(|error| Failure::Internal(format!("the sample: {error}")))
}

/// Geometries of the districts by their six-digit code, as GeoJSON text.
fn boundaries() -> Result<BTreeMap<String, String>, Failure> {
    let wrong = |error: serde_json::Error| Failure::Internal(format!("the boundaries: {error}"));
    let collection: serde_json::Value = serde_json::from_str(BOUNDARIES).map_err(wrong)?;
    let features = collection
        .get("features")
        .and_then(|f| f.as_array())
        .into_iter()
        .flatten();
    Ok(features
        .filter_map(|feature| {
            let code = feature.get("id")?.as_str()?.to_owned();
            Some((code, feature.get("geometry")?.to_string()))
        })
        .collect())
}

fn add_jurisdiction(
    tx: &mut WriteTx<'_>,
    digest_key: &hazardloop_sync_protocol::digest::DigestKey,
    sample: &SampleJurisdiction,
    boundaries: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<(), Failure> {
    let jurisdiction = Jurisdiction {
        id: JurisdictionId(id(&sample.code)),
        parent_id: sample
            .parent
            .as_deref()
            .map(|code| JurisdictionId(id(code))),
        name: sample.name.clone(),
        level: sample.level,
        division_code: Some(sample.code.clone()),
        version: 1,
        merged_into: None,
        merged_at: None,
    };
    let geometry = sample
        .boundary_feature
        .as_ref()
        .and_then(|code| boundaries.get(code));
    let boundary = geometry.map(String::as_str).zip(sample.boundary_reference);
    jurisdictions::add(tx, digest_key, &jurisdiction, boundary, None, now)?;
    Ok(())
}

fn record(sample: &SampleEnterprise) -> Result<Enterprise, Failure> {
    let position = Position::new(Measurement::at(
        sample.longitude,
        sample.latitude,
        sample.reference,
    ))
    .map_err(|error| Failure::Internal(format!("the sample: {error}")))?;
    Ok(Enterprise {
        id: EnterpriseId(id(&sample.key)),
        name: sample.name.clone(),
        credit_code: Some(sample.credit_code.clone()),
        jurisdiction_id: JurisdictionId(id(&sample.town_code)),
        sector: sample.sector.clone(),
        address: Some(sample.address.clone()),
        position: Some(position),
        version: 1,
        profile: hazardloop_domain::enterprise::EnterpriseProfile::default(),
    })
}

fn scope(person: &SamplePerson) -> Result<GrantScope, Failure> {
    match (&person.enterprise, &person.jurisdiction) {
        (Some(key), None) => Ok(GrantScope::Enterprise(EnterpriseId(id(key)))),
        (None, Some(code)) => Ok(GrantScope::Jurisdiction(JurisdictionId(id(code)))),
        _ => Err(Failure::Internal(format!(
            "the sample: {} has no single scope",
            person.login
        ))),
    }
}

/// A UUIDv7 that is the same in every sample: a fixed instant and the hash of a name.
pub fn id(name: &str) -> uuid::Uuid {
    let digest = Digest::sha256_of_parts(&[b"hazardloop sample", name.as_bytes()]);
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    uuid::Builder::from_unix_timestamp_millis(SAMPLE_INSTANT_MS, &random).into_uuid()
}

impl Loaded {
    /// Accounts, and three lines to paste next.
    pub fn introduction(&self, address: &SocketAddr) -> String {
        let mut text = format!("Sample accounts, password {DEMO_PASSWORD}:\n");
        for (login, role) in &self.accounts {
            text += &format!("  {login:<14}{}\n", role.as_str());
        }
        let enterprise = self
            .first_enterprise
            .map(|id| id.to_string())
            .unwrap_or_default();
        text += &format!(
            "Try it: a field device reports a hazard and sends it.\n  \
             HAZARDLOOP_PASSWORD={DEMO_PASSWORD} target/release/hazardloop-device enroll --server http://{address} --user employee --name demo-phone\n  \
             target/release/hazardloop-device report --enterprise {enterprise} --at 105.594,29.405@wgs84 --place '2#除尘器' --text '横梁积尘 3 毫米' --no-photo '试用'\n  \
             target/release/hazardloop-device sync && target/release/hazardloop-device list\n"
        );
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::store::test_support::each_database;
    use rand::SeedableRng as _;

    use super::*;
    use crate::store::{DbOptions, migrate};

    #[test]
    fn a_database_that_holds_the_sample_is_served_as_a_demonstration_alone() {
        each_database(|url| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let url = url.parse().unwrap();
                migrate::migrate(&url).unwrap();
                let db = Db::open(&url, DbOptions::default()).unwrap();
                require_absent(&db).await.unwrap();
                let mut settings = Settings::default();
                settings.sign_in.argon2_memory_kib = 8;
                settings.sign_in.argon2_passes = 1;
                let clock = Clock::new(|| Timestamp::from_millis(1_795_312_800_000));
                let entropy = Entropy::new(rand::rngs::StdRng::seed_from_u64(7));
                load(&db, &settings, &clock, &entropy).await.unwrap();
                let refused = require_absent(&db).await.unwrap_err().to_string();
                assert!(refused.contains("--data-dir"), "{refused}");
                assert!(refused.contains("--demo"), "{refused}");
                assert_eq!(refused.lines().count(), 1, "{refused}");
                load(&db, &settings, &clock, &entropy).await.unwrap();
            });
        });
    }
}
