/// Asks a canister by the chat interface that the ic-llm libraries call. The types are that interface's; the id is that of the public canister,
/// which a replica of one's own can give to Stepwise's. `askAt` names another one.
persistent actor {
  type FunctionCall = { name : Text; arguments : [{ name : Text; value : Text }] };
  type AssistantMessage = { content : ?Text; tool_calls : [{ id : Text; function : FunctionCall }] };
  type Message = {
    #user : { content : Text };
    #system_ : { content : Text };
    #assistant : AssistantMessage;
    #tool : { content : Text; tool_call_id : Text };
  };
  type Property = { type_ : Text; name : Text; description : ?Text; enum : ?[Text] };
  type Parameters = { type_ : Text; properties : ?[Property]; required : ?[Text] };
  type Tool = { #function : { name : Text; description : ?Text; parameters : ?Parameters } };
  type Request = { model : Text; messages : [Message]; tools : ?[Tool] };
  type ChatMessage = { role : { #user; #assistant; #system_ }; content : Text };
  type Llm = actor {
    v0_chat : ({ model : Text; messages : [ChatMessage] }) -> async Text;
    v1_chat : Request -> async { message : AssistantMessage };
  };

  transient let publicId = "w36hm-eqaaa-aaaal-qr76a-cai";

  /// What the library attaches to each call, which waits for 300 seconds at most. A canister that asks for no payment takes nothing of it.
  transient let attached = 100_000_000_000;

  public func ask(model : Text, text : Text) : async AssistantMessage {
    await askAt(publicId, model, text);
  };

  public func askAt(id : Text, model : Text, text : Text) : async AssistantMessage {
    let llm : Llm = actor (id);
    let messages : [Message] = [#system_ { content = "You are brief." }, #user { content = text }];
    (await (with cycles = attached; timeout = 300) llm.v1_chat({ model; messages; tools = null })).message;
  };

  /// The interface's first version.
  public func askV0(model : Text, text : Text) : async Text {
    let llm : Llm = actor (publicId);
    await llm.v0_chat({ model; messages = [{ role = #user; content = text }] });
  };

  /// With a tool that the model may call.
  public func weather(id : Text, model : Text, city : Text) : async AssistantMessage {
    let llm : Llm = actor (id);
    let property : Property = { type_ = "string"; name = "city"; description = ?"Of which the weather is asked"; enum = null };
    let parameters : Parameters = { type_ = "object"; properties = ?[property]; required = ?["city"] };
    let tools : ?[Tool] = ?[#function { name = "weather"; description = ?"Today's weather"; parameters = ?parameters }];
    let messages : [Message] = [#user { content = "What is the weather in " # city # "?" }];
    (await (with cycles = attached; timeout = 300) llm.v1_chat({ model; messages; tools })).message;
  };
};
