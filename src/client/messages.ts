/** Conversations as callers write them, made into the canister's Candid. */
import type * as Candid from '../interface/llm.did.ts';

const ROLES = ['system', 'user', 'assistant'] as const;

/** Who says something in a conversation, and what: the system, the user, or the model, which is the assistant. */
export interface ChatMessage {
  role: (typeof ROLES)[number];
  content: string;
}

/** What a model is asked: a text to go on from, or a conversation, in which it says what the assistant says next. */
export type Asking = string | readonly ChatMessage[];

/**
 * @param method names the caller in the error
 * @throws TypeError for what is no message, which Candid would refuse in words of its own
 */
export function messagesInCandid(method: string, messages: readonly ChatMessage[]): Candid.ChatMessage[] {
  return messages.map((message, i) => {
    const { role, content } = message ?? {};
    if (!ROLES.includes(role) || typeof content !== 'string') {
      const expected = `{ role: ${ROLES.map((known) => `'${known}'`).join(' | ')}, content: string }`;
      throw new TypeError(
        `${method}: expected message ${i} to be ${expected}, got ${JSON.stringify(message)?.slice(0, 100)}`,
      );
    }
    return { role: { [role]: null } as unknown as Candid.ChatMessage['role'], content };
  });
}
