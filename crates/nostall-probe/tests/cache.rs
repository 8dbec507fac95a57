//! What the cache promises, asserted alike in memory and on a Redis server.
#![cfg(feature = "cache")]

mod cache_places;

use std::collections::BTreeMap;
use std::time::Duration;

use cache_places::places;
use nostall_probe::cache::{Cache, Pipeline, Reply, UrlError, ValueError};
use nostall_probe::{Cause, Error, IoSystem, Kind};

const HOUR: Duration = Duration::from_secs(3600);

fn value_error(error: &Error) -> &ValueError {
    match error.cause() {
        Cause::CacheValue(error) => error,
        other => panic!("not an error of a value: {other}"),
    }
}

#[tokio::test]
async fn values_are_bytes_and_read_as_asked() {
    for place in places().await {
        let (cache, key) = (&place.cache, place.key("value"));
        assert_eq!(cache.get(&key).await.unwrap(), None);
        assert_eq!(cache.get_bytes(&key).await.unwrap(), None);
        assert_eq!(cache.get_json::<u8>(&key).await.unwrap(), None);

        cache.set(&key, "grüße", None).await.unwrap();
        assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("grüße"));
        cache.set(&key, "", Some(HOUR)).await.unwrap();
        assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some(""));

        let binary = b"\r\n\0\xff".to_vec();
        cache.set(&key, &binary, None).await.unwrap();
        assert_eq!(cache.get_bytes(&key).await.unwrap(), Some(binary));
        let error = cache.get(&key).await.unwrap_err();
        assert!(matches!(value_error(&error), ValueError::NotText(_)));
        let error = cache.mget(&[&key]).await.unwrap_err();
        assert!(matches!(value_error(&error), ValueError::NotText(_)));

        let large = vec![b'x'; 1 << 20];
        cache.set(&key, &large, Some(HOUR)).await.unwrap();
        assert_eq!(cache.get_bytes(&key).await.unwrap(), Some(large));
        cache.del(&[key]).await.unwrap();
    }
}

#[tokio::test]
async fn json_is_written_and_read_and_its_errors_are_typed() {
    for place in places().await {
        let (cache, key) = (&place.cache, place.key("json"));
        let value = BTreeMap::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![])]);
        cache.set_json(&key, &value, Some(HOUR)).await.unwrap();
        assert_eq!(cache.get_json(&key).await.unwrap(), Some(value));
        let error = cache.get_json::<Vec<u8>>(&key).await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Json(_)));
        assert_eq!(error.tries(), 1);

        cache.set(&key, "not json", Some(HOUR)).await.unwrap();
        let error = cache.get_json::<String>(&key).await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Json(_)));

        let no_text_as_key = BTreeMap::from([(vec![1], 1)]);
        let error = cache.set_json(&key, &no_text_as_key, None).await;
        assert!(matches!(error.unwrap_err().cause(), Cause::Json(_)));
        assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("not json"));
        assert_eq!(place.io.snapshot().name(Kind::Cache, "set_json").errors, 1);
        cache.del(&[key]).await.unwrap();
    }
}

#[tokio::test]
async fn a_time_to_live_ends_is_replaced_and_is_kept() {
    for place in places().await {
        let (cache, key) = (&place.cache, place.key("ttl"));
        assert_eq!(cache.ttl(&key).await.unwrap(), None);
        assert!(!cache.expire(&key, HOUR).await.unwrap());

        cache.set(&key, "1", Some(HOUR)).await.unwrap();
        let left = cache.ttl(&key).await.unwrap().unwrap();
        assert!(left <= HOUR && left > HOUR - Duration::from_secs(20));
        assert_eq!(left.subsec_nanos() % 1_000_000, 0, "whole milliseconds");

        assert_eq!(cache.incr(&key, 1).await.unwrap(), 2);
        assert!(cache.ttl(&key).await.unwrap().is_some(), "incr keeps it");
        assert!(cache.expire(&key, HOUR * 2).await.unwrap());
        assert!(cache.ttl(&key).await.unwrap().unwrap() > HOUR);
        assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("2"));
        cache.set(&key, "1", None).await.unwrap();
        assert_eq!(cache.ttl(&key).await.unwrap(), None, "set clears it");

        let short = Duration::from_millis(200);
        assert!(cache.expire(&key, short).await.unwrap());
        assert!(cache.ttl(&key).await.unwrap().unwrap() <= short);
        tokio::time::sleep(short + Duration::from_millis(20)).await;
        assert_eq!(cache.get(&key).await.unwrap(), None);
        assert_eq!(cache.ttl(&key).await.unwrap(), None);
        assert!(!cache.expire(&key, HOUR).await.unwrap());
        assert_eq!(cache.del(&[&key]).await.unwrap(), 0);

        let shortest = Duration::from_millis(1);
        cache.set(&key, "7", Some(shortest)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(cache.incr(&key, 1).await.unwrap(), 1, "begins anew");
        assert_eq!(cache.ttl(&key).await.unwrap(), None, "and has no end");
        cache.del(&[key]).await.unwrap();
    }
}

