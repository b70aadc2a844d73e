//! What lies over the main line of a hazard, in words: the order and how it was counted, plan,
//! extensions, what waits for a second person, the correction. Measures: `show_measures.rs`.

use hazardloop_domain::calendar::DayKind;
use hazardloop_domain::command::{
    ExpertOpinion, Grade, HazardDomain, ListingLevel, Nature, Party, Served,
};
use hazardloop_domain::hazard::{
    Deadline, Extension, Hazard, Mark, Order, Plan, Proposed, Status, Submission, hazard_number,
};

use super::args::Language;
use super::show_disputed;
use super::words::say;

/// Marks behind a line of a list.
pub(super) fn marks(hazard: &Hazard, lang: Language) -> String {
    let listed = hazard.listing.as_ref().filter(|_| hazard.is_listed());
    let listed = listed.map(|listing| {
        let level = level(lang, listing.listing.level);
        format!("{} {level}", say(lang, "挂牌督办", "listed"))
    });
    let suspended = hazard
        .is_suspended()
        .then(|| say(lang, "停产停用", "work stopped").to_owned());
    let reopened = (hazard.reopened > 0).then(|| match lang {
        Language::Zh => format!("重新开启 {} 次", hazard.reopened),
        Language::En => format!("reopened {} time(s)", hazard.reopened),
    });
    let second = hazard
        .proposal
        .as_ref()
        .map(|_| say(lang, "待第二人复核", "waits for a second person").to_owned());
    let disputed = show_disputed::mark(hazard, lang);
    let all = [listed, suspended, reopened, second, disputed];
    let all = all.into_iter().flatten();
    all.map(|mark| format!("  [{mark}]")).collect()
}

/// The lines of one hazard.
pub(super) fn lines(hazard: &Hazard, lang: Language) -> Vec<String> {
    let words = Words(lang);
    let mut lines = Vec::new();
    words.about(&mut lines, hazard);
    if let Some(order) = hazard.order() {
        words.order(&mut lines, order);
    }
    if let Some(plan) = &hazard.plan {
        words.plan(&mut lines, plan, hazard.grade);
    }
    lines.extend(hazard.extensions.iter().map(|e| words.extension(e)));
    if let Some(proposal) = &hazard.proposal {
        lines.push(words.proposal(&proposal.proposed, &proposal.mark));
    }
    match &hazard.status {
        Status::PendingReinspection { submission, .. } | Status::Closed { submission, .. } => {
            words.submission(&mut lines, submission, hazard.passes_needed());
        }
        Status::Transferred { transfer } => lines.push(words.transfer(transfer)),
        _ => {}
    }
    lines.extend(words.ending(&hazard.status));
    lines.extend(hazard.listing.iter().map(|listing| words.listing(listing)));
    if let Some(suspension) = &hazard.suspension {
        words.suspension(&mut lines, suspension);
    }
    lines.extend(
        hazard
            .penalties
            .iter()
            .map(|penalty| words.penalty(penalty)),
    );
    lines.extend(hazard.spot_checks.iter().map(|it| words.spot_check(it)));
    lines
}

pub(super) const fn level(lang: Language, level: ListingLevel) -> &'static str {
    match level {
        ListingLevel::Town => say(lang, "镇街", "town"),
        ListingLevel::District => say(lang, "区县", "district"),
        ListingLevel::City => say(lang, "市", "city"),
        ListingLevel::Province => say(lang, "省", "province"),
        ListingLevel::Nation => say(lang, "国家", "nation"),
    }
}

const fn grade(lang: Language, grade: Grade) -> &'static str {
    match grade {
        Grade::General => say(lang, "一般隐患", "a general hazard"),
        Grade::Major => say(lang, "重大事故隐患", "a major hazard"),
    }
}

/// Says things in one language.
pub(super) struct Words(pub(super) Language);

