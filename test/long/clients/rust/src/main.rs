//! 20 steps by Rust's ic-agent, unmodified: certificates and the signatures of queries are verified. Started by ../run.ts, which says with what.
use candid::{CandidType, Decode, Deserialize, Encode, Principal, Reserved};
use ic_agent::identity::{
    AnonymousIdentity, BasicIdentity, DelegatedIdentity, Delegation, Identity, Secp256k1Identity, SignedDelegation,
};
use ic_agent::Agent;
use std::time::{Duration, SystemTime};

const PROMPT: &str = "opposite of hot:";
const ANSWER: &str = "cold";

type Step = Result<(), String>;

#[derive(CandidType, Deserialize, Debug)]
struct Generation {
    text: String,
    output_tokens: u32,
}

/// Of errors, that there is one: what it says is read as text.
#[derive(CandidType, Deserialize, Debug)]
enum Told<T> {
    Ok(T),
    Err(GenerateError),
}

#[derive(CandidType, Deserialize, Debug)]
struct TooLong {
    message: String,
}

#[derive(CandidType, Deserialize, Debug)]
enum GenerateError {
    EmptyPrompt(String),
    PromptTooLong(TooLong),
    NoSuchSession(String),
    NotAllowed(String),
    InvalidOptions(String),
    LimitReached(String),
    Unavailable(String),
    NoModel(String),
    NotYours(String),
    Cancelled(TooLong),
    Failed(TooLong),
    PaymentRequired(TooLong),
    TooLong(TooLong),
}

#[derive(CandidType, Deserialize, Debug)]
struct Options {
    max_new_tokens: Option<u32>,
}

#[derive(CandidType, Deserialize, Debug)]
enum State {
    #[serde(rename = "finished")]
    Finished(Reserved),
    #[serde(rename = "generating")]
    Generating,
    #[serde(rename = "queued")]
    Queued,
    #[serde(rename = "encoding")]
    Encoding,
    #[serde(rename = "cancelled")]
    Cancelled,
    #[serde(rename = "failed")]
    Failed(String),
}

#[derive(CandidType, Deserialize, Debug)]
struct Progress {
    state: State,
}

#[derive(CandidType, Deserialize, Debug)]
struct Listed {
    model: String,
}

#[derive(CandidType, Deserialize)]
enum Role {
    #[serde(rename = "admin")]
    Admin,
}

