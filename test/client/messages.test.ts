import { describe, expect, it } from 'vitest';
import { Client, type Llm } from '../../src/client/index.ts';
import { type ChatMessage, messagesInCandid } from '../../src/client/messages.ts';

describe('messages', () => {
  const talk: ChatMessage[] = [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: 'hi' },
  ];

  it('are variants in Candid', () => {
    expect(messagesInCandid('stream', talk)).toEqual([
      { role: { system: null }, content: 'be brief' },
      { role: { user: null }, content: 'hi' },
    ]);
  });

  it.each([
    [{ role: 'tool', content: 'x' }, '{"role":"tool","content":"x"}'],
    [{ role: 'user' }, '{"role":"user"}'],
    ['hi', '"hi"'],
    [undefined, 'undefined'],
  ])('%j is none', (message, got) => {
    expect(() => messagesInCandid('stream', [...talk, message as ChatMessage])).toThrow(
      `stream: expected message 2 to be { role: 'system' | 'user' | 'assistant', content: string }, got ${got}`,
    );
  });

  it('go to chat and start_chat, a text to generate and start', async () => {
    const called: string[] = [];
    const method = (name: string) => async () => {
      called.push(name);
      return { Err: { NoModel: 'none' } };
    };
    const actor = Object.fromEntries(
      ['generate', 'generate_with', 'chat', 'start', 'start_chat'].map((name) => [name, method(name)]),
    );
    const client = new Client(actor as unknown as Llm);
    for (const asking of ['hi', talk]) {
      await expect(client.generate(asking)).rejects.toThrow('none');
      await expect(client.stream(asking)[Symbol.asyncIterator]().next()).rejects.toThrow('none');
    }
    await expect(client.generate('hi', { max_new_tokens: 1 })).rejects.toThrow('none');
    expect(called).toEqual(['generate', 'start', 'chat', 'start_chat', 'generate_with']);
  });
});
