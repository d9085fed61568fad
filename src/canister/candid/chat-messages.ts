/** Messages, tools and calls as Candid has them, to and from what chat templates have (src/text/chat-template.ts). */
import type * as Candid from '../../interface/llm.did.ts';
import type { ChatMessage, Tool, ToolCall } from '../../text/chat-template.ts';
import { parseShallow } from '../../text/nested-json.ts';
import { callId, type WrittenCall } from '../../text/tool-calls.ts';
import type { Plain } from './opt.ts';

/** Of `chat` and `v0_chat`. */
const spoken = ({ role, content }: Candid.ChatMessage): ChatMessage => ({
  role: Object.keys(role)[0]!,
  content,
});

/** A conversation of theirs: what its messages are is looked at only once it is to be answered. */
export const conversation = (messages: readonly Candid.ChatMessage[]) => ({
  messages,
  read: () => messages.map(spoken),
});

/** Of `v1_chat`. @param tools by which it is known which arguments are texts */
export function spokenV1(message: Plain<Candid.MessageV1>, tools: readonly Tool[]): ChatMessage {
  if ('user' in message) return { role: 'user', content: message.user.content };
  if ('system' in message) return { role: 'system', content: message.system.content };
  if ('tool' in message) return { role: 'tool', ...message.tool };
  const { content, tool_calls } = message.assistant;
  const said = { role: 'assistant', content: content[0] ?? '' };
  return tool_calls.length === 0 ? said : { ...said, tool_calls: tool_calls.map((call) => callOf(call, tools)) };
}

function callOf({ id, function: called }: Candid.ToolCall, tools: readonly Tool[]): ToolCall {
  const tool = tools.find((known) => known.function.name === called.name);
  const properties = tool?.function.parameters?.['properties'] as Record<string, { type?: string }> | undefined;
  const values = called.arguments.map(({ name, value }): [string, unknown] => {
    const isText = properties !== undefined && Object.hasOwn(properties, name) && properties[name]!.type === 'string';
    return [name, isText ? value : (parseShallow(value) ?? value)];
  });
  return { id, type: 'function', function: { name: called.name, arguments: Object.fromEntries(values) } };
}

/** Parameters become JSON Schema. */
export function toolOf({ function: { name, description, parameters } }: Plain<Candid.Tool>): Tool {
  const [schema] = parameters;
  return {
    type: 'function',
    function: {
      name,
      ...(description.length > 0 && { description: description[0] }),
      ...(schema && { parameters: schemaOf(schema) }),
    },
  };
}

function schemaOf({ type, properties, required }: Plain<Candid.ToolParameters>): Record<string, unknown> {
  const fields = (properties[0] ?? []).map(({ name, type, description, enum: values }): [string, unknown] => [
    name,
    {
      type,
      ...(description.length > 0 && { description: description[0] }),
      ...(values.length > 0 && { enum: values[0] }),
    },
  ]);
  return {
    type,
    ...(properties.length > 0 && { properties: Object.fromEntries(fields) }),
    ...(required.length > 0 && { required: required[0] }),
  };
}

/** @param id of the answer: ids of its calls have it in them */
export const candidCall = (call: WrittenCall, number: number, id: string): Candid.ToolCall => ({
  id: callId(id, number),
  function: {
    name: call.name,
    arguments: Object.entries(call.arguments).map(([name, value]) => ({
      name,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    })),
  },
});