impl Words {
    pub(super) const fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        say(self.0, zh, en)
    }

    pub(super) fn line(&self, zh: &'static str, en: &'static str, text: &str) -> String {
        format!("{}: {text}", self.say(zh, en))
    }

    pub(super) fn join(&self, parts: impl IntoIterator<Item = Option<String>>) -> String {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(self.say("；", "; "))
    }

    pub(super) fn part(&self, zh: &'static str, en: &'static str, text: &str) -> Option<String> {
        Some(format!("{} {text}", self.say(zh, en)))
    }

    fn unless_blank(&self, zh: &'static str, en: &'static str, text: &str) -> Option<String> {
        (!text.is_empty()).then(|| self.part(zh, en, text))?
    }

    fn party(&self, zh: &'static str, en: &'static str, party: &Party) -> Option<String> {
        let said = [Some(&party.name), party.post.as_ref(), party.phone.as_ref()];
        let said: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
        self.part(zh, en, &said.join(" "))
    }

    pub(super) fn maybe(
        &self,
        zh: &'static str,
        en: &'static str,
        text: Option<&String>,
    ) -> Option<String> {
        self.part(zh, en, text?)
    }

    pub(super) fn on(&self, mark: &Mark) -> String {
        mark.at.shanghai_date().to_string()
    }

    fn about(&self, lines: &mut Vec<String>, hazard: &Hazard) {
        if hazard.fixed_on_spot {
            lines.push(self.say("即查即改", "corrected on the spot").to_owned());
        }
        if let Some(id) = hazard.recurrence_of {
            let number = hazard_number(id);
            lines.push(self.line("重复隐患，上次", "repeats", &number));
        }
        if hazard.sector.is_some() || hazard.department.is_some() {
            let both = [hazard.sector.as_ref(), hazard.department.as_ref()];
            let both: Vec<&str> = both.into_iter().flatten().map(String::as_str).collect();
            let both = both.join(self.say("，", ", "));
            lines.push(self.line("监管行业和主管部门", "sector and department", &both));
        }
        if let Some(nature) = &hazard.nature {
            lines.push(self.nature(nature));
        }
        if let Some(immediate) = &hazard.immediate_measure {
            lines.push(self.line("临时措施", "done at once", immediate));
        }
    }

    fn nature(&self, nature: &Nature) -> String {
        let domain = nature.domain.map(|domain| match domain {
            HazardDomain::Safety => self.say("安全生产", "safety"),
            HazardDomain::Fire => self.say("消防", "fire"),
            HazardDomain::NaturalDisaster => self.say("自然灾害", "natural disaster"),
            HazardDomain::SpecialEquipment => self.say("特种设备", "special equipment"),
        });
        let accident = nature.accident_type.as_ref();
        let said = self.join([
            domain.map(str::to_owned),
            nature.category.clone(),
            self.maybe("可能事故", "may lead to", accident),
            self.maybe("原因", "because of", nature.cause.as_ref()),
            self.maybe("危害程度", "harm", nature.consequence.as_ref()),
            self.maybe("整改难易", "difficulty", nature.difficulty.as_ref()),
            self.maybe("风险点", "risk point", nature.risk_point.as_ref()),
        ]);
        self.line("隐患类别", "nature", &said)
    }

    pub(super) fn order(&self, lines: &mut Vec<String>, order: &Order) {
        let counted = order.deadline.as_ref().map(|counted| self.counted(counted));
        let first = (order.due_date_original != order.due_date)
            .then(|| self.part("最初期限", "first", &order.due_date_original.to_string()))
            .flatten();
        let due = Some(order.due_date.to_string());
        let due = self.join([due, counted, first]);
        lines.push(self.line("整改期限", "due", &due));
        let who = self.join([
            Some(order.responsible_person.clone()),
            order.responsible_unit.clone(),
        ]);
        lines.push(self.line("整改责任人", "responsible", &who));
        lines.push(self.line("整改要求", "required", &order.requirement));
        if let Some(basis) = &order.basis {
            lines.push(self.line("判定依据", "basis", basis));
        }
        lines.extend(order.expert_opinion.as_ref().map(|e| self.expert(e)));
        lines.extend(order.served.as_ref().map(|served| self.served(served)));
    }

    fn counted(&self, counted: &Deadline) -> String {
        let kind = match counted.kind {
            DayKind::Calendar => self.say("天", "calendar days"),
            DayKind::Working => self.say("个工作日", "working days"),
        };
        let (days, start) = (counted.days, counted.start);
        let said = match self.0 {
            Language::Zh => format!("自 {start} 起 {days} {kind}"),
            Language::En => format!("{days} {kind} from {start}"),
        };
        let provisional = counted.provisional.then(|| {
            self.say(
                "暂定：有的年份尚未公布放假安排",
                "provisional: a year's working days are not published yet",
            )
            .to_owned()
        });
        let claimed = counted.start_claimed.then(|| {
            self.say(
                "起算日早于收到之日，以设备时间为准",
                "that day is before the receipt, by the device's clock",
            )
            .to_owned()
        });
        self.join([Some(said), claimed, provisional])
    }

    fn expert(&self, expert: &ExpertOpinion) -> String {
        let day = expert.given_on.map(|day| day.to_string());
        let said = self.join([Some(expert.name.clone()), day, Some(expert.opinion.clone())]);
        self.line("专家意见", "expert's opinion", &said)
    }

    fn served(&self, served: &Served) -> String {
        let how = match &served.refused_because {
            Some(why) => self.part("拒签：", "refused to sign:", why),
            None => Some(self.say("已签收", "signed").to_owned()),
        };
        let name = Some(served.name.clone());
        let witness = self.maybe("见证人", "witness", served.witness.as_ref());
        let said = self.join([name, served.post.clone(), how, witness]);
        self.line("送达", "served", &said)
    }

    fn plan(&self, lines: &mut Vec<String>, plan: &Plan, grade: Grade) {
        let decision = match &plan.decision {
            Some(decision) if decision.decision.accepted => {
                self.part("已确认：", "acknowledged:", &decision.decision.opinion)
            }
            Some(decision) => self.part("已退回：", "returned:", &decision.decision.opinion),
            None if grade == Grade::Major => Some(
                self.say("待主管部门确认", "waits for the department")
                    .to_owned(),
            ),
            None => None,
        };
        let (said, at) = (&plan.plan, self.on(&plan.submitted));
        lines.push(self.line("整改方案", "plan", &self.join([Some(at), decision])));
        let yuan = |fen: u64| format!("{}.{:02}", fen / 100, fen % 100);
        let yuan = said.funds_fen.map(yuan).unwrap_or_default();
        let funds = format!("{yuan} {}", said.funds_source);
        let told = said.workers_congress.as_ref().map(|told| {
            let text = format!("{} {}", told.reported_on, told.how);
            format!("{} {text}", self.say("向职工报告", "workers told"))
        });
        let parts = self.join([
            said.leader
                .as_ref()
                .and_then(|leader| self.party("责任", "leader", leader)),
            self.party("责任人", "carried out by", &said.responsible),
            self.unless_blank("临时措施", "until then", &said.measures_interim),
            self.part("治理措施", "measures", &said.measures_permanent),
            self.unless_blank("资金（元）", "funds (CNY)", funds.trim()),
            self.part("时限", "due", &said.due_date.to_string()),
            self.unless_blank("预案", "contingency", &said.contingency),
            self.maybe("目标", "goal", said.goal.as_ref()),
            told,
            self.maybe(
                "无公告栏照片",
                "no photo of the notice board",
                said.no_photo_reason.as_ref(),
            ),
        ]);
        lines.push(format!("  {parts}"));
        for stage in &said.milestones {
            lines.push(format!("  {} {}", stage.due_date, stage.goal));
        }
    }

    pub(super) fn extension(&self, extension: &Extension) -> String {
        let decision = match &extension.decision {
            Some(decision) if decision.decision.granted => {
                self.part("已同意：", "granted:", &decision.decision.opinion)
            }
            Some(decision) => self.part("未同意：", "not granted:", &decision.decision.opinion),
            None if extension.lapsed => Some(
                self.say("未经审批，已失效", "lapsed before anybody decided")
                    .to_owned(),
            ),
            None => Some(self.say("待审批", "waits for a decision").to_owned()),
        };
        let unproven = extension.time_unproven.then(|| {
            self.say(
                "期限后才送达，申请时间仅有本机时钟为证",
                "arrived after the due date; only the device's clock says when it was made",
            )
            .to_owned()
        });
        let (before, until) = (extension.due_date_before, extension.request.new_due_date);
        let said = self.join([
            Some(format!("{before} → {until}")),
            Some(extension.request.reason.clone()),
            self.part("管控", "controls", &extension.request.interim_controls),
            extension
                .request
                .expert_opinion
                .as_ref()
                .map(|e| self.expert(e)),
            unproven,
            decision,
        ]);
        self.line("延期申请", "extension", &said)
    }

    fn proposal(&self, proposed: &Proposed, mark: &Mark) -> String {
        let what = match proposed {
            Proposed::Confirmation {
                confirmation,
                deadline,
            } => {
                let due = deadline.as_ref().map_or(confirmation.due_date, |d| d.date);
                let grade = grade(self.0, confirmation.grade);
                self.join([
                    self.part("确认为", "confirm as", grade),
                    self.part("期限", "due", &due.to_string()),
                ])
            }
            Proposed::GradeChange { change } => self.join([
                self.part("等级改为", "grade becomes", grade(self.0, change.grade)),
                Some(change.reason.clone()),
            ]),
        };
        let said = self.join([Some(self.on(mark)), Some(what)]);
        self.line("待第二人复核", "waits for a second person", &said)
    }

    fn submission(&self, lines: &mut Vec<String>, submission: &Submission, needed: usize) {
        let passed = submission.passed_by.len();
        let passed = match self.0 {
            Language::Zh => format!("复查合格 {passed}/{needed}"),
            Language::En => format!("passed by {passed} of {needed}"),
        };
        let pairs = (!submission.pairs.is_empty()).then(|| match self.0 {
            Language::Zh => format!("照片配对 {} 组", submission.pairs.len()),
            Language::En => format!("{} pairs of photos", submission.pairs.len()),
        });
        let said = self.join([Some(submission.measures.clone()), pairs, Some(passed)]);
        lines.push(self.line("已提交整改", "correction", &said));
        if let Some(own) = &submission.self_acceptance {
            let people = own.accepted_by.join(self.say("、", ", "));
            let said = self.join([
                Some(own.accepted_on.to_string()),
                Some(people),
                Some(own.opinion.clone()),
            ]);
            lines.push(self.line("自验收", "accepted by the enterprise", &said));
        }
    }
}

#[cfg(test)]
#[path = "show_beside_tests.rs"]
mod tests;