/// Somebody who calls the canister.
struct Caller {
    agent: Agent,
    canister: Principal,
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Caller {
    fn new(identity: impl Identity + 'static) -> Self {
        let agent = Agent::builder()
            .with_url(std::env::var("REPLICA_URL").unwrap())
            .with_identity(identity)
            .with_verify_query_signatures(true)
            .build()
            .unwrap();
        agent.set_root_key(hex::decode(std::env::var("ROOT_KEY").unwrap()).unwrap());
        Caller { agent, canister: Principal::from_text(std::env::var("CANISTER_ID").unwrap()).unwrap() }
    }

    async fn update(&self, method: &str, arg: Vec<u8>) -> Result<Vec<u8>, String> {
        self.agent.update(&self.canister, method).with_arg(arg).call_and_wait().await.map_err(words)
    }

    async fn query(&self, method: &str, arg: Vec<u8>) -> Result<Vec<u8>, String> {
        self.agent.query(&self.canister, method).with_arg(arg).call().await.map_err(words)
    }

    async fn generates(&self) -> Step {
        same(&self.update("generate", Encode!(&PROMPT).unwrap()).await?)
    }

    /// What comes of a prompt that is refused.
    async fn refused(&self, prompt: &str) -> Result<GenerateError, String> {
        match Decode!(&self.update("generate", Encode!(&prompt).unwrap()).await?, Told<Generation>).map_err(words)? {
            Told::Err(error) => Ok(error),
            Told::Ok(made) => Err(format!("expected an error, got {made:?}")),
        }
    }
}

fn answer<T: for<'a> Deserialize<'a> + CandidType>(reply: &[u8]) -> Result<T, String> {
    match Decode!(reply, Told<T>).map_err(words)? {
        Told::Ok(value) => Ok(value),
        Told::Err(error) => Err(format!("{error:?}")),
    }
}

fn same(reply: &[u8]) -> Step {
    let made: Generation = answer(reply)?;
    (made.text == ANSWER).then_some(()).ok_or(format!("{made:?}"))
}

fn holds(truth: bool, told: impl std::fmt::Debug) -> Step {
    truth.then_some(()).ok_or(format!("{told:?}"))
}

fn fails(result: Result<Vec<u8>, String>, said: &str) -> Step {
    match result {
        Err(error) => holds(error.contains(said), error),
        Ok(_) => Err(format!("expected an error with {said:?}, got a reply")),
    }
}

fn ed25519(seed: u8) -> BasicIdentity {
    BasicIdentity::from_raw_key(&[seed; 32])
}

fn secp256k1(seed: u8) -> Secp256k1Identity {
    Secp256k1Identity::from_private_key(k256::SecretKey::from_slice(&[seed; 32]).unwrap())
}

/// The identity with seed 3 lets the one with seed 4 speak for it for a minute.
fn delegated() -> DelegatedIdentity {
    let (owner, session) = (ed25519(3), ed25519(4));
    let soon = SystemTime::now() + Duration::from_secs(60);
    let delegation = Delegation {
        pubkey: session.public_key().unwrap(),
        expiration: soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64,
        targets: None,
    };
    let signed = owner.sign_delegation(&delegation).unwrap();
    let chain = vec![SignedDelegation { delegation, signature: signed.signature.unwrap() }];
    DelegatedIdentity::new(owner.public_key().unwrap(), Box::new(session), chain).unwrap()
}

async fn finishes(caller: &Caller, session: &str) -> Step {
    for _ in 0..100 {
        let arg = Encode!(&session, &0u32).unwrap();
        let told: Progress = answer(&caller.query("progress", arg).await?)?;
        if let State::Finished(_) = told.state {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("expected an end, got none in 10 s".into())
}

#[tokio::main]
async fn main() {
    let (anonymous, one, other) =
        (Caller::new(AnonymousIdentity), Caller::new(ed25519(1)), Caller::new(secp256k1(2)));
    let nothing = Encode!().unwrap();
    let none: Option<Options> = None;
    let mut session = String::new();
    let (mut passed, mut failed) = (0, 0);
    let mut note = |what: &str, step: Step| match step {
        Ok(()) => {
            passed += 1;
            println!("ok    {what}");
        }
        Err(why) => {
            failed += 1;
            println!("wrong {what}: {why}");
        }
    };

    let file = one.agent.read_state_canister_metadata(one.canister, "candid:service").await.map_err(words);
    note("metadata, certified", file.and_then(|f| holds(words(String::from_utf8_lossy(&f)).contains("generate : (text)"), f)));
    note("query, anonymous", anonymous.query("models", nothing.clone()).await.map(drop));
    note("query, Ed25519", one.query("settings", nothing.clone()).await.map(drop));
    note("query, secp256k1", other.query("status", nothing.clone()).await.map(drop));
    note("update, anonymous", anonymous.generates().await);
    note("update, Ed25519", one.generates().await);
    note("update, secp256k1", other.generates().await);
    let options = Encode!(&PROMPT, &Options { max_new_tokens: Some(1) }).unwrap();
    let made = one.update("generate_with", options).await.and_then(|reply| answer::<Generation>(&reply));
    note("update with options", made.and_then(|made| holds(made.output_tokens == 1, made)));
    let queried = one.query("generate_query", Encode!(&PROMPT, &none).unwrap()).await;
    note("query that generates", queried.and_then(|reply| same(&reply)));
    let begun = one.update("start", Encode!(&PROMPT, &none).unwrap()).await.and_then(|reply| answer::<String>(&reply));
    note("a session begins", begun.map(|id| session = id));
    note("a session is followed to its end", finishes(&one, &session).await);
    let of_others = other.update("cancel", Encode!(&session).unwrap()).await;
    note("a session of others is not there", of_others.and_then(|reply| match Decode!(&reply, Told<Reserved>) {
        Ok(Told::Err(GenerateError::NoSuchSession(_))) => Ok(()),
        told => Err(format!("{told:?}")),
    }));
    let list = one.query("list", Encode!(&none).unwrap()).await.and_then(|reply| answer::<Vec<Listed>>(&reply));
    note("sessions are listed", list.and_then(|l| holds(l.iter().all(|s| s.model.len() == 64) && !l.is_empty(), l)));
    let deleted = one.update("delete", Encode!(&session).unwrap()).await;
    note("a session is deleted", deleted.and_then(|reply| {
        let text = format!("{:?}", Decode!(&reply, Told<Reserved>));
        holds(!text.contains("Err"), text)
    }));
    note("an empty prompt is refused in words", one.refused("").await.and_then(|error| match error {
        GenerateError::EmptyPrompt(text) => holds(text.contains("expected a prompt"), text),
        other => Err(format!("{other:?}")),
    }));
    note("a long prompt is refused in words", one.refused(&"x".repeat(9_000)).await.and_then(|error| match error {
        GenerateError::PromptTooLong(told) => holds(told.message.contains("8192"), told),
        other => Err(format!("{other:?}")),
    }));
    let role = Encode!(&Principal::management_canister(), &Some(Role::Admin)).unwrap();
    let stranger = one.update("set_role", role).await;
    note("a stranger who would be an admin is refused before the call is queued", fails(stranger, "expected a controller"));
    note("a delegation speaks for its owner", Caller::new(delegated()).generates().await);
    note("an unknown method", fails(one.update("nope", nothing.clone()).await, "nope"));
    note("arguments of another type", fails(one.update("generate", nothing).await, "generate"));

    println!("{passed} passed, {failed} failed");
    std::process::exit(i32::from(failed > 0));
}
