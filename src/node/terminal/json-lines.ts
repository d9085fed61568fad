/** JSON strings, one a line, from a stream: what `tokenize` reads, and `local --prompts`. */
import { show } from '../../model/json/json.ts';

/**
 * Gives each line's string as it comes; lines end at a line feed alone, since JSON may hold other line separators as they are.
 * @throws TypeError naming the line that is no JSON string
 */
export async function* jsonStrings(stream: AsyncIterable<Uint8Array | string>, where: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let number = 0;
  let rest = '';
  const parse = (line: string): string => {
    number++;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    if (typeof value === 'string') return value;
    throw new TypeError(`${where}: line ${number}: expected a JSON string such as "hello", got ${show(value ?? line)}`);
  };
  for await (const chunk of stream) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield parse(line);
  }
  rest += decoder.decode();
  if (rest !== '') yield parse(rest);
}
