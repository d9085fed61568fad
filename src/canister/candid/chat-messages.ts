/** Messages, tools and calls as Candid has them, to and from what chat templates have (src/text/chat-template.ts). */
import type * as Candid from '../../interface/llm.did.ts';
import type { ChatMessage, Tool, ToolCall } from '../../text/chat-template.ts';
import { parseShallow } from '../../text/nested-json.ts';
import { callId, type WrittenCall } from '../../text/tool-calls.ts';
import type { Plain } from './opt.ts';

/**
 * What has been said, and what the model may call. Until it is to be answered, no more is looked at than its size:
 * what a template is given takes thousands of instructions for each message, and hundreds for each letter of JSON.
 */
export interface Conversation {
  /** How many messages there are, and how many tools. */
  count: number;
  tools: number;
  /** The text of the last message. */
  last: string;
  /** Of all texts, about as a template writes them out. */
  characters(): number;
  /** The same as a template is given them. */
  read(): { messages: readonly ChatMessage[]; tools: readonly Tool[] };
}

const sumOf = <T>(list: readonly T[], of: (one: T) => number): number => {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += of(list[i]!);
  return sum;
};

/** Characters of a text in JSON, with what stands around a field. */
const quoted = (text: string | undefined): number => (text === undefined ? 0 : text.length + 6);

/** Of `chat` and `v0_chat`: what its messages are is looked at only once it is to be answered. */
export const conversation = (messages: readonly Candid.ChatMessage[]): Conversation => ({
  count: messages.length,
  tools: 0,
  last: messages.at(-1)?.content ?? '',
  characters: () => sumOf(messages, ({ content }) => content.length),
  read: () => ({
    messages: messages.map(({ role, content }) => ({ role: Object.keys(role)[0]!, content })),
    tools: [],
  }),
});

/** Of what a template is given: it has been read. */
export const readConversation = (messages: readonly ChatMessage[], tools: readonly Tool[]): Conversation => ({
  count: messages.length,
  tools: tools.length,
  last: messages.at(-1)?.content ?? '',
  characters: () =>
    written(tools) + sumOf(messages, ({ content, tool_calls = [] }) => content.length + written(tool_calls)),
  read: () => ({ messages, tools }),
});

const written = (values: readonly unknown[]): number => (values.length === 0 ? 0 : JSON.stringify(values).length);

/** Of `v1_chat`. */
export const conversationV1 = (
  messages: readonly Plain<Candid.MessageV1>[],
  given: readonly Plain<Candid.Tool>[],
): Conversation => ({
  count: messages.length,
  tools: given.length,
  last: messages.length === 0 ? '' : contentV1(messages.at(-1)!),
  characters: () =>
    sumOf(given, charactersOfTool) +
    sumOf(messages, (message) => {
      const calls = 'assistant' in message ? message.assistant.tool_calls : [];
      return contentV1(message).length + sumOf(calls, charactersOfCall);
    }),
  read: () => {
    const tools = given.map(toolOf);
    return { messages: messages.map((message) => spokenV1(message, tools)), tools };
  },
});

function contentV1(message: Plain<Candid.MessageV1>): string {
  if ('user' in message) return message.user.content;
  if ('system' in message) return message.system.content;
  return 'tool' in message ? message.tool.content : (message.assistant.content[0] ?? '');
}

const charactersOfCall = ({ id, function: called }: Candid.ToolCall): number =>
  quoted(id) + quoted(called.name) + sumOf(called.arguments, ({ name, value }) => quoted(name) + value.length);

const charactersOfTool = ({ function: { name, description, parameters } }: Plain<Candid.Tool>): number =>
  quoted(name) + quoted(description[0]) + sumOf(parameters, charactersOfSchema);

const charactersOfSchema = ({ type, properties, required }: Plain<Candid.ToolParameters>): number =>
  quoted(type) +
  sumOf(required[0] ?? [], quoted) +
  sumOf(
    properties[0] ?? [],
    (field) =>
      quoted(field.name) + quoted(field.type) + quoted(field.description[0]) + sumOf(field.enum[0] ?? [], quoted),
  );

/** @param tools by which it is known which arguments are texts */
function spokenV1(message: Plain<Candid.MessageV1>, tools: readonly Tool[]): ChatMessage {
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
function toolOf({ function: { name, description, parameters } }: Plain<Candid.Tool>): Tool {
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
