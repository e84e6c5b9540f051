//! What the document says of who may ask: of every operation that is not public, by what one logs in and how it refuses.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, ResponseBuilder};

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
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let both = [("GET", &mut item.get), ("POST", &mut item.post)];
    both.into_iter()
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

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}
