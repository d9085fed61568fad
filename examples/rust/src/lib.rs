//! A canister that asks another one: `ask` calls `generate` of the language model's canister, pays what it asks for, and hands on its answer.
//! A starting point to copy. The model's canister is told at install, or later by a controller.
mod model;

use candid::Principal;
use ic_cdk::call::Call;
use ic_cdk::{api, init, post_upgrade, query, update};
use model::{Error, GenerateResult, Quote};
use std::cell::{Cell, RefCell};

/// What an answer may cost at most, in cycles: the model's canister names its price, but it does not take what it likes.
const MOST_CYCLES: u128 = 100_000_000_000;

thread_local! {
    static LLM: RefCell<Option<Principal>> = const { RefCell::new(None) };
    /// Cycles that answers have cost since the installation, without what came back.
    static SPENT: Cell<u128> = const { Cell::new(0) };
}

#[init]
fn start(llm: Option<Principal>) {
    LLM.set(llm);
}

/// The heap is lost: the model's canister has to be named again.
#[post_upgrade]
fn start_again(llm: Option<Principal>) {
    LLM.set(llm);
}

/// Which canister is asked from now on. Controllers only.
#[update]
fn set_llm(llm: Principal) -> Result<String, String> {
    if !api::is_controller(&api::msg_caller()) {
        return Err("set_llm: expected a controller".into());
    }
    LLM.set(Some(llm));
    Ok(llm.to_text())
}

#[query]
fn spent() -> candid::Nat {
    SPENT.get().into()
}

/// Cycles that `ask` would have to attach for an answer of that size; 0 where the model's canister asks for none.
#[update]
async fn price(prompt_tokens: u32, max_new_tokens: u32) -> Result<candid::Nat, String> {
    let llm = LLM.with_borrow(|llm| *llm).ok_or("price: no model canister set; call set_llm")?;
    let quote = Call::unbounded_wait(llm, "quote").with_args(&(prompt_tokens, max_new_tokens)).await;
    let quote: Quote = quote.map_err(|e| e.to_string())?.candid().map_err(|e| e.to_string())?;
    Ok(quote.cycles)
}

/// Asks the model. The answer takes as many messages in the model's canister as it has tokens; this call waits for the last.
#[update]
async fn ask(prompt: String) -> Result<String, String> {
    let llm = LLM.with_borrow(|llm| *llm).ok_or("ask: no model canister set; call set_llm")?;
    let mut result = generate(llm, &prompt, 0).await?;
    if let GenerateResult::Err(Error::PaymentRequired { cycles, .. }) = &result {
        match u128::try_from(&cycles.0) {
            Ok(cycles) if cycles <= MOST_CYCLES => result = generate(llm, &prompt, cycles).await?,
            _ => return Err(format!("ask: expected a price of at most {MOST_CYCLES} cycles, got {cycles}")),
        }
    }
    // one step of it went wrong: what is written so far is kept, and it can be gone on with
    if let GenerateResult::Err(Error::Failed { session, .. }) = &result {
        let resumed = Call::unbounded_wait(llm, "resume").with_arg(session).await;
        result = resumed.map_err(|e| format!("ask: {e}"))?.candid().map_err(|e| format!("ask: {e}"))?;
    }
    match result {
        GenerateResult::Ok(answer) => Ok(answer.text),
        GenerateResult::Err(error) => Err(error.explain()),
    }
}

/// `cycles` are attached; what the model's canister does not take comes back with its answer, all of it where the call itself fails.
/// It waits without a bound, since an answer may take minutes and must not be paid for unheard.
async fn generate(llm: Principal, prompt: &str, cycles: u128) -> Result<GenerateResult, String> {
    let call = Call::unbounded_wait(llm, "generate").with_arg(prompt).with_cycles(cycles);
    let answer = call.await.map_err(|e| format!("ask: {e}"))?;
    SPENT.set(SPENT.get() + cycles - api::msg_cycles_refunded());
    answer.candid().map_err(|e| format!("ask: {e}"))
}

ic_cdk::export_candid!();
