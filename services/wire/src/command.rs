//! What a device is told to do. Delivery and repetition are the endpoint's.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What kind of thing it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandKind {
    /// A collector comes: unlock.
    Collect,
    /// A bag is not accepted.
    Refuse,
    /// New settings.
    Config,
    /// Show or say something.
    Message,
}

/// One command: `{"id","kind",...}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Names the command, so that doing it twice can be avoided; 1..=64 characters.
    pub id: String,
    /// What kind.
    pub kind: CommandKind,
    /// The members beside `id` and `kind`.
    pub body: Map<String, Value>,
}

/// A command that cannot be sent or understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Not the contract's JSON.
    #[error("expected {{\"id\",\"kind\":\"collect|refuse|config|message\",...}}, came {0}")]
    Malformed(String),
    /// The id is empty, too long or has control characters.
    #[error("expected an id of 1 to 64 characters without control characters, came {0:?}")]
    Id(String),
    /// The body would write over a fixed member.
    #[error("expected a body without `{0}`, came one with it: it is set from the command's own field")]
    Reserved(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Wire {
    id: String,
    kind: CommandKind,
    #[serde(flatten)]
    body: Map<String, Value>,
}

impl Command {
    /// The payload.
    pub fn encode(&self) -> Result<Vec<u8>, CommandError> {
        check_id(&self.id)?;
        if let Some(taken) = ["id", "kind"]
            .into_iter()
            .find(|key| self.body.contains_key(*key))
        {
            return Err(CommandError::Reserved(taken));
        }
        let wire = Wire {
            id: self.id.clone(),
            kind: self.kind,
            body: self.body.clone(),
        };
        serde_json::to_vec(&wire).map_err(|error| CommandError::Malformed(error.to_string()))
    }

    /// Inverse of [`Command::encode`].
    pub fn decode(json: &[u8]) -> Result<Self, CommandError> {
        let Wire { id, kind, body } =
            serde_json::from_slice(json).map_err(|error| CommandError::Malformed(error.to_string()))?;
        check_id(&id)?;
        Ok(Self { id, kind, body })
    }
}

fn check_id(id: &str) -> Result<(), CommandError> {
    let length = id.chars().take(65).count();
    if (1..=64).contains(&length) && !crate::value::has_control(id) {
        Ok(())
    } else {
        Err(CommandError::Id(id.chars().take(64).collect()))
    }
}