#[tokio::test]
async fn a_time_to_live_of_nothing_or_of_ages_is_an_error_that_changes_nothing() {
    for place in places().await {
        let (cache, key) = (&place.cache, place.key("zero"));
        cache.set(&key, "kept", Some(HOUR)).await.unwrap();
        for ttl in [Duration::ZERO, Duration::MAX] {
            let wrong = ValueError::TtlOutOfRange { ttl };
            let pipeline = Pipeline::new().del(&key).expire(&key, ttl);
            let errors = [
                cache.set(&key, "x", Some(ttl)).await.unwrap_err(),
                cache.set_json(&key, "x", Some(ttl)).await.unwrap_err(),
                cache.expire(&key, ttl).await.unwrap_err(),
                cache.pipeline(pipeline).await.unwrap_err(),
            ];
            assert!(errors.iter().all(|error| *value_error(error) == wrong));
        }
        assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("kept"));

        let a_nanosecond = Some(Duration::from_nanos(1));
        cache.set(&key, "x", a_nanosecond).await.unwrap();
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        cache.set(&key, "x", Some(century)).await.unwrap();
        assert!(cache.ttl(&key).await.unwrap().unwrap() > century - HOUR);
        cache.del(&[key]).await.unwrap();
    }
}

#[tokio::test]
async fn incr_adds_whole_numbers_only() {
    for place in places().await {
        let (cache, key) = (&place.cache, place.key("incr"));
        assert_eq!(cache.incr(&key, 0).await.unwrap(), 0);
        assert_eq!(cache.incr(&key, -5).await.unwrap(), -5);
        assert_eq!(cache.incr(&key, 12).await.unwrap(), 7);
        assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("7"));

        for text in [
            "",
            "x",
            "1.5",
            "+1",
            "01",
            "-0",
            " 1",
            "1 ",
            "9223372036854775808",
        ] {
            cache.set(&key, text, None).await.unwrap();
            let error = cache.incr(&key, 1).await.unwrap_err();
            assert_eq!(*value_error(&error), ValueError::NotAnInteger, "{text:?}");
            assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some(text));
        }
        for (number, by) in [(i64::MAX, 1), (i64::MIN, -1), (-1, i64::MIN)] {
            let before = number.to_string();
            cache.set(&key, &before, None).await.unwrap();
            let error = cache.incr(&key, by).await.unwrap_err();
            assert_eq!(*value_error(&error), ValueError::Overflow);
            assert_eq!(cache.get(&key).await.unwrap(), Some(before));
        }
        cache.set(&key, i64::MIN.to_string(), None).await.unwrap();
        assert_eq!(cache.incr(&key, i64::MAX).await.unwrap(), -1);
        cache.del(&[key]).await.unwrap();
    }
}

