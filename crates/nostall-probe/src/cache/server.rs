//! The cache in a Redis server: commands out, replies in.

use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value, cmd};

use super::ValueError;
use super::connections::{Connections, RedisConnection};
use super::options::{CacheOptions, Ttl};
use super::pipeline::{Command, Pipeline, Reply};
use crate::error::Cause;

pub(super) struct Redis(Connections);

impl Redis {
    pub(super) async fn connect(url: &str, options: &CacheOptions) -> Result<Self, Cause> {
        Ok(Self(Connections::open(url, options).await?))
    }

    pub(super) fn connection(&self) -> RedisConnection {
        RedisConnection(self.0.clone())
    }

    pub(super) fn close(&self) {
        self.0.close();
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Cause> {
        bytes(self.ask(cmd("GET").arg(key)).await?)
    }

    pub(super) async fn mget<K: AsRef<str>>(
        &self,
        keys: &[K],
    ) -> Result<Vec<Option<Vec<u8>>>, Cause> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match self.ask(&with_keys("MGET", keys)).await? {
            Value::Array(values) => values.into_iter().map(bytes).collect(),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn ttl(&self, key: &str) -> Result<Option<Duration>, Cause> {
        let left = number(self.ask(cmd("PTTL").arg(key)).await?)?;
        // Negative numbers say that there is no such key, or that it has no end.
        Ok(u64::try_from(left).ok().map(Duration::from_millis))
    }

    pub(super) async fn set(&self, key: &str, value: &[u8], ttl: Option<Ttl>) -> Result<(), Cause> {
        self.ask(&set(key, value, ttl)).await.map(drop)
    }

    pub(super) async fn del<K: AsRef<str>>(&self, keys: &[K]) -> Result<u64, Cause> {
        if keys.is_empty() {
            return Ok(0);
        }
        let removed = number(self.ask(&with_keys("DEL", keys)).await?)?;
        Ok(removed.unsigned_abs())
    }

    pub(super) async fn incr(&self, key: &str, by: i64) -> Result<i64, Cause> {
        number(self.ask(cmd("INCRBY").arg(key).arg(by)).await?)
    }

    pub(super) async fn expire(&self, key: &str, ttl: Ttl) -> Result<bool, Cause> {
        let set = self
            .ask(cmd("PEXPIRE").arg(key).arg(ttl.as_millis()))
            .await?;
        Ok(number(set)? == 1)
    }

    pub(super) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Reply>, Cause> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        match self.0.pipeline(&packed(pipeline)).await? {
            Value::Array(values) => {
                let commands = pipeline.commands.iter();
                Ok(commands.zip(values).map(|(c, v)| reply(c, v)).collect())
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, Cause> {
        no_error(self.0.command(command).await?)
    }
}

fn with_keys<K: AsRef<str>>(name: &str, keys: &[K]) -> Cmd {
    let mut command = cmd(name);
    for key in keys {
        command.arg(key.as_ref());
    }
    command
}

fn set(key: &str, value: &[u8], ttl: Option<Ttl>) -> Cmd {
    let mut command = cmd("SET");
    command.arg(key).arg(value);
    if let Some(ttl) = ttl {
        command.arg("PX").arg(ttl.as_millis());
    }
    command
}

fn packed(pipeline: &Pipeline) -> redis::Pipeline {
    let mut packed = redis::Pipeline::with_capacity(pipeline.len());
    // Errors stay where they are in the array of replies.
    packed.ignore_errors();
    if pipeline.atomic {
        packed.atomic();
    }
    for command in &pipeline.commands {
        match command {
            Command::Get { key } => packed.cmd("GET").arg(key),
            Command::Set { key, value, ttl } => packed.add_command(set(key, value, *ttl)),
            Command::Del { key } => packed.cmd("DEL").arg(key),
            Command::Incr { key, by } => packed.cmd("INCRBY").arg(key).arg(by),
            Command::Expire { key, ttl } => packed.cmd("PEXPIRE").arg(key).arg(ttl.as_millis()),
        };
    }
    packed
}

fn reply(command: &Command, value: Value) -> Reply {
    let reply = no_error(value).and_then(|value| {
        Ok(match command {
            Command::Get { .. } => Reply::Get(bytes(value)?),
            Command::Set { .. } => Reply::Set,
            Command::Del { .. } => Reply::Del(number(value)? > 0),
            Command::Incr { .. } => Reply::Incr(number(value)?),
            Command::Expire { .. } => Reply::Expire(number(value)? > 0),
        })
    });
    reply.unwrap_or_else(Reply::Failed)
}

/// Takes out the server's error.
fn no_error(value: Value) -> Result<Value, Cause> {
    let error = match value {
        Value::ServerError(error) => error,
        value => return Ok(value),
    };
    let detail = error.details().unwrap_or_default();
    // These have no codes of their own.
    if error.code() == "WRONGTYPE" {
        Err(ValueError::WrongType.into())
    } else if error.kind() != Some(ServerErrorKind::ResponseError) {
        Err(RedisError::from(error).into())
    } else if detail.starts_with("value is not an integer") {
        Err(ValueError::NotAnInteger.into())
    } else if detail.starts_with("increment or decrement would overflow") {
        Err(ValueError::Overflow.into())
    } else {
        Err(RedisError::from(error).into())
    }
}

fn bytes(value: Value) -> Result<Option<Vec<u8>>, Cause> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::Nil => Ok(None),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        other => Err(unexpected(&other)),
    }
}

fn number(value: Value) -> Result<i64, Cause> {
    match value {
        Value::Int(number) => Ok(number),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(value: &Value) -> Cause {
    let detail = format!("{value:.60?}");
    RedisError::from((ErrorKind::UnexpectedReturnType, "unexpected reply", detail)).into()
}
