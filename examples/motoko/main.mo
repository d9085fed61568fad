/// A canister that asks another one: `ask` calls `generate` of the language model's canister, pays what it asks for, and hands on its answer.
/// A starting point to copy: dfx.json or icp.yaml names the model's canister `llm`, with its Candid file.
import Llm "canister:llm";
import Cycles "mo:core/Cycles";
import Error "mo:core/Error";
import Result "mo:core/Result";

persistent actor {
  /// What an answer may cost at most, in cycles: the model's canister names its price, but it does not take what it likes.
  transient let mostCycles : Nat = 100_000_000_000;

  /// Cycles that answers have cost so far, without what came back.
  var paid : Nat = 0;

  public query func spent() : async Nat { paid };

  /// Cycles that `ask` would have to attach for an answer of that size; 0 where the model's canister asks for none.
  public func price(promptTokens : Nat32, maxNewTokens : Nat32) : async Nat {
    (await Llm.quote(promptTokens, maxNewTokens)).cycles;
  };

  /// Asks the model. The answer takes as many messages in the model's canister as it has tokens; this call waits for the last.
  public func ask(prompt : Text) : async Result.Result<Text, Text> {
    try {
      var result = await Llm.generate(prompt);
      switch (result) {
        case (#Err(#PaymentRequired { cycles })) {
          if (cycles > mostCycles) return #err("ask: expected a price of at most " # debug_show mostCycles # " cycles, got " # debug_show cycles);
          result := await (with cycles) Llm.generate(prompt);
          // what the model's canister did not take is back
          paid += cycles - Cycles.refunded();
        };
        case _ {};
      };
      switch (result) {
        // one step of it went wrong: what is written so far is kept, and it can be gone on with
        case (#Err(#Failed { session })) result := await Llm.resume(session);
        case _ {};
      };
      switch (result) {
        case (#Ok { text }) #ok text;
        case (#Err error) #err(explain error);
      };
    } catch (error) {
      // The call itself failed: no such canister, stopped, out of cycles, a trap. Cycles that were attached are back.
      #err("ask: " # Error.message error);
    };
  };

  /// What to tell whoever asked. The compiler warns where a case is forgotten.
  func explain(error : Llm.GenerateError) : Text = switch error {
    // may go well another time
    case (#Unavailable why) "busy, try again later: " # why;
    case (#LimitReached why) "enough for now: " # why;
    case (#NoModel why) "not ready: " # why;
    // of the prompt
    case (#EmptyPrompt why) why;
    case (#PromptTooLong { message }) message;
    // of the session: it failed again, or somebody cancelled it
    case (#Failed { message }) "failed again: " # message;
    case (#Cancelled { message }) message;
    // of this canister: who it is, what it pays, how it asks
    case (#NotAllowed why) "this canister may not ask: " # why;
    case (#PaymentRequired { message }) message;
    case (#InvalidOptions why) why;
    case (#NoSuchSession why) why;
    case (#NotYours why) why;
    case (#TooLong { message }) message;
  };
};
