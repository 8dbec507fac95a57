//! The header `Retry-After`, in both of its forms.
//!
//! <https://www.rfc-editor.org/rfc/rfc9110.html#section-10.2.3>

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Nobody waits longer; it also keeps a number from the net from overflowing a clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long the server asks to be left alone. `None` also for 0 and for a date that has passed: the usual pause is enough then.
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = seconds(text).or_else(|| until(text, headers))?;
    (!pause.is_zero()).then(|| pause.min(LONGEST))
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Digits that do not fit into a number still mean a very long time.
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

/// From the server's own `Date`, if it sent one, so that clocks which differ do no harm.
fn until(text: &str, headers: &HeaderMap) -> Option<Duration> {
    let then = httpdate::parse_http_date(text).ok()?;
    let now = date(headers, DATE).unwrap_or_else(SystemTime::now);
    Some(then.duration_since(now).unwrap_or_default())
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(HeaderName, &str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect();
        of(&headers).map(|pause| pause.as_secs())
    }

    #[test]
    fn seconds_and_dates() {
        let sent = (DATE, "Sun, 06 Nov 1994 08:49:30 GMT");
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(check(&[(RETRY_AFTER, "120")]), Some(120));
        assert_eq!(check(&[(RETRY_AFTER, date), sent.clone()]), Some(7));
        assert_eq!(check(&[(RETRY_AFTER, date)]), None, "long ago");
        assert_eq!(check(&[(RETRY_AFTER, "0")]), None);
        assert_eq!(check(&[sent]), None);
    }

    #[test]
    fn nonsense_is_ignored_and_huge_numbers_are_capped() {
        for text in ["", "-1", "1.5", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(check(&[(RETRY_AFTER, text)]), None, "{text}");
        }
        for text in ["18446744073709551615", "99999999999999999999999"] {
            assert_eq!(check(&[(RETRY_AFTER, text)]), Some(LONGEST.as_secs()));
        }
    }
}