#[tokio::test]
async fn many_keys_keep_their_order_and_count_once() {
    for place in places().await {
        let cache = &place.cache;
        let keys: Vec<_> = (0..100).map(|n| place.key(&format!("many-{n}"))).collect();
        for (n, key) in keys.iter().enumerate().filter(|(n, _)| n % 3 != 0) {
            cache.set(key, n.to_string(), Some(HOUR)).await.unwrap();
        }
        let expected = (0..100).map(|n| (n % 3 != 0).then(|| n.to_string()));
        let expected: Vec<_> = expected.collect();
        assert_eq!(cache.mget(&keys).await.unwrap(), expected);
        let twice = [&keys[1], &keys[0], &keys[1]];
        let one = Some("1".to_owned());
        assert_eq!(cache.mget(&twice).await.unwrap(), [one.clone(), None, one]);
        assert_eq!(cache.del(&twice).await.unwrap(), 1);
        assert_eq!(cache.del(&keys).await.unwrap(), 65);
        assert_eq!(cache.del(&keys).await.unwrap(), 0);

        assert_eq!(cache.mget::<&str>(&[]).await.unwrap(), []);
        assert_eq!(cache.del::<&str>(&[]).await.unwrap(), 0);
        for empty in [Pipeline::new(), Pipeline::new().atomic()] {
            assert!(cache.pipeline(empty).await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn each_command_of_a_pipeline_has_its_reply() {
    for place in places().await {
        let [text, number, missing] = ["text", "number", "missing"].map(|name| place.key(name));
        let pipeline = Pipeline::new()
            .set(&text, "x", None)
            .incr(&number, 40)
            .incr(&text, 1)
            .incr(&number, 2)
            .get(&number)
            .get(&missing)
            .expire(&text, HOUR)
            .expire(&missing, HOUR)
            .del(&number)
            .del(&number);
        for pipeline in [pipeline.clone(), pipeline.atomic()] {
            let replies = place.cache.pipeline(pipeline).await.unwrap();
            let not_a_number = Cause::CacheValue(ValueError::NotAnInteger);
            let expected = [
                Reply::Set,
                Reply::Incr(40),
                Reply::Failed(not_a_number),
                Reply::Incr(42),
                Reply::Get(Some(b"42".to_vec())),
                Reply::Get(None),
                Reply::Expire(true),
                Reply::Expire(false),
                Reply::Del(true),
                Reply::Del(false),
            ];
            assert_eq!(format!("{replies:?}"), format!("{expected:?}"));
            assert_eq!(replies[4].text(), Some("42"));
            assert!(place.cache.ttl(&text).await.unwrap().is_some());
            place.cache.del(&[&text]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn after_shutdown_everything_is_closed() {
    for place in places().await {
        let key = place.key("late");
        assert_eq!(place.cache.get(&key).await.unwrap(), None);
        let shutdown = place.io.shutdown(Duration::from_secs(1)).await;
        assert_eq!(shutdown.abandoned, 0);
        let error = place.cache.get(&key).await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Closed));
        let error = place.cache.incr(&key, 1).await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Closed));
    }
}

#[tokio::test]
async fn urls_that_are_not_understood_are_typed_errors_without_the_password() {
    let unknown = UrlError::UnknownScheme("memcached".to_owned());
    for (url, expected) in [
        ("secret", UrlError::NoScheme),
        ("memcached://u:secret@host", unknown),
    ] {
        let error = IoSystem::builder().cache(url).build().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
        let Cause::Other { source, .. } = error.into_cause() else {
            panic!("another cause");
        };
        assert_eq!(source.downcast_ref(), Some(&expected));
    }
}

/// Lists in Redis are made over the raw connections, since this interface has none.
#[cfg(feature = "redis")]
#[tokio::test]
async fn values_of_other_types_are_typed_errors_and_raw_commands_run() {
    use nostall_probe::cache::redis::{cmd, pipe};
    for place in places().await {
        let key = place.key("list");
        let Some(mut raw) = place.cache.redis() else {
            continue;
        };
        let mut push = cmd("LPUSH");
        let pushed = push.arg(&key).arg("x").query_async::<i64>(&mut raw);
        assert_eq!(pushed.await.unwrap(), 1);
        let (length, popped): (i64, String) = pipe()
            .atomic()
            .cmd("RPUSH")
            .arg(&key)
            .arg("y")
            .cmd("LPOP")
            .arg(&key)
            .query_async(&mut raw)
            .await
            .unwrap();
        assert_eq!((length, popped.as_str()), (2, "x"));

        let errors = [
            place.cache.get(&key).await.unwrap_err(),
            place.cache.incr(&key, 1).await.unwrap_err(),
        ];
        assert!(
            errors
                .iter()
                .all(|error| *value_error(error) == ValueError::WrongType)
        );
        assert_eq!(place.cache.mget(&[&key]).await.unwrap(), [None]);
        place.cache.del(&[key]).await.unwrap();
        place.io.shutdown(Duration::from_secs(1)).await;
        let late = cmd("PING").query_async::<String>(&mut raw).await;
        assert!(late.unwrap_err().is_io_error());
    }
}

#[test]
fn a_cache_goes_everywhere() {
    fn anywhere<T: Clone + Send + Sync + 'static>() {}
    fn sends<T: Send>(_: T) {}
    anywhere::<Cache>();
    anywhere::<Pipeline>();
    #[allow(dead_code, reason = "it need only compile")]
    fn futures(cache: &Cache) {
        sends(cache.get("k"));
        sends(cache.get_bytes("k"));
        sends(cache.get_json::<String>("k"));
        sends(cache.mget(&["k"]));
        sends(cache.ttl("k"));
        sends(cache.set("k", "v", None));
        sends(cache.set_json("k", "v", None));
        sends(cache.del(&["k"]));
        sends(cache.expire("k", HOUR));
        sends(cache.incr("k", 1));
        sends(cache.pipeline(Pipeline::new()));
    }
}
