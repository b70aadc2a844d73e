//! Rows of the table: commands that could not be judged.

use super::*;

/// Administrators and department heads settle what could not be judged.
const fn settlers(status: u16, others: u16) -> Answers {
    but(all(others), &[ADMINISTRATOR, HEAD], status)
}

pub(super) fn rows() -> Vec<Row> {
    rows! {
        listQuarantined: settlers(200, 403), settlers(200, 403), |case| case.ask("GET", "/quarantined");
        readQuarantined: settlers(200, 404), HIDDEN, |case| case.ask("GET", &case.quarantined(20, ""));
        // Each one of their own.
        settleQuarantined: settlers(200, 404), HIDDEN, |case| {
            let path = case.quarantined(1 + case.column, "/settle");
            case.post(&path, &json!({"how": "dismissed", "note": "已核实"}))
        };
        // Signed by a device's own key: of one that was never enrolled, nothing is taken, whoever sends it.
        offerCommands: all(401), all(401), |case| {
            let device = crate::test_support::TestDevice::enrol_again(0, "employee");
            let offer = hazardloop_sync_protocol::wire::OfferRequest::sign(
                device.key(),
                1,
                device.install_id,
                vec![],
                vec![],
            );
            crate::http::test_client::anonymous(&case.world.server, "POST", "/sync/offer").bytes(
                hazardloop_sync_protocol::wire::MEDIA_TYPE_CBOR,
                minicbor::to_vec(offer).unwrap(),
            )
        };
        // One's own, whoever one is; of another's, nothing, whoever answers for them.
        listAttention: all(200), all(200), |case| case.ask("GET", "/attention");
        listSettled: all(200), all(200), |case| case.ask("GET", "/attention/settled");
        readAttention: HIDDEN, HIDDEN, |case| case.ask("GET", &case.attention(20, ""));
        chooseAttention: HIDDEN, HIDDEN, |case| {
            case.post(&case.attention(20, "/choice"), &json!({"how": "given_up", "reason": "重复"}))
        };
    }
}
