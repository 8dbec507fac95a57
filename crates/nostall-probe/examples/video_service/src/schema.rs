//! The table, for diesel.

diesel::table! {
    video_service_videos (id) {
        id -> BigInt,
        title -> Text,
        channel -> Text,
        seconds -> Integer,
    }
}
