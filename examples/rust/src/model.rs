//! What is read of the model canister's answers. A caller may leave out fields of a record that it has no use for, and `opt` arguments at the end, but
//! no case of a variant: one that is not known could not be decoded. The whole is in the canister's Candid file.
use candid::{CandidType, Deserialize, Nat};

#[derive(CandidType, Deserialize)]
pub struct Answer {
    pub text: String,
}

#[derive(CandidType, Deserialize)]
pub enum GenerateResult {
    Ok(Answer),
    Err(Error),
}

#[derive(CandidType, Deserialize)]
pub struct Quote {
    pub cycles: Nat,
}

#[derive(CandidType, Deserialize)]
pub enum Error {
    NoModel(String),
    EmptyPrompt(String),
    PromptTooLong { message: String },
    InvalidOptions(String),
    Unavailable(String),
    NoSuchSession(String),
    NotYours(String),
    Failed { session: String, message: String },
    Cancelled { session: String, message: String },
    NotAllowed(String),
    LimitReached(String),
    PaymentRequired { cycles: Nat, message: String },
    TooLong { message: String },
}

impl Error {
    /// What to tell whoever asked. The compiler sees to it that no case is forgotten.
    pub fn explain(self) -> String {
        match self {
            // may go well another time
            Error::Unavailable(why) => format!("busy, try again later: {why}"),
            Error::LimitReached(why) => format!("enough for now: {why}"),
            Error::NoModel(why) => format!("not ready: {why}"),
            // of the session: it failed again, or somebody cancelled it
            Error::Failed { message, .. } => format!("failed again: {message}"),
            Error::Cancelled { message, .. } => message,
            // of this canister: who it is, what it pays, how it asks
            Error::NotAllowed(why) => format!("this canister may not ask: {why}"),
            Error::PaymentRequired { message, .. } => message,
            Error::InvalidOptions(why) | Error::NoSuchSession(why) | Error::NotYours(why) => why,
            // of the prompt
            Error::EmptyPrompt(why) => why,
            Error::PromptTooLong { message } | Error::TooLong { message } => message,
        }
    }
}
