//! Settings: file, then environment, then flags.

use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};

use super::{CommandLine, Task, TaskError};
use crate::settings::{REMOVALS_KEPT_DAYS_MIN, Settings};
use crate::store::{DatabaseUrl, StoreError};

/// Name of the settings file in the data folder.
const FILE: &str = "hazardloop.toml";

/// Environment variables with this prefix are settings; `__` separates levels.
const PREFIX: &str = "HAZARDLOOP_";

/// Variables with the prefix that are not settings.
const NOT_SETTINGS: [&str; 8] = [
    "test_now",
    "test_seed",
    "test_postgres",
    "test_scratch",
    "password",
    "device_home",
    "device_keys",
    "unlock_file",
];

/// Why settings are not usable.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value is of the wrong kind, or nothing has that name.
    #[error("settings: {0}")]
    Unreadable(String),
    /// The file that was named does not exist.
    #[error("settings file {0} does not exist")]
    NoFile(PathBuf),
    /// The database address cannot be used.
    #[error("settings: database_url: {0}")]
    Database(StoreError),
    /// There is no database yet.
    #[error("there is no database at {path}; start the server or run `hazardloop migrate` first")]
    NoDatabase {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Devices would be told too briefly of what left a scope.
    #[error(
        "settings: sync.removals_kept_days is {0}, and must be {REMOVALS_KEPT_DAYS_MIN} at least: a device that was away \
         for longer fetches all of its scopes anew"
    )]
    RemovalsForgotten(u32),
    /// Sample accounts would be open to others.
    #[error(
        "--demo opens accounts whose password everybody knows, and {0} is not a loopback address; \
         say --demo-on-public-address as well if that is what you want"
    )]
    DemoIsPublic(std::net::SocketAddr),
    /// A demonstration's data would be served in earnest.
    #[error(
        "this database holds the sample of --demo, with accounts whose password everybody knows; \
         name a fresh --data-dir (or database), or say --demo again"
    )]
    HoldsSample,
}

/// Puts the settings together.
pub(super) fn gather(command_line: &CommandLine) -> Result<Settings, SettingsError> {
    let environment = Env::prefixed(PREFIX).ignore(&NOT_SETTINGS).split("__");
    let base = Figment::from(Serialized::defaults(Settings::default()));
    let data_dir = command_line.shared.data_dir.clone().or_else(|| {
        base.clone()
            .merge(environment.clone())
            .extract_inner::<PathBuf>("data_dir")
            .ok()
    });
    let file = match &command_line.shared.config {
        Some(path) if !path.exists() => return Err(SettingsError::NoFile(path.clone())),
        Some(path) => path.clone(),
        None => data_dir.unwrap_or_default().join(FILE),
    };
    let mut figment = base.merge(Toml::file(file)).merge(environment);
    let shared = &command_line.shared;
    if let Some(data_dir) = &shared.data_dir {
        figment = figment.merge(Serialized::default("data_dir", data_dir));
    }
    if let Some(url) = &shared.database_url {
        figment = figment.merge(Serialized::default("database_url", url));
    }
    if let Task::Serve(serve) = &command_line.task {
        if let Some(listen) = serve.listen {
            figment = figment.merge(Serialized::default("listen", listen));
        }
        if serve.demo {
            figment = figment.merge(Serialized::default("demo", true));
        }
        if serve.demo_on_public_address {
            figment = figment.merge(Serialized::default("demo_on_public_address", true));
        }
    }
    let settings: Settings = figment
        .extract()
        .map_err(|error| SettingsError::Unreadable(error.to_string()))?;
    let kept = settings.sync.removals_kept_days;
    if kept < REMOVALS_KEPT_DAYS_MIN {
        return Err(SettingsError::RemovalsForgotten(kept));
    }
    let public = !settings.listen.ip().is_loopback();
    if settings.demo && public && !settings.demo_on_public_address {
        return Err(SettingsError::DemoIsPublic(settings.listen));
    }
    Ok(settings)
}

