//! Schemas that the derive macros cannot get right, put right in the finished document: names that
//! come out of macros, and commands, which are closed objects with a `kind` beside their fields.

use hazardloop_domain::command::{
    ActionKind, AttendeeRole, Grade, Handling, HazardDomain, InspectionKind, ItemOutcome,
    ListingLevel, PhotoKind, ReopenCause, SignerRole, Source, SubjectKind, VisitPart,
};
use hazardloop_domain::pack::{Cadence, Evidence, StandardStatus};
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Schema};

/// Puts right what is wrong. Does nothing to schemas that are not there.
pub(super) fn correct(document: &mut OpenApi) {
    let Some(components) = &mut document.components else {
        return;
    };
    name_values(
        components,
        "ActionKind",
        &names(ActionKind::ALL, ActionKind::as_str),
    );
    name_values(components, "Grade", &names(Grade::ALL, Grade::as_str));
    name_values(
        components,
        "PhotoKind",
        &names(PhotoKind::ALL, PhotoKind::as_str),
    );
    name_values(components, "Source", &names(Source::ALL, Source::as_str));
    name_values(
        components,
        "HazardDomain",
        &names(HazardDomain::ALL, HazardDomain::as_str),
    );
    name_values(
        components,
        "ListingLevel",
        &names(ListingLevel::ALL, ListingLevel::as_str),
    );
    name_values(
        components,
        "ReopenCause",
        &names(ReopenCause::ALL, ReopenCause::as_str),
    );
    name_values(
        components,
        "InspectionKind",
        &names(InspectionKind::ALL, InspectionKind::as_str),
    );
    name_values(
        components,
        "AttendeeRole",
        &names(AttendeeRole::ALL, AttendeeRole::as_str),
    );
    name_values(
        components,
        "VisitPart",
        &names(VisitPart::ALL, VisitPart::as_str),
    );
    name_values(
        components,
        "ItemOutcome",
        &names(ItemOutcome::ALL, ItemOutcome::as_str),
    );
    name_values(
        components,
        "Handling",
        &names(Handling::ALL, Handling::as_str),
    );
    name_values(
        components,
        "SignerRole",
        &names(SignerRole::ALL, SignerRole::as_str),
    );
    name_values(
        components,
        "Evidence",
        &names(Evidence::ALL, Evidence::as_str),
    );
    name_values(
        components,
        "StandardStatus",
        &names(StandardStatus::ALL, StandardStatus::as_str),
    );
    name_values(components, "Cadence", &names(Cadence::ALL, Cadence::as_str));
    // Answers show these with more beside their own fields.
    for schema in ["Criterion", "PackHead"] {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(schema) {
            object.additional_properties = None;
        }
    }
    describe_commands(components);
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| name(*value)).collect()
}

/// The derive macro sees a name that another macro fills in as no name at all.
fn name_values(components: &mut Components, schema: &str, values: &[&'static str]) {
    if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(schema) {
        object.enum_values = Some(values.iter().map(|value| (*value).into()).collect());
    }
}

/// What stands in documents for the commands that are sent to inspections.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "a name in documents: there is no value of it")]
pub(super) struct InspectionAction;

/// Whether this kind of action is sent to the commands of a hazard or an inspection: a report has
/// a route of its own, and some are the server's alone.
const fn is_a_command(kind: ActionKind) -> bool {
    !kind.is_servers_own() && !matches!(kind, ActionKind::Report)
}

/// The name of the schema of a command. Two kinds share one payload.
fn command_name(kind: ActionKind, payload: &str) -> String {
    match kind {
        ActionKind::AttachInspectionPhoto => "AttachInspectionPhotoCommand".to_owned(),
        ActionKind::RecordInspectionPhotoLost => "RecordInspectionPhotoLostCommand".to_owned(),
        _ => format!("{payload}Command"),
    }
}

/// `allOf` of a closed object and its `kind` fits nothing: each refuses the other's fields. So
/// every command becomes one closed object of its own.
fn describe_commands(components: &mut Components) {
    let Some(RefOr::T(Schema::OneOf(action))) = components.schemas.get("Action") else {
        return;
    };
    // Variants come in the order of the kinds: one macro writes both.
    let payloads: Vec<Option<String>> = action.items.iter().map(payload_name).collect();
    let union = || OneOfBuilder::new().description(Some("What is done, told apart by `kind`."));
    let (mut to_hazards, mut to_inspections) = (union(), union());
    for (kind, payload) in ActionKind::ALL.iter().zip(payloads) {
        let fields = payload.and_then(|name| Some((components.schemas.get(&name)?.clone(), name)));
        if let (Some((RefOr::T(Schema::Object(fields)), name)), true) =
            (fields, is_a_command(*kind))
        {
            let name = command_name(*kind, &name);
            let command = with_kind(fields, kind.as_str());
            components
                .schemas
                .insert(name.clone(), RefOr::T(Schema::Object(command)));
            let item = Ref::from_schema_name(name);
            match kind.subject() {
                SubjectKind::Hazard => to_hazards = to_hazards.item(item),
                SubjectKind::Inspection => to_inspections = to_inspections.item(item),
            }
        }
    }
    for (name, union) in [("Action", to_hazards), ("InspectionAction", to_inspections)] {
        components
            .schemas
            .insert(name.to_owned(), RefOr::T(Schema::OneOf(union.build())));
    }
}

fn payload_name(variant: &RefOr<Schema>) -> Option<String> {
    let RefOr::T(Schema::AllOf(parts)) = variant else {
        return None;
    };
    parts.items.iter().find_map(|part| match part {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        RefOr::T(_) => None,
    })
}

fn with_kind(mut fields: Object, kind: &'static str) -> Object {
    let only = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([kind]))
        .build();
    fields
        .properties
        .insert("kind".to_owned(), RefOr::T(Schema::Object(only)));
    fields.required.insert(0, "kind".to_owned());
    fields
}
