//! A canister that asks a model by the ic-llm library. Not built by this repository's tests (../../README.md).
use candid::Principal;
use ic_llm::{ChatMessage, Response};

/// The name that the model's canister knows: its keeper maps it to a model with the setting `model_names`.
const MODEL: &str = "llama3.1:8b";

/// Asks the canister that `icp deploy` calls `llm` in this project, or else the public one.
#[ic_cdk::update]
async fn ask(question: String) -> String {
    ic_llm::prompt(MODEL, question).await
}

/// Asks the canister of this id.
#[ic_cdk::update]
async fn ask_at(llm: Principal, question: String) -> String {
    let messages = vec![
        ChatMessage::System { content: "You are brief.".to_string() },
        ChatMessage::User { content: question },
    ];
    let response: Response = ic_llm::chat(MODEL).with_canister(llm).with_messages(messages).send().await;
    response.message.content.unwrap_or_default()
}
