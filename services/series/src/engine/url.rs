//! `series_url`: which engine, and where. Nothing secret is in it.

use url::Url;

/// What is wrong with `series_url` or `series_token`.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    #[error(
        "series_url: expected victoriametrics+http://HOST:8428/ or influxdb+http://HOST:8086/?org=ORG&bucket=BUCKET, came {0}"
    )]
    Scheme(String),
    #[error(
        "series_url: https is not spoken to an engine; put a proxy with TLS on this machine and name that, by http"
    )]
    Https,
    #[error("series_url: a login does not belong into it; set series_token")]
    Login,
    #[error("series_url: expected {0}")]
    Parameters(&'static str),
    #[error("series_token: expected a line of printable ASCII")]
    Token,
    #[error("series_url: its client cannot be made ({0})")]
    Client(String),
}

/// Where an engine is; addresses end without a slash.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Victoria {
        base: String,
        write: String,
    },
    Influx {
        base: String,
        org: String,
        bucket: String,
    },
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let Some((engine @ ("victoriametrics" | "influxdb"), address)) = text.split_once('+') else {
            return Err(UrlError::Scheme(scheme(text)));
        };
        let (url, parameters) = plain(address)?;
        if engine == "influxdb" {
            return Self::influx(url, parameters);
        }
        match &parameters[..] {
            [] => Ok(Self::Victoria {
                write: url.clone(),
                base: url,
            }),
            [(name, write)] if name == "write" => {
                let (write, rest) = plain(write)?;
                if !rest.is_empty() {
                    return Err(UrlError::Parameters("no parameters in the address behind write="));
                }
                Ok(Self::Victoria { base: url, write })
            }
            _ => Err(UrlError::Parameters(
                "no parameter but write=, the address for writing where it is another (a cluster's vminsert)",
            )),
        }
    }

    fn influx(base: String, parameters: Vec<(String, String)>) -> Result<Self, UrlError> {
        let (mut org, mut bucket) = (String::new(), String::new());
        for (name, value) in parameters {
            match name.as_str() {
                "org" => org = value,
                "bucket" => bucket = value,
                _ => return Err(UrlError::Parameters("no parameters but org= and bucket=")),
            }
        }
        if org.is_empty() || bucket.is_empty() {
            return Err(UrlError::Parameters("org= and bucket=, each with a name"));
        }
        // "http:", "" and the host: the crate would ask at the root whatever follows.
        if base.split('/').count() > 3 {
            return Err(UrlError::Parameters(
                "no path: InfluxDB is asked at the root of its address",
            ));
        }
        Ok(Self::Influx { base, org, bucket })
    }
}

/// The address without its parameters, and these.
fn plain(address: &str) -> Result<(String, Vec<(String, String)>), UrlError> {
    let mut url = Url::parse(address).map_err(|_| UrlError::Scheme(scheme(address)))?;
    match url.scheme() {
        "http" if url.has_host() => {}
        "https" => return Err(UrlError::Https),
        _ => return Err(UrlError::Scheme(scheme(address))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Login);
    }
    let parameters = url.query_pairs().into_owned().collect();
    url.set_query(None);
    url.set_fragment(None);
    Ok((url.as_str().trim_end_matches('/').to_owned(), parameters))
}

/// What may be shown of an address: a login in it may not.
fn scheme(text: &str) -> String {
    let scheme = text.split_once("://").map_or("no scheme", |(scheme, _)| scheme);
    scheme.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Place::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_address_says_which_engine_and_where_to_write() {
        let place = |base: &str, write: &str| Place::Victoria {
            base: base.into(),
            write: write.into(),
        };
        let one = "http://127.0.0.1:8428";
        for text in [
            "victoriametrics+http://127.0.0.1:8428/",
            "victoriametrics+http://127.0.0.1:8428",
        ] {
            assert_eq!(Place::parse(text).unwrap(), place(one, one));
        }
        let cluster =
            "victoriametrics+http://select:8481/select/0/prometheus?write=http://insert:8480/insert/0/influx";
        let expected = place(
            "http://select:8481/select/0/prometheus",
            "http://insert:8480/insert/0/influx",
        );
        assert_eq!(Place::parse(cluster).unwrap(), expected);
    }

    #[test]
    fn influxdbs_address_names_organization_and_bucket() {
        let place = Place::Influx {
            base: "http://localhost:8086".into(),
            org: "和睦".into(),
            bucket: "a b".into(),
        };
        let text = "influxdb+http://localhost:8086/?org=%E5%92%8C%E7%9D%A6&bucket=a%20b";
        assert_eq!(Place::parse(text).unwrap(), place);
        for (text, says) in [
            ("influxdb+http://localhost:8086/?org=hemu", "org= and bucket="),
            (
                "influxdb+http://localhost:8086/?org=&bucket=b",
                "org= and bucket=",
            ),
            (
                "influxdb+http://localhost:8086/?org=a&bucket=b&token=sesame",
                "no parameters but",
            ),
            ("influxdb+http://localhost/influx/?org=a&bucket=b", "no path"),
        ] {
            let told = refused(text);
            assert!(told.contains(says) && !told.contains("sesame"), "{told}");
        }
    }

    #[test]
    fn what_is_no_engines_address_is_refused_without_its_login() {
        assert!(refused("http://localhost:8428").contains("came http"));
        assert!(refused("graphite+http://localhost").contains("came graphite+http"));
        assert!(refused("victoriametrics+https://localhost").contains("proxy with TLS"));
        assert!(refused("victoriametrics+http://localhost/?db=x").contains("no parameter but write="));
        let login = refused("victoriametrics+http://me:sesame@localhost");
        assert!(
            login.contains("series_token") && !login.contains("sesame"),
            "{login}"
        );
        let login = refused("me:sesame@localhost");
        assert!(!login.contains("sesame"), "{login}");
    }
}
