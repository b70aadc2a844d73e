//! What a grant says apart from its id and its time: which role, over what, within which sectors, by
//! which certificate.

use hazardloop_domain::access::{Certificate, Grant, GrantScope, Role};
use hazardloop_domain::ids::GrantId;
use hazardloop_domain::refusal::Refusal;
use hazardloop_domain::text;
use hazardloop_domain::time::Timestamp;
use hazardloop_sync_protocol::wire::SectorName;

/// Sectors that one grant may be limited to: each is a scope of its own, which devices ask for one
/// by one.
pub const MOST_SECTORS: usize = 16;

/// The longest number of a certificate, in characters.
pub const LONGEST_CERTIFICATE: usize = 64;

/// See the top of this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The role.
    pub role: Role,
    /// Over what.
    pub scope: GrantScope,
    /// Within these sectors alone; empty: within all.
    pub sectors: Vec<String>,
    /// The certificate by which an inspector acts.
    pub certificate: Option<Certificate>,
}

impl From<(Role, GrantScope)> for Terms {
    fn from((role, scope): (Role, GrantScope)) -> Self {
        Self {
            role,
            scope,
            sectors: Vec::new(),
            certificate: None,
        }
    }
}

impl Terms {
    /// Refuses a role that cannot be held over such a scope, sectors of an enterprise, sectors that
    /// are none, and a certificate of anybody but an inspector.
    ///
    /// # Errors
    /// [`Refusal`] of the field.
    pub fn check(&self) -> Result<(), Refusal> {
        let over_enterprise = matches!(self.scope, GrantScope::Enterprise(_));
        if !self.role.may_be_held_over(self.scope) {
            let expected = match over_enterprise {
                true => "must be a jurisdiction for this role",
                false => "must be an enterprise for this role",
            };
            return Err(Refusal::invalid_field("scope", expected));
        }
        self.check_sectors(over_enterprise)?;
        let Some(certificate) = &self.certificate else {
            return Ok(());
        };
        if self.role != Role::Inspector {
            let why = "only an inspector acts by a certificate";
            return Err(Refusal::invalid_field("certificate", why));
        }
        let number = &certificate.number;
        text::required("certificate.number", number, LONGEST_CERTIFICATE)
    }

    fn check_sectors(&self, over_enterprise: bool) -> Result<(), Refusal> {
        let wrong = |why: &str| Err(Refusal::invalid_field("sectors", why));
        if over_enterprise && !self.sectors.is_empty() {
            return wrong("an enterprise is not divided into sectors");
        }
        let whole = matches!(
            self.role,
            Role::Administrator | Role::Gateway | Role::Importer
        );
        if whole && !self.sectors.is_empty() {
            return wrong("this role is held over all sectors");
        }
        if self.sectors.len() > MOST_SECTORS {
            return wrong(&format!("more than {MOST_SECTORS}"));
        }
        for (place, sector) in self.sectors.iter().enumerate() {
            if let Err(error) = SectorName::new(sector) {
                return wrong(&error.to_string());
            }
            if self.sectors.iter().take(place).any(|other| other == sector) {
                return wrong("the same sector twice");
            }
        }
        Ok(())
    }

    /// The grant that says this from `valid_from` on.
    pub fn granted(self, id: GrantId, valid_from: Timestamp) -> Grant {
        Grant {
            sectors: self.sectors,
            certificate: self.certificate,
            ..Grant::new(id, self.role, self.scope, valid_from)
        }
    }

    /// In words that are the same whenever the terms are.
    pub(super) fn described(&self) -> String {
        let mut words = match self.scope {
            GrantScope::Enterprise(id) => format!("{} enterprise {id}", self.role.as_str()),
            GrantScope::Jurisdiction(id) => format!("{} jurisdiction {id}", self.role.as_str()),
        };
        for sector in &self.sectors {
            words += &format!(" sector {sector:?}");
        }
        if let Some(Certificate { number, valid_to }) = &self.certificate {
            let until = valid_to.map(|day| day.to_string()).unwrap_or_default();
            words += &format!(" certificate {number:?} {until}");
        }
        words
    }
}
