//! What the document says of every operation beside its own: who may ask, by what one logs in, how it is refused, and what
//! any of them may answer.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::access::{Access, access};

const NOBODY: (&str, &str) = ("401", "nobody is logged in, or the session or token is over");
const NO_RIGHT: (&str, &str) = (
    "403",
    "the account lacks a right, or the request comes from a page of another site",
);
const TOO_OFTEN: (&str, &str) = (
    "429",
    "too many attempts failed; Retry-After says when to try again",
);

/// Adds what the table of routes says.
pub(crate) fn secured(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_with(Components::new);
    let cookie = ApiKeyValue::with_description("hemu_session", "of a person, from /api/v1/login");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            secure(operation, access(method, path), path.contains("/login"));
            tell_what_any_may_answer(operation);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("DELETE", &mut item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn secure(operation: &mut Operation, access: Option<Access>, login: bool) {
    let mut refusals = Vec::new();
    if access != Some(Access::Public) {
        let by = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        operation.security = Some(vec![by("session"), by("token")]);
        refusals.extend([NOBODY, NO_RIGHT]);
    }
    if login {
        refusals.extend([
            ("403", "the request comes from a page of another site"),
            TOO_OFTEN,
        ]);
    }
    for (status, description) in refusals {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| problem(description).into());
    }
}

/// What the layers around every handler answer, whatever it is about.
const ANYWHERE: [(&str, &str); 4] = [
    ("403", "the request comes from where this site is not open to"),
    (
        "429",
        "too many requests from one address; Retry-After says when to go on",
    ),
    ("500", "the server failed; its log says why"),
    (
        "503",
        "the store does not answer in time; Retry-After says when to try again",
    ),
];
const OF_PARAMETERS: [(&str, &str); 2] = [
    ("400", "a parameter is not what is expected"),
    (
        "404",
        "there is no such object, or it is none of the caller's business",
    ),
];
const OF_BODIES: [(&str, &str); 4] = [
    ("400", "the body cannot be read"),
    ("413", "the body is longer than 64 KiB"),
    ("415", "the body is not JSON"),
    ("422", "the body is not what is expected"),
];

fn tell_what_any_may_answer(operation: &mut Operation) {
    let asked = operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let of_parameters = OF_PARAMETERS.iter().filter(|_| asked);
    let of_bodies = OF_BODIES.iter().filter(|_| operation.request_body.is_some());
    let said: Vec<_> = ANYWHERE.iter().chain(of_parameters).chain(of_bodies).collect();
    let responses = &mut operation.responses.responses;
    for (status, description) in said {
        responses
            .entry((*status).to_owned())
            .or_insert_with(|| problem(description).into());
    }
    // A handler names the problem; in which form every problem comes is said here.
    for (status, response) in responses {
        if let (true, RefOr::T(response)) = (status.starts_with(['4', '5']), response)
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response
                .content
                .insert("application/problem+json".to_owned(), content);
        }
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}
