//! A REST client as a third party would write one: JSON in and out, a bearer token.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its work fails the test, with the reason"
)]

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Request;

use crate::server::DEMO_PASSWORD;

/// Bytes of an answer that are read at most.
const LONGEST_ANSWER: u64 = 256 * 1024 * 1024;

/// A client, signed in or not. Cheap to clone.
#[derive(Clone)]
pub struct Rest {
    agent: ureq::Agent,
    origin: String,
    token: Option<String>,
}

/// What came back.
pub struct Answer {
    /// The request, for a failure's text.
    pub asked: String,
    /// HTTP status.
    pub status: u16,
    /// Header fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Rest {
    /// A client of the server (or the link to it) at `address`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .max_redirects(0)
            .build();
        Self {
            agent: config.into(),
            origin: format!("http://{address}"),
            token: None,
        }
    }

    /// The same client with this access token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// Its access token.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The same client, signed in as a sample account.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn signed_in(&self, login: &str) -> Self {
        let session = self.session(login);
        self.with_token(session["access_token"].as_str().expect("an access token"))
    }

    /// What the server says to a sign-in with a sample account.
    ///
    /// # Panics
    /// When it refuses.
    #[must_use]
    pub fn session(&self, login: &str) -> Value {
        let body = json!({ "login": login, "password": DEMO_PASSWORD });
        self.post("/api/v1/sessions", &body)
            .expect_status(&[200, 201])
            .json()
    }

    /// GET.
    ///
    /// # Panics
    /// When no answer comes (as with every method of this client).
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None)
    }

    /// POST of JSON.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(
            "POST",
            path,
            &[("content-type", "application/json")],
            Some(body.to_string().as_bytes()),
        )
    }

    /// A command on a hazard; `command_id` is made by the caller.
    #[must_use]
    pub fn command(&self, hazard_id: &str, command_id: &str, command: &Value) -> Answer {
        let body = json!({ "command_id": command_id, "command": command });
        self.post(&format!("/api/v1/hazards/{hazard_id}/commands"), &body)
    }

    /// Any request.
    #[must_use]
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let asked = format!("{method} {path}");
        self.try_ask(method, path, fields, body)
            .unwrap_or_else(|error| panic!("{asked}: {error}"))
    }

    /// Any request, over a network that may fail.
    ///
    /// # Errors
    /// What the network did.
    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = match body {
            Some(body) => self.agent.run(request.body(body.to_vec())?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let fields = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let body = response
            .body_mut()
            .with_config()
            .limit(LONGEST_ANSWER)
            .read_to_vec()?;
        Ok(Answer {
            asked: format!("{method} {path}"),
            status: response.status().as_u16(),
            fields,
            body,
        })
    }
}

impl Answer {
    /// The answer itself, if its status is one of `statuses`.
    ///
    /// # Panics
    /// When it is another.
    #[allow(
        clippy::must_use_candidate,
        reason = "often the status is all that matters"
    )]
    pub fn expect_status(self, statuses: &[u16]) -> Self {
        assert!(
            statuses.contains(&self.status),
            "{}: expected {statuses:?}, got {}: {}",
            self.asked,
            self.status,
            self.text()
        );
        self
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{}: {}: {error}: {}", self.asked, self.status, self.text())
        })
    }

    /// A header field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The problem's stable code.
    ///
    /// # Panics
    /// When the answer is not a problem document, or its status is not the answer's.
    #[must_use]
    pub fn problem(&self) -> String {
        let media_type = self.field("content-type").unwrap_or_default();
        assert!(
            media_type.starts_with("application/problem+json"),
            "{}: {} as {media_type:?}: {}",
            self.asked,
            self.status,
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{}: {problem}", self.asked);
        problem["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{}: no code: {problem}", self.asked))
            .to_owned()
    }
}
