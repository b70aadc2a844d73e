//! What bare statements need to know of a filled database, handed to a process of its own.

/// Ids of rows that the sample and the enrolments made.
pub struct Ids {
    /// Installs, one a connection.
    pub installs: Vec<Vec<u8>>,
    /// Their person.
    pub person: Vec<u8>,
    /// The enterprise reported on.
    pub enterprise: Vec<u8>,
    /// Its jurisdiction.
    pub jurisdiction: Vec<u8>,
}

impl Ids {
    /// As one argument of a command line.
    pub fn to_argument(&self) -> String {
        let all = [&self.person, &self.enterprise, &self.jurisdiction]
            .into_iter()
            .chain(&self.installs);
        all.map(hex::encode).collect::<Vec<_>>().join(",")
    }

    /// Reads [`Ids::to_argument`].
    pub fn from_argument(text: &str) -> Option<Self> {
        let mut all = text.split(',').map(hex::decode);
        let mut next = || all.next()?.ok();
        let (person, enterprise, jurisdiction) = (next()?, next()?, next()?);
        Some(Self {
            person,
            enterprise,
            jurisdiction,
            installs: all.map_while(Result::ok).collect(),
        })
    }
}
