/** JSON strings, one a line, from a stream: what `tokenize` reads, and `local --prompts`. */
import { show } from '../../model/json/json.ts';
import type { ChatMessage } from '../../text/chat-template.ts';

/**
 * Gives each line's string as it comes; lines end at a line feed alone, since JSON may hold other line separators as
 * they are.
 * @throws TypeError naming the line that is no JSON string
 */
export function jsonStrings(stream: AsyncIterable<Uint8Array | string>, where: string): AsyncGenerator<string> {
  const isText = (value: unknown): value is string => typeof value === 'string';
  return jsonLines(stream, where, 'a JSON string such as "hello"', isText);
}

const isMessage = (value: unknown): value is ChatMessage =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as ChatMessage).role === 'string' &&
  typeof (value as ChatMessage).content === 'string';

/** Gives each line's conversation, as `jsonStrings` its string. @throws TypeError naming the line that is none */
export function jsonChats(stream: AsyncIterable<Uint8Array | string>, where: string): AsyncGenerator<ChatMessage[]> {
  const expected = 'a JSON array of messages such as [{"role":"user","content":"hello"}]';
  const isChat = (value: unknown): value is ChatMessage[] => Array.isArray(value) && value.every(isMessage);
  return jsonLines(stream, where, expected, isChat);
}

async function* jsonLines<T>(
  stream: AsyncIterable<Uint8Array | string>,
  where: string,
  expected: string,
  isWanted: (value: unknown) => value is T,
): AsyncGenerator<T> {
  const decoder = new TextDecoder('utf-8');
  let number = 0;
  let rest = '';
  const parse = (line: string): T => {
    number++;
    let got: string;
    try {
      const value: unknown = JSON.parse(line);
      if (isWanted(value)) return value;
      got = show(value);
    } catch {
      // without quotes: a bare word would look like the string that is expected
      got = line.trim() === '' ? 'an empty line' : `${show(line).replace(/^"|"$/g, '')}, which is not JSON`;
    }
    throw new TypeError(`${where}: line ${number}: expected ${expected}, got ${got}`);
  };
  for await (const chunk of stream) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield parse(line);
  }
  rest += decoder.decode();
  if (rest !== '') yield parse(rest);
}
