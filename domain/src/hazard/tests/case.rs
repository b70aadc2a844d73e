//! One hazard, brought to where a test begins by commands that really made it.

use super::*;

/// One hazard's record as commands make it.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) hazard: Option<Hazard>,
    pub(super) history: Vec<EventRecord>,
    pub(super) facts: Facts,
    pub(super) id: HazardId,
}

impl Case {
    pub(super) fn new() -> Self {
        let facts = Facts {
            jurisdiction_id: Some(TOWN),
            merge_target: Some(MergeTarget {
                status: StatusName::Confirmed,
                grade: Grade::Major,
                enterprise_id: Some(ENTERPRISE),
            }),
            ..Facts::at(NOW, Limits::default(), calendar())
        };
        Self {
            hazard: None,
            history: Vec::new(),
            facts,
            id: HAZARD,
        }
    }

    pub(super) fn reported(source: Source, grade: Grade) -> Self {
        let mut case = Self::new();
        case.must(&author(source), Action::Report(report(source, grade)));
        case
    }

    /// A hazard brought to `state` by people whom no test uses again, with every photo received
    /// where closure is near, and awaited otherwise.
    pub(super) fn in_state(state: StatusName, source: Source, grade: Grade) -> Self {
        if state == StatusName::Unreported {
            return Self::new();
        }
        let submitter = person(Role::Principal, 50);
        let mut case = Self::reported(source, grade);
        match state {
            StatusName::Unreported | StatusName::Reported => return case,
            StatusName::Rejected => {
                case.must(&person(Role::DepartmentReviewer, 50), reject());
                return case;
            }
            StatusName::Withdrawn => {
                // Not through the rules: they let no major hazard come here, and the stated
                // outcomes speak of it all the same.
                let Action::Withdraw(withdrawal) = withdraw() else {
                    unreachable!()
                };
                let by = id_of(&author(source));
                case.record(Some(by), HazardEvent::Withdrawn { withdrawal });
                return case;
            }
            StatusName::Merged => {
                case.must(&person(Role::DepartmentReviewer, 50), merge());
                return case;
            }
            StatusName::Transferred => {
                let other = Some(JurisdictionId(Uuid::from_u128(0x73)));
                case.must(&person(Role::DepartmentReviewer, 50), transfer(other));
                return case;
            }
            _ => case.confirmed_by_inspectors(grade),
        }
        if state == StatusName::Confirmed {
            return case;
        }
        if grade == Grade::Major {
            case.must(&submitter, submit_plan());
            case.must(&person(Role::DepartmentReviewer, 50), decide_plan(true));
        }
        case.must(&submitter, submit(2));
        if state == StatusName::Rectifying {
            case.must(&inspector(51), fail(None));
            return case;
        }
        case.must(&inspector(51), pass());
        case.must(&inspector(52), pass());
        case.must(&Actor::System, receive(1));
        case.must(&Actor::System, receive(2));
        if state == StatusName::Closed {
            case.must(&inspector(53), close());
        }
        case
    }

    /// Confirmed by one inspector, or by two where it is major.
    pub(super) fn confirmed_by_inspectors(&mut self, grade: Grade) {
        self.must(&inspector(50), confirm(grade));
        if grade == Grade::Major {
            self.must(&inspector(54), agree());
        }
    }

    /// A major hazard with a plan that the department has acknowledged.
    pub(super) fn planned(source: Source) -> Self {
        Self::after(
            StatusName::Confirmed,
            source,
            Grade::Major,
            [
                (person(Role::Principal, 50), submit_plan()),
                (person(Role::DepartmentReviewer, 50), decide_plan(true)),
            ],
        )
    }

    /// As [`Case::in_state`], then `steps` in turn.
    pub(super) fn after(
        state: StatusName,
        source: Source,
        grade: Grade,
        steps: impl IntoIterator<Item = (Actor, Action)>,
    ) -> Self {
        let mut case = Self::in_state(state, source, grade);
        for (actor, action) in steps {
            case.must(&actor, action);
        }
        case
    }

    pub(super) fn hazard(&self) -> &Hazard {
        self.hazard.as_ref().unwrap()
    }

    pub(super) fn state(&self) -> StatusName {
        self.hazard
            .as_ref()
            .map_or(StatusName::Unreported, Hazard::status_name)
    }

    /// Sends one command and records what it does.
    pub(super) fn act(&mut self, actor: &Actor, action: Action) -> Result<Outcome, Refusal> {
        let command = Command::new(self.id, action);
        let decision = decide(self.hazard.as_ref(), &command, actor, &self.facts)?;
        for event in decision.events {
            self.record(actor.person_id(), event);
        }
        Ok(decision.outcome)
    }

    pub(super) fn record(&mut self, actor_id: Option<PersonId>, event: HazardEvent) {
        let record = EventRecord {
            hazard_id: self.id,
            seq: self.history.len() as i64 + 1,
            actor_id,
            recorded_at: self.facts.now,
            origin: Origin::DIRECT,
            event,
        };
        match &mut self.hazard {
            Some(hazard) => hazard.apply(&record),
            None => self.hazard = Hazard::begin(&record),
        }
        self.history.push(record);
    }

    #[track_caller]
    pub(super) fn must(&mut self, actor: &Actor, action: Action) {
        let kind = action.kind();
        if let Err(refusal) = self.act(actor, action) {
            panic!("{kind:?} by {actor:?}: {refusal:?}");
        }
    }

    #[track_caller]
    pub(super) fn refused(&mut self, actor: &Actor, action: Action) -> Refusal {
        let before = self.hazard.clone();
        let kind = action.kind();
        let refusal = self.act(actor, action).expect_err(kind.as_str());
        assert_eq!(self.hazard, before, "a refusal changes nothing");
        refusal
    }

    #[track_caller]
    pub(super) fn refused_as(&mut self, code: RefusalCode, actor: &Actor, action: Action) {
        let refusal = self.refused(actor, action);
        assert_eq!(refusal.code, code, "{refusal:?}");
    }

    #[track_caller]
    pub(super) fn refused_field(&mut self, field: &str, actor: &Actor, action: Action) {
        let refusal = self.refused(actor, action);
        assert_eq!(refusal.code, RefusalCode::InvalidField, "{refusal:?}");
        assert_eq!(refusal.field.as_deref(), Some(field), "{refusal:?}");
        assert!(refusal.rule.contains(field), "{refusal:?}");
    }
}
