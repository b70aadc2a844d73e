//! What is read off another phone's screen.

use hazardloop_sync_protocol::cosign_text::{SigningAnswer, SigningRequest};
use hazardloop_sync_protocol::witness::ShownHead;

/// A text in UTF-8; what is not is nobody's text.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(request) = SigningRequest::from_text(text) {
        if let Some(written) = request.to_text() {
            assert_eq!(SigningRequest::from_text(&written).as_ref(), Ok(&request));
        }
        // What is shown and signed is all there is.
        if let Ok((command, statement)) = request.open() {
            assert_eq!(statement.fields, command.action.encode_fields());
        }
    }
    if let Ok(answer) = SigningAnswer::from_text(text) {
        let again = SigningAnswer::from_text(&answer.to_text());
        assert_eq!(again.as_ref(), Ok(&answer));
    }
    if let Ok(head) = ShownHead::from_text(text) {
        assert!(head.head.is_whole(), "a head that nobody signed");
    }
}
