//! Where a request comes from, as browsers say it. A page cannot set these headers.

use axum::http::{HeaderMap, HeaderName, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request comes from a page of this site; `None` where nothing is said, as by programs.
pub(crate) fn is_ours(headers: &HeaderMap) -> Option<bool> {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return Some(site == "same-origin");
    }
    let origin = headers.get(header::ORIGIN)?;
    let (Ok(origin), Some(Ok(host))) = (
        origin.to_str(),
        headers.get(header::HOST).map(|host| host.to_str()),
    ) else {
        return Some(false);
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    Some(authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_site_are_ours() {
        let asked = |headers: &[(HeaderName, &str)]| {
            let host = (header::HOST, "hemu.example:8443");
            let all = [host].into_iter().chain(headers.iter().cloned());
            is_ours(&all.map(|(name, value)| (name, value.parse().unwrap())).collect())
        };
        assert_eq!(asked(&[]), None);
        assert_eq!(
            asked(&[(header::ORIGIN, "https://hemu.example:8443")]),
            Some(true)
        );
        for foreign in [
            "https://hemu.example",
            "https://evil.example:8443",
            "null",
            "hemu.example:8443",
        ] {
            assert_eq!(asked(&[(header::ORIGIN, foreign)]), Some(false), "{foreign}");
        }
        assert_eq!(asked(&[(SEC_FETCH_SITE, "same-origin")]), Some(true));
        for foreign in ["cross-site", "same-site", "none"] {
            let both = [
                (SEC_FETCH_SITE, foreign),
                (header::ORIGIN, "https://hemu.example:8443"),
            ];
            assert_eq!(asked(&both), Some(false), "{foreign}");
        }
    }
}
