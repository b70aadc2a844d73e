//! What happens to hazards, visits and enterprises in the random world.

use super::*;

fn confirmation() -> Value {
    json!({"kind": "confirm", "grade": "general", "requirement": "清理", "responsible_person": "王强",
        "category": "粉尘防爆",
        "due_date": "2026-12-02"})
}

impl World<'_> {
    pub(super) async fn report(&mut self, rng: &mut StdRng) {
        let (author, source, what) = one_of(
            rng,
            &[
                (Author::Inspector, "dept_inspection", "report"),
                (Author::Employee, "enterprise_self_check", "report"),
                (Author::Public, "tipoff", "tipoff"),
                (Author::Importer, "import", "import"),
                (Author::Importer, "dept_inspection", "import"),
            ],
        );
        let firm = match author {
            Author::Employee => self.firms[0],
            _ => one_of(rng, &self.firms),
        };
        let mut report = json!({
            "kind": "report", "source": source, "grade": "general", "description": "积尘",
            "place_text": "2#除尘器", "found_at": NOW.to_string(), "no_photo_reason": "试验",
            "enterprise_id": firm,
        });
        if what == "tipoff" && rng.random_range(0..3) == 0 {
            let at = json!({"longitude": 105.594, "latitude": 29.405, "reference": "wgs84"});
            report["enterprise_id"] = Value::Null;
            report["position"] = at;
        }
        let id = hazard_id(self.next());
        if self.send(author, id.0, report).await {
            self.hazards.push(id);
            self.reporters.insert(id.0, self.who(author));
            self.did(what);
        }
    }

    pub(super) async fn plan(&mut self, rng: &mut StdRng) {
        let kind = one_of(
            rng,
            &["plan", "unannounced_visit", "expert_visit", "self_check"],
        );
        let firm = match kind {
            "self_check" => self.firms[0],
            _ => one_of(rng, &self.firms),
        };
        let mut setup = json!({
            "kind": kind, "enterprise_id": firm, "checklists": [], "basis": "年度计划",
            "reason": "接到举报", "team": [{"person_id": self.who(Author::Inspector)},
                {"person_id": self.who(Author::Expert)}, {"person_id": self.someone(rng)}],
        });
        let id = InspectionId(hazard_id(self.next()).0);
        let (author, action) = match kind {
            "self_check" => {
                setup["cadence"] = json!("daily");
                setup["team"] = json!([]);
                setup["checklists"] =
                    json!([{"code": "GM-CK-D-DUST", "edition": 1, "mandatory": []}]);
                let item = json!({"checklist": "GM-CK-D-DUST", "item": "1"});
                let begun = json!({
                    "kind": "submit_self_check", "findings": [],
                    "results": [{"item": item, "outcome": "ok"}],
                    "start": {"setup": setup, "started_at": "2026-11-22T00:30:00Z",
                        "place_text": "车间"},
                    "completion": {"completed_at": "2026-11-22T00:50:00Z", "situation": "无",
                        "no_hazard_found": true},
                });
                (Author::Employee, begun)
            }
            _ => {
                let planned = json!({"kind": "plan_inspection", "setup": setup,
                    "window_from": "2026-11-22", "window_to": "2026-11-29"});
                (Author::Reviewer, planned)
            }
        };
        if self.send(author, id.0, action).await {
            self.inspections.push(id);
            self.did(kind);
        }
    }

    pub(super) async fn move_on_visit(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..4) {
            0 => {
                let action = json!({"kind": "cancel_inspection", "reason": "停业"});
                self.try_on_visit(rng, "cancel", Author::Reviewer, action)
                    .await;
            }
            1 => {
                let people = [Author::Inspector, Author::Public].map(|author| self.who(author));
                let team = people.map(|id| json!({"person_id": id}));
                let action = json!({"kind": "change_team", "team": team, "reason": "回避"});
                self.try_on_visit(rng, "change_team", Author::Reviewer, action)
                    .await;
            }
            _ => {
                let start = json!({"kind": "start_inspection", "place_text": "车间",
                    "started_at": "2026-11-22T00:30:00Z", "certificates_shown": true});
                self.try_on_visit(rng, "start", Author::Inspector, start)
                    .await;
            }
        }
    }

    pub(super) async fn move_on(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..5) {
            0 => {
                let firm = one_of(rng, &self.firms);
                let action = json!({"kind": "amend", "based_on": 1, "enterprise_id": firm});
                self.try_on(rng, "amend", Author::Reviewer, action).await;
            }
            1 => {
                let action = confirmation();
                self.try_on(rng, "confirm", Author::Reviewer, action).await;
            }
            2 => {
                let sector = one_of(rng, &SECTORS);
                let action =
                    json!({"kind": "assign_sector", "sector": sector, "department": "某局"});
                self.try_on(rng, "assign_sector", Author::Reviewer, action)
                    .await;
            }
            3 => {
                let action = json!({"kind": "withdraw", "reason": "重复上报"});
                let author = one_of(rng, &[Author::Public, Author::Importer]);
                self.try_on(rng, "withdraw", author, action).await;
            }
            _ => {
                let action = json!({"kind": "reject", "reason": "不构成隐患"});
                self.try_on(rng, "reject", Author::Reviewer, action).await;
            }
        }
    }

    /// Some are confirmed, and a report repeats one of them.
    pub(super) async fn repeated(&mut self) {
        let all = self.hazards.clone();
        let (confirmed, others) = all.split_at(all.len() / 3);
        for hazard in confirmed {
            if self.send(Author::Reviewer, hazard.0, confirmation()).await {
                self.did("confirm");
            }
        }
        for hazard in others {
            for into in confirmed {
                let merge = json!({"kind": "merge", "into": into, "reason": "同一处"});
                if self.send(Author::Reviewer, hazard.0, merge).await {
                    return self.did("merge");
                }
            }
        }
    }

    pub(super) async fn transfer(&mut self, rng: &mut StdRng) {
        let mut action = json!({"kind": "transfer", "to_body": "某局", "reason": "属地"});
        if rng.random_range(0..5) > 0 {
            action["to_jurisdiction"] = json!(one_of(rng, &self.places));
        }
        self.try_on(rng, "transfer", Author::Reviewer, action).await;
    }

    pub(super) async fn receive(&mut self, rng: &mut StdRng) {
        let accepted = rng.random_range(0..2) == 0;
        let action = json!({"kind": "receive_transfer", "accepted": accepted, "receipt_no": "8号",
            "note": "见附件"});
        let what = if accepted { "received" } else { "sent_back" };
        // Few are under way: whichever is.
        for hazard in self.hazards.clone() {
            if self.send(Author::Receiver, hazard.0, action.clone()).await {
                self.did(what);
                return;
            }
        }
    }

    pub(super) async fn firm(&mut self, rng: &mut StdRng) {
        let id = v7(2, self.next());
        let sector = one_of(rng, &SECTORS).to_owned();
        let town = self.places[rng.random_range(2..5)];
        let made =
            enterprises::create(self.app(), person("admin"), firm_of(id, town, sector)).await;
        self.firms.push(made.unwrap().0.id);
        self.did("firm");
    }

    pub(super) async fn relocate(&mut self, rng: &mut StdRng) {
        let firm = one_of(rng, &self.firms);
        let now = enterprises::one(self.app(), person("admin"), firm).await;
        let asked = relocate::Move {
            seen: now.unwrap().version,
            to: self.places[rng.random_range(2..5)],
            reason: "搬迁".to_owned(),
        };
        let moved = relocate::relocate(self.app(), person("admin"), firm, asked);
        moved.await.unwrap();
        self.did("relocate");
    }

    /// A town is merged into a new one of its district, while other things go on.
    pub async fn merge_towns(&mut self, rng: &mut StdRng) {
        let number = self.next();
        let into = JurisdictionId(v7(9, number));
        let district = self.places[0];
        add_place(self.app(), into, district, Level::Town).await;
        let from = self.places[rng.random_range(2..4)];
        let seen = self.node(from).version;
        let asked = merge_jurisdictions::Asked {
            seen,
            into,
            reason: "区划调整".to_owned(),
        };
        let done = merge_jurisdictions::merge(self.app(), person("admin"), from, asked);
        done.await.unwrap();
        // From now on nobody who knows better names it.
        self.merged.push(from);
        for place in &mut self.places {
            if *place == from {
                *place = into;
            }
        }
        for _ in 0..12 {
            self.step(rng).await;
            let done = merge_jurisdictions::advance_once(self.app(), from);
            done.await.unwrap();
        }
        self.did("merge_towns");
    }

    fn node(&self, id: JurisdictionId) -> hazardloop_domain::jurisdiction::Jurisdiction {
        let read = self
            .app()
            .db
            .read_blocking(|tx| crate::store::jurisdictions::one(tx.conn(), id));
        read.unwrap().unwrap().node
    }

    /// Hazards and enterprises that are filed in a town that is gone.
    pub fn left_in_merged(&self) -> usize {
        assert!(!self.merged.is_empty());
        let hazards = self.hazards.iter().filter(|id| {
            let loaded = self
                .app()
                .db
                .read_blocking(|tx| crate::store::hazards::load(tx.conn(), **id));
            self.merged
                .contains(&loaded.unwrap().unwrap().hazard.jurisdiction_id)
        });
        let firms = self.firms.iter().filter(|id| {
            let loaded = self
                .app()
                .db
                .read_blocking(|tx| crate::store::places::enterprise(tx.conn(), **id));
            self.merged
                .contains(&loaded.unwrap().unwrap().jurisdiction_id)
        });
        hazards.count() + firms.count()
    }

    /// An enterprise turns out to be of another sector.
    pub(super) async fn correct(&mut self, rng: &mut StdRng) {
        let firm = one_of(rng, &self.firms);
        let now = enterprises::one(self.app(), person("admin"), firm).await;
        let sector = one_of(rng, &SECTORS);
        let correction = move |before: Enterprise| Enterprise {
            sector: sector.to_owned(),
            ..before
        };
        let (seen, correction) = (
            now.unwrap().version,
            enterprises::Correction::of(correction),
        );
        let done = enterprises::correct(self.app(), person("admin"), firm, seen, correction);
        done.await.unwrap();
        self.did("correct");
    }
}
