//! Transfer, ending, listing, suspension and penalties of a hazard, in words.

use hazardloop_domain::hazard::{
    Listing, Penalty, SpotCheckRecord, Status, Suspension, TransferRecord, hazard_number,
};

use super::show_beside::{Words, level};

impl Words {
    pub(super) fn transfer(&self, record: &TransferRecord) -> String {
        let (transfer, receipt) = (&record.transfer, record.receipt.as_ref());
        let receipt = match receipt.map(|recorded| &recorded.receipt) {
            Some(receipt) => {
                let number = self.part("回执", "receipt", &receipt.receipt_no);
                Some(self.join([number, receipt.note.clone()]))
            }
            None => Some(self.say("待回执", "its receipt is awaited").to_owned()),
        };
        let said = self.join([
            Some(self.on(&record.handed_over)),
            self.part("至", "to", &transfer.to_body),
            self.maybe("文号", "document", transfer.document_no.as_ref()),
            Some(transfer.reason.clone()),
            receipt,
        ]);
        self.line("移送", "transfer", &said)
    }

    pub(super) fn ending(&self, status: &Status) -> Option<String> {
        match status {
            Status::Rejected { reason, .. } => {
                Some(self.line("不予认定的原因", "rejected because", reason))
            }
            Status::Withdrawn { reason } => {
                Some(self.line("撤回的原因", "withdrawn because", reason))
            }
            Status::Merged { into, reason, .. } => {
                let said = self.join([Some(hazard_number(*into)), Some(reason.clone())]);
                Some(self.line("合并到", "merged into", &said))
            }
            Status::Rectifying {
                returned_because, ..
            } => {
                let why = returned_because.as_ref()?;
                Some(self.line("退回的原因", "returned because", why))
            }
            Status::Closed { opinion, .. } => Some(self.line("销号意见", "closed", opinion)),
            _ => None,
        }
    }

    pub(super) fn listing(&self, record: &Listing) -> String {
        let listing = &record.listing;
        let ended = record.delisting.as_ref().map(|ended| {
            let delisting = &ended.delisting;
            let said = self.join([
                Some(self.on(&ended.delisted)),
                Some(delisting.document_no.clone()),
                Some(delisting.opinion.clone()),
            ]);
            format!("{} {said}", self.say("已摘牌：", "ended:"))
        });
        let said = self.join([
            Some(level(self.0, listing.level).to_owned()),
            self.part("文号", "document", &listing.document_no),
            Some(listing.authority.clone()),
            Some(listing.requirement.clone()),
            listing
                .deadline
                .and_then(|day| self.part("督办期限", "until", &day.to_string())),
            ended,
        ]);
        self.line("挂牌督办", "listed supervision", &said)
    }

    pub(super) fn suspension(&self, lines: &mut Vec<String>, record: &Suspension) {
        let order = &record.order;
        let evacuate = order.evacuate.then(|| {
            self.say("责令撤出人员", "people are ordered out")
                .to_owned()
        });
        let state = match record.is_in_force() {
            true => self.say("执行中", "in force"),
            false => self.say("已解除", "ended"),
        };
        let said = self.join([
            Some(state.to_owned()),
            self.part("文号", "document", &order.document_no),
            Some(order.scope.clone()),
            Some(order.basis.clone()),
            evacuate,
        ]);
        lines.push(self.line("停产停用", "work stopped", &said));
        if let Some(asked) = &record.application {
            let said = self.join([
                Some(self.on(&asked.applied)),
                Some(asked.application.application.clone()),
                self.part("评估", "assessment", &asked.application.assessment),
                record
                    .is_resumption_asked_for()
                    .then(|| self.say("待审查", "waits for a decision").to_owned()),
            ]);
            lines.push(self.line("恢复生产申请", "asked to resume", &said));
        }
        if let Some(decided) = &record.decision {
            let granted = match decided.decision.granted {
                true => self.say("同意恢复", "granted"),
                false => self.say("不同意恢复", "not granted"),
            };
            let said = self.join([
                Some(granted.to_owned()),
                self.part("文号", "document", &decided.decision.document_no),
                decided
                    .decision
                    .reviewed_on
                    .and_then(|day| self.part("现场审查", "reviewed on site", &day.to_string())),
                Some(decided.decision.opinion.clone()),
            ]);
            lines.push(self.line("恢复生产审查", "decision on resuming", &said));
        }
    }

    pub(super) fn spot_check(&self, record: &SpotCheckRecord) -> String {
        let check = &record.check;
        let result = match check.passed {
            true => self.say("合格", "holds"),
            false if check.false_closure => {
                self.say("虚假整改，重新开启", "a false correction, open again")
            }
            false => self.say("不合格，重新开启", "failed, open again"),
        };
        let said = self.join([
            Some(self.on(&record.mark)),
            Some(result.to_owned()),
            Some(check.opinion.clone()),
            self.maybe("无照片", "no photo", check.no_photo_reason.as_ref()),
        ]);
        self.line("抽查", "spot check", &said)
    }

    pub(super) fn penalty(&self, record: &Penalty) -> String {
        let decision = record.penalty.decision.as_ref().map(|decision| {
            self.join([
                Some(decision.document_no.clone()),
                Some(decision.decided_on.to_string()),
                Some(decision.result.clone()),
            ])
        });
        let said = self.join([Some(record.penalty.case_no.clone()), decision]);
        self.line("处罚案件", "penalty case", &said)
    }
}
