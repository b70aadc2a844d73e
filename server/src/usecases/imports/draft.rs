//! An enterprise while its row is being read: what one field of the record is made of may stand in
//! several columns.

use hazardloop_domain::enterprise::{Contact, Enterprise, Insurance, Phone, SafetyManager};
use hazardloop_domain::geography::{CoordinateReference, Measurement, Position};
use hazardloop_domain::time::LocalDate;

use super::problems::Finding;

/// See above.
pub(super) struct Draft {
    pub enterprise: Enterprise,
    /// As the row names it, when it does; the record's own grid otherwise.
    pub grid: Option<String>,
    pub principal_name: Option<String>,
    pub principal_phone: Option<Phone>,
    pub manager_name: Option<String>,
    pub manager_phone: Option<Phone>,
    pub manager_certificate: Option<String>,
    pub insurance_number: Option<String>,
    pub insurance_valid_to: Option<LocalDate>,
    pub insurer: Option<String>,
    pub longitude: Option<f64>,
    pub latitude: Option<f64>,
    pub reference: Option<CoordinateReference>,
}

impl Draft {
    /// Begins with what there is.
    pub fn of(enterprise: Enterprise) -> Self {
        let profile = &enterprise.profile;
        let principal = profile.principal.clone();
        let manager = profile.safety_manager.clone();
        let insurance = profile.insurance.clone();
        let measured = enterprise.position.as_ref().map(Position::measurement);
        Self {
            grid: None,
            principal_name: principal.as_ref().map(|of| of.name.clone()),
            principal_phone: principal.and_then(|of| of.phone),
            manager_name: manager.as_ref().map(|of| of.name.clone()),
            manager_phone: manager.as_ref().and_then(|of| of.phone.clone()),
            manager_certificate: manager.and_then(|of| of.certificate_no),
            insurance_number: insurance.as_ref().map(|of| of.number.clone()),
            insurance_valid_to: insurance.as_ref().and_then(|of| of.valid_to),
            insurer: insurance.and_then(|of| of.insurer),
            longitude: measured.as_ref().map(|of| of.longitude),
            latitude: measured.as_ref().map(|of| of.latitude),
            reference: measured.map(|of| of.reference),
            enterprise,
        }
    }

    /// The enterprise, and what does not go together, by column.
    pub fn finish(self) -> (Enterprise, Vec<(&'static str, Finding)>) {
        let mut found = Vec::new();
        let mut enterprise = self.enterprise;
        let alone = |name: &Option<String>, others: bool| name.is_none() && others;
        if alone(&self.principal_name, self.principal_phone.is_some()) {
            let together = "principal_name, principal_phone";
            found.push(("principal_name", Finding::GoTogether(together)));
        }
        let of_manager = self.manager_phone.is_some() || self.manager_certificate.is_some();
        if alone(&self.manager_name, of_manager) {
            let together = "safety_manager_name, safety_manager_phone, safety_manager_certificate";
            found.push(("safety_manager_name", Finding::GoTogether(together)));
        }
        let of_insurance = self.insurance_valid_to.is_some() || self.insurer.is_some();
        if alone(&self.insurance_number, of_insurance) {
            let together = "insurance_number, insurance_valid_to, insurer";
            found.push(("insurance_number", Finding::GoTogether(together)));
        }
        let profile = &mut enterprise.profile;
        let phone = self.principal_phone;
        profile.principal = self.principal_name.map(|name| Contact { name, phone });
        let (phone, certificate_no) = (self.manager_phone, self.manager_certificate);
        profile.safety_manager = self.manager_name.map(|name| SafetyManager {
            name,
            phone,
            certificate_no,
        });
        let (valid_to, insurer) = (self.insurance_valid_to, self.insurer);
        profile.insurance = self.insurance_number.map(|number| Insurance {
            number,
            valid_to,
            insurer,
        });
        let place = (self.longitude, self.latitude, self.reference);
        match position(enterprise.position.as_ref(), place) {
            Ok(position) => enterprise.position = position,
            Err(finding) => found.push(("longitude", finding)),
        }
        (enterprise, found)
    }
}

/// The position of the three columns; the one before when they say the same, with what else was
/// known of it.
fn position(
    before: Option<&Position>,
    place: (Option<f64>, Option<f64>, Option<CoordinateReference>),
) -> Result<Option<Position>, Finding> {
    let (longitude, latitude, reference) = match place {
        (None, None, None) => return Ok(None),
        (Some(longitude), Some(latitude), Some(reference)) => (longitude, latitude, reference),
        // Which system the numbers are of is never guessed: a wrong guess costs a kilometre.
        _ => {
            let together = "longitude, latitude, coordinate_reference";
            return Err(Finding::GoTogether(together));
        }
    };
    let measured = Measurement::at(longitude, latitude, reference);
    let new = Position::new(measured).map_err(|error| Finding::OffTheEarth(error.to_string()))?;
    let place = |of: &Position| (of.longitude_e7(), of.latitude_e7(), of.reference());
    let same = before.filter(|before| place(before) == place(&new));
    Ok(Some(same.cloned().unwrap_or(new)))
}