/// The database that the settings name.
pub(crate) fn database_url(settings: &Settings) -> Result<DatabaseUrl, SettingsError> {
    if settings.database_url.is_empty() {
        let path = settings.data_dir.join("hazardloop.sqlite");
        return DatabaseUrl::sqlite(&path).map_err(SettingsError::Database);
    }
    settings
        .database_url
        .parse()
        .map_err(SettingsError::Database)
}

/// Creates the data folder for its owner alone.
pub(crate) fn make_data_dir(settings: &Settings) -> Result<(), TaskError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&settings.data_dir)
        .map_err(TaskError::io(format!(
            "creating {}",
            settings.data_dir.display()
        )))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn gathered(arguments: &[&str]) -> Result<Settings, SettingsError> {
        let all = ["hazardloop"].iter().chain(arguments);
        gather(&CommandLine::try_parse_from(all).unwrap())
    }

    /// Whoever tries both programs in one shell sets those of the other, too.
    #[test]
    fn what_the_device_program_is_told_is_no_setting() {
        fn names(folder: &std::path::Path, found: &mut std::collections::BTreeSet<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    names(&path, found);
                    continue;
                }
                let text = std::fs::read_to_string(path).unwrap();
                for rest in text.split(PREFIX).skip(1) {
                    let end = rest.find(|c: char| c != '_' && !c.is_ascii_uppercase());
                    found.insert(rest[..end.unwrap_or(rest.len())].to_ascii_lowercase());
                }
            }
        }
        let device = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../device/src");
        let mut found = std::collections::BTreeSet::new();
        names(&device, &mut found);
        assert!(found.contains("device_keys"), "{found:?}");
        for name in &found {
            assert!(NOT_SETTINGS.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn demo_on_a_public_address_must_be_said_twice() {
        let once = ["serve", "--demo", "--listen", "0.0.0.0:80"];
        assert!(matches!(
            gathered(&once),
            Err(SettingsError::DemoIsPublic(_))
        ));
        let twice = [
            "serve",
            "--demo",
            "--demo-on-public-address",
            "--listen",
            "0.0.0.0:80",
        ];
        assert!(gathered(&twice).is_ok());
        assert!(gathered(&["serve", "--demo"]).is_ok());
    }

    #[test]
    fn flags_override_the_file_and_unknown_names_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("h.toml");
        std::fs::write(
            &file,
            "listen = \"127.0.0.1:1\"\n[sign_in]\naccess_token_s = 5\n",
        )
        .unwrap();
        let path = file.to_str().unwrap();
        let settings = gathered(&["serve", "--config", path]).unwrap();
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.sign_in.access_token_s, 5);
        let settings = gathered(&["serve", "--config", path, "--listen", "127.0.0.1:2"]).unwrap();
        assert_eq!(settings.listen.port(), 2);
        std::fs::write(&file, "colour = 1\n").unwrap();
        assert!(matches!(
            gathered(&["serve", "--config", path]),
            Err(SettingsError::Unreadable(why)) if why.contains("colour")
        ));
    }

    #[test]
    fn removals_are_told_for_thirty_days_at_least() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("h.toml");
        let path = file.to_str().unwrap();
        for (days, fits) in [(0, false), (29, false), (30, true), (400, true)] {
            std::fs::write(&file, format!("[sync]\nremovals_kept_days = {days}\n")).unwrap();
            let gathered = gathered(&["serve", "--config", path]);
            let refused =
                matches!(gathered, Err(SettingsError::RemovalsForgotten(of)) if of == days);
            assert_eq!((gathered.is_ok(), refused), (fits, !fits), "{days}");
        }
    }

    #[test]
    fn a_wrong_scheme_is_refused_by_name() {
        let settings = gathered(&["migrate", "--database-url", "mysql://x"]).unwrap();
        let error = database_url(&settings).unwrap_err().to_string();
        assert!(error.contains("mysql"), "{error}");
    }
}
