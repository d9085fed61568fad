/**
 * The chat interface that the ic-llm libraries of Rust, Motoko and TypeScript call: code that has them changes a
 * canister's id and nothing else. They take no `Err`: whatever cannot be answered is rejected in words. They wait for
 * 300 seconds at most, so an answer that would take longer ends with what it has.
 */
import type {
  AssistantMessage,
  ChatRequestV0,
  ChatRequestV1,
  ChatResponseV1,
  Generation,
} from '../../interface/llm.did.ts';
import { wordsOf } from '../../service/error-words.ts';
import { readToolCalls } from '../../text/tool-calls.ts';
import { candidEncoder } from '../candid/candid-encoder.ts';
import { candidCall, conversation, conversationV1 } from '../candid/chat-messages.ts';
import type { Plain } from '../candid/opt.ts';
import { utf8 } from '../storage/bytes.ts';
import { answer, inForm } from './generate.ts';
import { candid, typesOf } from './methods.ts';

/** The library's bounded wait, less what a call and its answer take on their way, and the native loop's tokens. */
const PATIENCE_MS = 270_000;

const encodeText = candidEncoder<string>(typesOf('v0_chat').result);
const encodeResponse = candidEncoder<ChatResponseV1>(typesOf('v1_chat').result);

/** Replies with what is made of an answer, or rejects. */
const orReject = (encode: (generation: Generation) => Uint8Array) =>
  inForm((given) =>
    'Ok' in given ? { bytes: encode(given.Ok) } : { bytes: utf8(wordsOf(given.Err)), isReject: true },
  );

function assistant({ text, session }: Generation, mayCall: boolean): AssistantMessage {
  if (!mayCall) return { content: [text], tool_calls: [] };
  const { content, calls } = readToolCalls(text);
  return {
    content: content === undefined ? [] : [content],
    tool_calls: calls.map((call, i) => candidCall(call, i, session)),
  };
}

export class IcLlmMethods {
  /** What the assistant says next, as text. Update; whom `access` lets. What it costs, and who pays: as `chat`. */
  @candid()
  async v0_chat({ model, messages }: ChatRequestV0): Promise<void> {
    const asking = conversation(messages);
    const reply = orReject(({ text }) => encodeText(text));
    await answer({ method: 'v0_chat', model, asking, options: [], fitsPayment: true }, reply, PATIENCE_MS);
  }

  /** The same, as a message that may call tools, where the model's template takes them. Update; whom `access` lets. */
  @candid()
  async v1_chat({ model, messages, tools: [given = []] }: Plain<ChatRequestV1>): Promise<void> {
    const asking = conversationV1(messages, given);
    const reply = orReject((made) => encodeResponse({ message: assistant(made, given.length > 0) }));
    await answer({ method: 'v1_chat', model, asking, options: [], fitsPayment: true }, reply, PATIENCE_MS);
  }
}
