//! What somebody is with regard to other people: whom they see, whom they administer.

use hazardloop_domain::access::GrantScope;
use hazardloop_domain::ids::PersonId;
use hazardloop_domain::operations::Operation;
use hazardloop_domain::refusal::{Refusal, RefusalCode};
use hazardloop_domain::time::Timestamp;

use super::{OfWhom, PersonView};
use crate::failure::Failure;
use crate::store::people::{self, Person, PlacedGrant, View};
use crate::store::{Conn, StoreError};

/// What one person may do about others, at one instant.
#[derive(Clone, Debug)]
pub struct Standing {
    view: View,
    /// Paths of the jurisdictions that they administer.
    administers: Vec<String>,
    now: Timestamp,
}

impl Standing {
    /// Loads the standing of `person`. Somebody disabled has none beyond themselves.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn of(conn: &mut Conn, person: PersonId, now: Timestamp) -> Result<Self, StoreError> {
        let mut standing = Self {
            view: View {
                person_id: person,
                paths: Vec::new(),
                enterprises: Vec::new(),
            },
            administers: Vec::new(),
            now,
        };
        let row = people::by_id(conn, person)?;
        if row.is_none_or(|row| row.disabled_at.is_some()) {
            return Ok(standing);
        }
        for placed in people::grants_of(conn, &[person])? {
            if placed.grant.holds_at(now) {
                standing.add(placed);
            }
        }
        standing.view.paths = outermost(standing.view.paths);
        standing.administers = outermost(standing.administers);
        Ok(standing)
    }

    fn add(&mut self, placed: PlacedGrant) {
        let may = |operation: Operation| operation.roles().contains(&placed.grant.role);
        if !may(Operation::ViewPeople) {
            return;
        }
        match placed.grant.scope {
            GrantScope::Enterprise(id) => self.view.enterprises.push(id),
            GrantScope::Jurisdiction(_) => {
                if may(Operation::ManagePeople) {
                    self.administers.push(placed.path.clone());
                }
                self.view.paths.push(placed.path);
            }
        }
    }

    /// Where they look when they list people: whoever has no role left is their administrators'.
    pub fn view_of(&self, of_whom: OfWhom) -> View {
        match of_whom {
            OfWhom::HoldsARole => self.view.clone(),
            OfWhom::HeldARole => self.administered_view(),
        }
    }

    /// Whom they see as an administrator.
    pub fn administered_view(&self) -> View {
        View {
            person_id: self.view.person_id,
            paths: self.administers.clone(),
            enterprises: Vec::new(),
        }
    }

    /// The person `id` and all their grants, if they are seen: by a grant that holds or will. Of
    /// whoever has none left, the account remains, and so does the duty of the administrators over
    /// what they were last.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for people elsewhere as for nobody.
    pub fn find(
        &self,
        conn: &mut Conn,
        id: PersonId,
    ) -> Result<(Person, Vec<PlacedGrant>), Failure> {
        let unknown = || Failure::NotFound("person");
        let person = people::by_id(conn, id)?.ok_or_else(unknown)?;
        let grants = people::grants_of(conn, &[id])?;
        let lasting = |placed: &PlacedGrant| self.lasts(placed) && self.sees(placed);
        let last = || {
            grants
                .iter()
                .any(|placed| self.administers_last(&grants, placed))
        };
        if id == self.view.person_id || grants.iter().any(lasting) || last() {
            Ok((person, grants))
        } else {
            Err(unknown())
        }
    }

    fn sees(&self, placed: &PlacedGrant) -> bool {
        within(&self.view.paths, &placed.path)
            || matches!(placed.grant.scope, GrantScope::Enterprise(id)
                if self.view.enterprises.contains(&id))
    }

    /// Whether a grant holds or will.
    fn lasts(&self, placed: &PlacedGrant) -> bool {
        placed
            .grant
            .valid_until
            .is_none_or(|until| until > self.now)
    }

    /// Whether `placed` is what the person of `grants` is, or was when their last grant ended, and
    /// is within what they administer.
    fn administers_last(&self, grants: &[PlacedGrant], placed: &PlacedGrant) -> bool {
        self.is_answered_for_by(grants, placed) && within(&self.administers, &placed.path)
    }

    /// Whether the person of `grants` is answered for by `placed`: it holds or will; where none
    /// does, it is among those that ended last.
    fn is_answered_for_by(&self, grants: &[PlacedGrant], placed: &PlacedGrant) -> bool {
        if grants.iter().any(|grant| self.lasts(grant)) {
            return self.lasts(placed);
        }
        let ended_last = grants.iter().map(|grant| grant.grant.valid_until).max();
        Some(placed.grant.valid_until) == ended_last
    }

    /// Refuses whoever administers nothing at all.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn require_administrator(&self) -> Result<(), Failure> {
        if self.administers.is_empty() {
            return Err(Failure::Forbidden("administrators may do this".to_owned()));
        }
        Ok(())
    }

    /// Refuses a place outside of what they administer.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who administers nothing; out of scope otherwise, as for a place
    /// that does not exist.
    pub fn require_over(&self, path: Option<&str>) -> Result<(), Failure> {
        self.require_administrator()?;
        if path.is_some_and(|path| within(&self.administers, path)) {
            return Ok(());
        }
        let rule = "administrators grant and end roles within their own jurisdiction";
        Err(Refusal::new(RefusalCode::OutOfScope, rule).into())
    }

    /// Refuses acts on a person who holds, or will hold, any role that they do not administer:
    /// a town's administrator does not shut out an inspector of the district. Where no role is
    /// left, those count that ended last.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn require_all_of(&self, grants: &[PlacedGrant]) -> Result<(), Failure> {
        self.require_administrator()?;
        if self.administers_all(grants) {
            return Ok(());
        }
        let why = "this person holds roles outside of your jurisdiction";
        Err(Failure::Forbidden(why.to_owned()))
    }

    fn administers_all(&self, grants: &[PlacedGrant]) -> bool {
        let counts = |placed: &&PlacedGrant| self.is_answered_for_by(grants, placed);
        let mut counting = grants.iter().filter(counts).peekable();
        counting.peek().is_some() && counting.all(|placed| within(&self.administers, &placed.path))
    }

    /// The person as they may see them.
    pub fn show(&self, person: Person, grants: Vec<PlacedGrant>) -> PersonView {
        let me = person.id == self.view.person_id;
        let phone_too = me || self.administers_all(&grants);
        PersonView {
            id: person.id,
            login: person.login,
            name: person.name,
            phone: person.phone.filter(|_| phone_too),
            disabled_at: person.disabled_at,
            grants: grants
                .into_iter()
                .filter(|placed| me || self.sees(placed))
                .map(|placed| placed.grant)
                .collect(),
            version: person.version,
        }
    }
}

/// Whether `path` is one of `paths` or below it.
fn within(paths: &[String], path: &str) -> bool {
    paths.iter().any(|above| path.starts_with(above.as_str()))
}

/// Without the paths that lie below others.
fn outermost(mut paths: Vec<String>) -> Vec<String> {
    paths.sort_unstable();
    paths.dedup_by(|path, above| path.starts_with(above.as_str()));
    paths
}
