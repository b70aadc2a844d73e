//! Error answers of hazards, enterprises and jurisdictions, for the description of the API.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::problem::PROBLEM_JSON;

fn problem(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content(PROBLEM_JSON, content)
        .into()
}

macro_rules! error_answers {
    ($($(#[$doc:meta])* $name:ident { $($status:literal $what:literal;)* })*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), problem($what)),)*])
            }
        }
    )*};
}

error_answers! {
    /// What every operation of a signed-in person may answer.
    SignedIn {
        "400" "A parameter, a header or the body cannot be read";
        "401" "Not signed in, or the sign-in has expired";
        "429" "Too many requests; see `Retry-After`";
        "503" "Busy; try again shortly";
    }
    /// 403 of an operation that asks for no role.
    DeviceMayBeRevoked {
        "403" "The device was revoked";
    }
    /// 403 of an operation that asks for a role.
    RoleNeeded {
        "403" "The caller's roles do not allow this, or the device was revoked";
    }
    /// Nothing there, or nothing that the caller may know of.
    Hidden {
        "404" "There is none that the caller may see";
    }
    /// What an operation with a JSON body may answer.
    WithBody {
        "408" "The body came too slowly";
        "413" "The body is larger than the limit";
        "415" "The body is not application/json in UTF-8";
        "422" "A field is not acceptable; `field` names it";
    }
    /// 422 of an operation without a body.
    WithParameters {
        "422" "A parameter is not acceptable; `field` names it";
    }
    /// A create under an id that was used for something else.
    IdTaken {
        "409" "The id was used for another request, or names a record that exists";
    }
    /// A command that the record's state does not allow.
    WrongState {
        "409" "Not possible in the present state (`from_state`, `allowed`), or the id was used for another request";
    }
    /// If-Match names another version.
    Outdated {
        "412" "The record has another version than `If-Match` names";
    }
    /// If-Match is missing.
    VersionNeeded {
        "428" "`If-Match` is required";
    }
}

/// The same answers to HEAD, which has no body.
pub struct HeadSignedIn;

impl IntoResponses for HeadSignedIn {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let described = [
            ("400", "A parameter cannot be read"),
            ("401", "Not signed in, or the sign-in has expired"),
            ("403", "The device was revoked"),
            ("404", "There is none that the caller may see"),
            ("429", "Too many requests; see `Retry-After`"),
            ("503", "Busy; try again shortly"),
        ];
        let answer = |(status, what): (&str, &str)| {
            (
                status.to_owned(),
                ResponseBuilder::new().description(what).build().into(),
            )
        };
        described.into_iter().map(answer).collect()
    }
}
