//! GET /api/v1/home-code.svg: the address of the residents' page as a picture to scan, for what is printed. It carries
//! nobody's code.

use axum::http::{HeaderName, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::extract::Params;
use crate::problem::Problem;
use crate::qr::drawn;

/// Most bytes of an address.
const LONGEST: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Find {
    /// The residents' page as people reach it, such as `https://hemu.example/home`.
    url: String,
}

/// The address of the residents' page as a QR code.
#[utoipa::path(get, path = "/api/v1/home-code.svg", tag = "site", params(Find),
    responses((status = 200, body = String, content_type = "image/svg+xml"), (status = 400, body = Problem)))]
pub(crate) async fn get(
    Params(Find { url }): Params<Find>,
) -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    let web = ["http://", "https://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    if !(web && plain && url.ends_with("/home") && url.len() <= LONGEST) {
        let detail = format!(
            "expected the address of the residents' page, such as https://hemu.example/home, of at most {LONGEST} \
             characters; came another"
        );
        return Err(Problem::bad_request(detail));
    }
    let picture = drawn(&url).ok_or_else(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], picture))
}

#[cfg(test)]
mod tests {
    use crate::testing::Site;

    #[tokio::test]
    async fn the_residents_page_is_drawn_and_nothing_else_is() {
        let site = Site::filled().await;
        let path = |url: &str| format!("/api/v1/home-code.svg?url={url}");
        let (status, picture) = site.text(&path("http://127.0.0.1:8080/home")).await;
        assert_eq!(status, 200);
        assert!(
            picture.starts_with("<svg ") && !picture.contains("127.0.0.1"),
            "{picture}"
        );
        for other in [
            "https://evil.example/",
            "javascript:/home",
            "https://x/home%23code=A",
        ] {
            site.refuses(&path(other), 400, "address of the residents' page")
                .await;
        }
    }
}
