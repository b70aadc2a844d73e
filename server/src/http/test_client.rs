//! What the tests of the routes share: requests to a whole server without a socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::any::Any;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App as ActixApp, web};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use uuid::Uuid;

use crate::test_support::{NOW, TestServer, person};
use crate::usecases::sign_in::access_token::Bearer;
use crate::usecases::sign_in::session;

/// What came back.
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// `null` when there was no JSON.
    pub json: Value,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The body, of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self.json
    }

    /// The code of a problem with this status.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.expect(status)["code"].as_str().unwrap().to_owned()
    }
}

/// One request.
pub(crate) struct Ask<'a> {
    server: &'a TestServer,
    request: TestRequest,
}

/// A request below `/api/v1` by somebody of the sample.
pub(crate) fn ask<'a>(server: &'a TestServer, login: &str, method: &str, path: &str) -> Ask<'a> {
    let bearer = Bearer {
        person_id: person(login),
        session_id: Uuid::from_u128(1),
        install_id: None,
    };
    let (token, _) = session::access(&server.app, bearer, server.app.clock.now()).unwrap();
    anonymous(server, method, path).with("Authorization", &format!("Bearer {token}"))
}

/// A request below `/api/v1` by nobody.
pub(crate) fn anonymous<'a>(server: &'a TestServer, method: &str, path: &str) -> Ask<'a> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = TestRequest::default()
        .method(method)
        .uri(&format!("/api/v1{path}"));
    Ask { server, request }
}

impl Ask<'_> {
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.insert_header((name, value));
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.set_json(body);
        self
    }

    pub fn bytes(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.request = self
            .request
            .insert_header(("Content-Type", media_type))
            .set_payload(body);
        self
    }

    pub async fn answer(self) -> Answer {
        let routes = routes(self.server).await;
        let response = (routes.0)(self.request).await;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_body(response).await.to_vec();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            json,
            body,
        }
    }
}

/// Every route of one server, and nothing of another's.
struct Routes(Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, ServiceResponse<BoxBody>>>);

/// Those of this server, built for its first request.
async fn routes(server: &TestServer) -> Rc<Routes> {
    let built = match server.routes.get() {
        Some(built) => built.clone(),
        None => {
            let service = init_service(
                ActixApp::new()
                    .app_data(web::Data::new(server.app.clone()))
                    .configure(super::configure),
            );
            let service = Rc::new(service.await);
            let call = move |request: TestRequest| {
                let service = service.clone();
                let answer = async move { service.call(request.to_request()).await.unwrap() };
                Box::pin(answer) as LocalBoxFuture<'static, _>
            };
            let built: Rc<dyn Any> = Rc::new(Routes(Box::new(call)));
            // Two first requests at once: either's will do.
            server.routes.get_or_init(|| built).clone()
        }
    };
    built.downcast().unwrap()
}

pub(crate) async fn get(server: &TestServer, login: &str, path: &str) -> Answer {
    ask(server, login, "GET", path).answer().await
}

pub(crate) async fn post(server: &TestServer, login: &str, path: &str, body: &Value) -> Answer {
    ask(server, login, "POST", path).json(body).answer().await
}

/// A new id of version 7, the same for the same number.
pub(crate) fn new_id(number: u64) -> String {
    let mut random = [1; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let ms = u64::try_from(NOW.as_millis()).unwrap();
    uuid::Builder::from_unix_timestamp_millis(ms, &random)
        .into_uuid()
        .to_string()
}

/// The body of a report at an enterprise of the sample.
pub(crate) fn report_body(id: &str, enterprise: &str, description: &str) -> Value {
    serde_json::json!({
        "id": id,
        "source": "enterprise_self_check",
        "grade": "general",
        "enterprise_id": crate::sample::id(enterprise).to_string(),
        "description": description,
        "place_text": "2#除尘器",
        "position": {"longitude": 105.594, "latitude": 29.405, "reference": "wgs84"},
        "found_at": NOW.to_string(),
        "no_photo_reason": "试验",
    })
}

/// The body of a command.
pub(crate) fn command_body(number: u64, command: Value) -> Value {
    serde_json::json!({"command_id": new_id(number), "command": command})
}

pub(crate) fn confirmation() -> Value {
    serde_json::json!({
        "kind": "confirm",
        "grade": "general",
        "responsible_person": "刘志远",
        "requirement": "清理积尘",
        "due_date": "2026-12-02",
        "category": "粉尘防爆",
    })
}

/// A second district with one town, beside the sample's, added by the city's administrator;
/// answers the town.
pub(crate) async fn second_district(server: &TestServer) -> String {
    let (district, town) = (new_id(900), new_id(901));
    let city = crate::sample::id("500000000000").to_string();
    for (id, parent, level) in [(&district, &city, "district"), (&town, &district, "town")] {
        let body =
            serde_json::json!({"id": id, "parent_id": parent, "name": level, "level": level});
        post(server, "admin", "/jurisdictions", &body)
            .await
            .expect(201);
    }
    town
}
