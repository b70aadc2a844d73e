//! Error answers for the description of the API. Each set below is named by the operations that may
//! answer so; what any operation may answer is added to all of them at the end.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::problem::PROBLEM_JSON;

fn problem(status: &str, description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(PROBLEM_JSON, content);
    let header = match status {
        "401" => Some(("WWW-Authenticate", "How to sign in: `Bearer`")),
        "405" => Some(("Allow", "The methods that there are at this path")),
        "429" | "503" => Some(("Retry-After", "Seconds to wait")),
        _ => None,
    };
    if let Some((name, what)) = header {
        let text = Object::with_type(Type::String);
        let header = HeaderBuilder::new()
            .schema(Some(text))
            .description(Some(what))
            .build();
        response = response.header(name, header);
    }
    response.into()
}

macro_rules! error_answers {
    ($($(#[$doc:meta])* $name:ident { $($status:literal $what:literal;)* })*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), problem($status, $what)),)*])
            }
        }
    )*};
}

error_answers! {
    /// What every operation of a signed-in person may answer.
    SignedIn {
        "401" "Not signed in: no token, an invalid or expired one, or one whose session has ended";
        "429" "Too many requests; see `Retry-After`";
        "503" "Busy; try again shortly";
    }
    /// What an operation that needs no sign-in but asks the database may answer.
    Anybody {
        "429" "Too many attempts; `Retry-After` says how long to wait";
        "503" "Busy; try again shortly";
    }
    /// Something sent along that cannot be read.
    Unreadable {
        "400" "A parameter, a header or the body cannot be read";
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
        "415" "The body is not application/json in UTF-8, or compressed";
        "422" "A field is not acceptable; `field` names it";
    }
    /// What an operation with a table as its body may answer.
    WithTable {
        "408" "The body came too slowly";
        "413" "The file is larger than the limit";
        "415" "The body is neither CSV nor XLSX, or compressed";
        "422" "Not a table within the limits, or rows with errors: all of them are in `rows`, and nothing was stored";
    }
    /// What an operation with a pack as its body may answer.
    WithArchive {
        "408" "The body came too slowly";
        "413" "The archive is larger than the limit";
        "415" "The body is no ZIP archive, or compressed once more";
        "422" "Not one folder within the limits, or files with errors: all of them are in `files`, and nothing was stored";
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
    /// What an operation with a sync message may answer.
    WithMessage {
        "400" "The body is no message of this kind";
        "403" "The device was revoked, or the token is of another device";
        "404" "No such device";
        "408" "The body came too slowly";
        "413" "Too many bytes, commands or scopes: send fewer";
        "415" "Unknown media type, or content coding: `CONTENT_CODING_UNKNOWN`, send the body without it";
    }
    /// What an operation with a message that is signed instead of carrying a token may answer.
    WithOffer {
        "400" "The body is no message of this kind";
        "401" "The signature is not that of an enrolled device";
        "403" "The device was revoked, and nothing of it is taken: it is lost or stolen, or it is too late";
        "408" "The body came too slowly";
        "413" "Too many bytes, commands or photos: send fewer";
        "415" "Unknown media type";
    }
    /// What an operation with the bytes of a photo may answer.
    WithPart {
        "400" "A malformed header, or the body was cut off; `Upload-Offset` says what was kept";
        "408" "The body came too slowly; `Upload-Offset` says what was kept";
        "413" "Beyond the announced length, too large a part, or too large a picture";
        "415" "Not a photo, or the body is no part";
        "422" "The photo is empty or damaged, or does not have the announced hash";
        "460" "The checksum does not fit; nothing of the part was kept";
    }
    /// What an operation on an upload may answer.
    OfUpload {
        "404" "No such upload of the caller's";
        "410" "Expired";
    }
    /// Another version of tus.
    OtherTus {
        "412" "Another version of tus; see `Tus-Version`";
    }
}

error_answers! {
    /// What any operation may answer, whoever asks.
    OfEverything {
        "405" "Not by this method: the answer to any other at this path";
        "500" "The server failed; what happened is in its log";
    }
}

/// Adds to every operation what any may answer, writes answers that nearly all share once, and puts
/// HEAD right: it has no bodies, and where one route serves GET and HEAD, a name of its own.
pub(super) fn complete(document: &mut OpenApi) {
    let shared = shared();
    for item in document.paths.paths.values_mut() {
        for operation in operations_of(item) {
            let told = &mut operation.responses.responses;
            for (status, answer) in OfEverything::responses() {
                told.entry(status).or_insert(answer);
            }
        }
        name_head(item);
        for response in item.head.iter_mut().flat_map(responses_of) {
            if let RefOr::T(response) = response {
                response.content.clear();
            }
        }
        for response in operations_of(item).flat_map(responses_of) {
            let known = shared.iter().find(|(_, answer)| *response == **answer);
            if let Some((name, _)) = known {
                *response = RefOr::Ref(Ref::new(format!("#/components/responses/{name}")));
            }
        }
    }
    let components = document.components.get_or_insert_default();
    components.responses.extend(shared);
}

/// Answers with a name, by which operations refer to them.
fn shared() -> BTreeMap<String, RefOr<Response>> {
    let all = SignedIn::responses()
        .into_iter()
        .chain(OfEverything::responses());
    all.map(|(status, answer)| {
        let name = match status.as_str() {
            "401" => "NotSignedIn",
            "405" => "MethodNotAllowed",
            "429" => "TooManyRequests",
            "503" => "Busy",
            _ => "ServerFailed",
        };
        (name.to_owned(), answer)
    })
    .collect()
}

/// Where one route serves both, HEAD comes out under the name of GET.
fn name_head(item: &mut PathItem) {
    let (Some(get), Some(head)) = (&item.get, &mut item.head) else {
        return;
    };
    if get.operation_id == head.operation_id {
        let name = get.operation_id.as_deref().unwrap_or_default();
        head.operation_id = Some(name.replacen("read", "head", 1));
        let summary = get.summary.as_deref().unwrap_or_default();
        head.summary = Some(format!("{summary}: the headers alone"));
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        head,
        post,
        put,
        patch,
        delete,
        options,
        ..
    } = item;
    [get, head, post, put, patch, delete, options]
        .into_iter()
        .flatten()
}

fn responses_of(operation: &mut Operation) -> impl Iterator<Item = &mut RefOr<Response>> {
    operation.responses.responses.values_mut()
}
