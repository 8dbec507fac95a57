//! URLs: joined to the base, refused, and shown without secrets.

use url::{ParseError, Position, Url};

use super::error::RequestError;

/// Reads the base URL. Its path becomes a folder, so that it is kept when others are joined to it.
pub(super) fn base(text: &str) -> Result<Url, RequestError> {
    let mut base = served(Url::parse(text)?)?;
    base.set_query(None);
    base.set_fragment(None);
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    Ok(base)
}

/// Joins a relative URL to the base; an absolute one stays as it is.
pub(super) fn resolve(base: &Url, text: &str) -> Result<Url, RequestError> {
    match Url::parse(text) {
        Ok(absolute) => served(absolute),
        Err(ParseError::RelativeUrlWithoutBase) => within(base, base.join(text)?),
        Err(error) => Err(error.into()),
    }
}

/// Scheme, host and port. The URL has no user and no password.
pub(super) fn origin(url: &Url) -> &str {
    &url[..Position::AfterPort]
}

/// The URL without user, password, query and fragment.
pub(super) fn shown(url: &Url) -> String {
    let before_user = &url[..Position::BeforeUsername];
    let host_to_path = &url[Position::BeforeHost..Position::AfterPath];
    format!("{before_user}{host_to_path}")
}

/// Whether both have the same scheme, host and port.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host() == b.host()
        && a.port_or_known_default() == b.port_or_known_default()
}

fn served(url: Url) -> Result<Url, RequestError> {
    match url.scheme() {
        "https" if !cfg!(feature = "tls") => Err(RequestError::NoTls),
        "http" | "https" => Ok(url),
        scheme => Err(RequestError::Scheme {
            scheme: scheme.to_owned(),
        }),
    }
}

/// `//other/path` and its variants are relative, but lead to another host: what was put together from parts must not get there.
fn within(base: &Url, joined: Url) -> Result<Url, RequestError> {
    if same_origin(base, &joined) {
        return Ok(joined);
    }
    let before_user = &joined[..Position::BeforeUsername];
    let host = &joined[Position::BeforeHost..Position::AfterPort];
    Err(RequestError::OtherHost {
        origin: format!("{before_user}{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base_text: &str, text: &str) -> Result<String, RequestError> {
        resolve(&base(base_text)?, text).map(Into::into)
    }

    #[test]
    fn relative_urls_keep_the_path_of_the_base() {
        let cases = [
            ("http://h/api/", "users", "http://h/api/users"),
            ("http://h/api", "users?id=1", "http://h/api/users?id=1"),
            ("http://h/api/?a=b#c", "", "http://h/api/"),
            ("http://h/api/", "/users", "http://h/users"),
            ("http://h/api/", "../users", "http://h/users"),
            ("http://h/api/", "./a:b", "http://h/api/a:b"),
            ("http://h/api/", "http://i:81/x", "http://i:81/x"),
            ("http://h", "a b", "http://h/a%20b"),
        ];
        for (base, text, joined) in cases {
            assert_eq!(check(base, text).unwrap(), joined, "{base} + {text}");
        }
    }

    #[test]
    fn relative_urls_do_not_lead_to_another_host() {
        for text in ["//evil/x", "/\\evil/x", "\\\\evil", "/\t/evil", "//h:81/x"] {
            let error = check("http://h/api/", text).unwrap_err();
            assert!(matches!(error, RequestError::OtherHost { .. }), "{text}");
        }
        assert_eq!(check("http://h/api/", "//h/x").unwrap(), "http://h/x");
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for text in ["ftp://h/", "file:///etc/passwd", "user:42", "unix:/x"] {
            let error = check("http://h/", text).unwrap_err();
            assert!(matches!(error, RequestError::Scheme { .. }), "{text}");
            assert!(base(text).is_err());
        }
        for text in ["http://", "http://h:99999/", "http://a b/"] {
            let error = check("http://h/", text).unwrap_err();
            assert!(matches!(error, RequestError::Url(_)), "{text}");
        }
        assert!(matches!(base("api/"), Err(RequestError::Url(_))));
    }

    #[test]
    fn secrets_are_not_shown() {
        let url = Url::parse("https://me:word@h:81/a/b?key=c#d").unwrap();
        assert_eq!(shown(&url), "https://h:81/a/b");
        let error = check("http://h/", "//me:word@evil/").unwrap_err();
        assert!(!error.to_string().contains("word"), "{error}");
    }
}
