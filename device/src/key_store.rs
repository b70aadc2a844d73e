//! The platform's key store: keeps one key a profile and gives it to whoever may use the device.
//!
//! A phone has one in hardware. The command line has [`KeyFiles`]: files of mode 0600 in a
//! directory apart from the work, which is all a bare system offers. Whoever reads both has both:
//! it protects a copy of the home (a backup, a card, a disk that is thrown away), not against
//! somebody who signs in as the same user of the system. A PIN does.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::home::write_durably;

/// A place for keys. Errors are texts of the platform.
pub trait KeyStore {
    /// The key of this name; `None`: there is none.
    ///
    /// # Errors
    /// When the platform does not answer, or the key is not safe where it is.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>, String>;

    /// Keeps a key durably, in the place of another one of the same name.
    ///
    /// # Errors
    /// When the platform does not take it.
    fn put(&self, name: &str, key: &Zeroizing<[u8; 32]>) -> Result<(), String>;

    /// Forgets a key; one that is not there is no error.
    ///
    /// # Errors
    /// When the platform keeps it.
    fn remove(&self, name: &str) -> Result<(), String>;

    /// Where the key of this name is, for people.
    fn place(&self, name: &str) -> String;
}

/// Keys in files of mode 0600, in a directory of mode 0700 apart from the work.
#[derive(Clone, Debug)]
pub struct KeyFiles(
    /// The directory; made when first needed.
    pub PathBuf,
);

impl KeyFiles {
    /// Where keys are when nothing is said: beside the home, under its name and `-keys`.
    pub fn beside(home: &Path) -> Self {
        // Without a slash at the end, which would put them inside.
        let mut name = home.components().as_path().as_os_str().to_owned();
        name.push("-keys");
        Self(PathBuf::from(name))
    }

    fn file(name: &str) -> String {
        format!("{name}.key")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(Self::file(name))
    }
}

/// Whether others than its owner may use the file.
fn is_open_to_others(file: &std::fs::File) -> std::io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    file.metadata().map(|_| false)
}

impl KeyStore for KeyFiles {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>, String> {
        use std::io::Read as _;
        let path = self.path(name);
        let said = |error: std::io::Error| format!("{}: {error}", path.display());
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(said(error)),
        };
        if is_open_to_others(&file).map_err(said)? {
            let path = path.display();
            return Err(format!(
                "{path}: others than its owner may read it (chmod 600)"
            ));
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(33).read_to_end(&mut bytes).map_err(said)?;
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Some(Zeroizing::new(key))),
            Err(_) => Err(format!("{}: not a 32-byte key", path.display())),
        }
    }

    fn put(&self, name: &str, key: &Zeroizing<[u8; 32]>) -> Result<(), String> {
        let dir = &self.0;
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(dir);
        made.map_err(|error| format!("{}: {error}", dir.display()))?;
        write_durably(dir, &Self::file(name), key.as_slice(), 0o600).map_err(|e| e.to_string())
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        crate::vault::remove_file(&self.path(name)).map_err(|error| error.to_string())?;
        match self.0.exists() {
            true => crate::home::sync_directory(&self.0).map_err(|error| error.to_string()),
            false => Ok(()),
        }
    }

    fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}
