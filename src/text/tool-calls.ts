/**
 * Calls of tools in what a model has written, in the one form that is known here: `<tool_call>` with JSON in it, as
 * Qwen's and SmolLM2's chat models write them.
 *
 *   I look it up. <tool_call>
 *   {"name": "weather", "arguments": {"city": "Paris"}}
 *   </tool_call>
 *
 * What is in such marks and is no call stays text. Source: the models' own chat templates.
 */
import { isRecord, parseShallow } from './nested-json.ts';

export interface WrittenCall {
  name: string;
  arguments: Record<string, unknown>;
}

export interface Written {
  /** What stands outside of calls; undefined where that is nothing. */
  content: string | undefined;
  calls: WrittenCall[];
}

/** A call's id. @param answer the id of what it stands in @param number of the call in it, from 0 on */
export const callId = (answer: string, number: number): string => `call_${answer.slice(0, 16)}_${number}`;

const BEGIN = '<tool_call>';
const END = '</tool_call>';

/** Whether a model with this chat template writes its calls so. */
export const knowsToolCalls = (template: string): boolean => template.includes(BEGIN);

/** Takes an answer apart. A last call whose end mark is missing counts if it is whole. */
export function readToolCalls(text: string): Written {
  const calls: WrittenCall[] = [];
  let content = '';
  let from = 0;
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, from)) {
    const end = text.indexOf(END, at);
    const [inner, next] =
      end < 0 ? [text.slice(at + BEGIN.length), text.length] : [text.slice(at + BEGIN.length, end), end + END.length];
    const found = callsIn(inner);
    content += text.slice(from, found ? at : next);
    if (found) calls.push(...found);
    from = next;
  }
  content = (content + text.slice(from)).trim();
  return { content: content === '' ? undefined : content, calls };
}

/** One call, or a list of some; undefined for anything else. */
function callsIn(text: string): WrittenCall[] | undefined {
  const value = parseShallow(text);
  const calls = (Array.isArray(value) ? value : [value]).map(callOf);
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
}

function callOf(value: unknown): WrittenCall | undefined {
  if (!isRecord(value) || typeof value['name'] !== 'string') return undefined;
  const given = value['arguments'] ?? value['parameters'] ?? {};
  return isRecord(given) ? { name: value['name'], arguments: given } : undefined;
}
