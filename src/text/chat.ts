/**
 * Messages to ids: by the model's template, whose special tokens are special, while what callers write never is. The
 * texts of special tokens in contents are hidden before rendering, each by a character that no content has, and are
 * ordinary text after; otherwise contents reach the template as they are, for it may look into them.
 */
import {
  type ChatMessage,
  type ChatSource,
  ChatTemplate,
  type RenderOptions,
  ROLES,
  TemplateError,
} from './chat-template.ts';
import type { TextPart, Tokenizer } from './tokenizer.ts';
import { knowsToolCalls } from './tool-calls.ts';

/** Beginnings that are known, of system prompts that were used first. */
const MOST_BEGINNINGS = 16;
/** Things that a user may say. */
const PROBES = ['a', '7'];

/** What conversations with the same system prompt begin with, and the same up to its last special token. */
interface Beginning {
  all: readonly number[];
  special: readonly number[];
}

export class Chat {
  private readonly template: ChatTemplate;
  /** By the system messages' contents and the tools. */
  private readonly beginnings = new Map<string, Beginning>();
  private toolsTaken: boolean | undefined;

  /** @throws TemplateError for what is no template */
  constructor(
    private readonly source: ChatSource,
    private readonly tokenizer: Tokenizer,
  ) {
    this.template = new ChatTemplate(source);
  }

  /** Whether the template lists tools, and the model calls them in a form that is known here (tool-calls.ts). */
  get takesTools(): boolean {
    this.toolsTaken ??= knowsToolCalls(this.source.template) && this.template.asksFor('tools');
    return this.toolsTaken;
  }

  /**
   * The ids of a conversation, if they are `most` at most; else undefined.
   * @throws TemplateError with the template's own words where it takes no such messages
   */
  encodeUpTo(messages: readonly ChatMessage[], most: number, options: RenderOptions = {}): number[] | undefined {
    for (const { role } of messages)
      if (!(ROLES as readonly string[]).includes(role))
        throw new TemplateError(
          `chat: expected a role of ${ROLES.join(', ')}, got ${JSON.stringify(role).slice(0, 60)}`,
        );
    const { tools = [] } = options;
    if (tools.length > 0 && !this.takesTools)
      throw new TemplateError(
        `chat: expected no tools, as the model's template takes none whose calls are known here, got ${tools.length}`,
      );
    const mask = new Mask([messages, tools]);
    const hide = (text: string): string => mask.hide(this.tokenizer, text);
    const text = this.template.render(
      messages.map((message) => ({ ...everyText(message, hide), role: message.role })),
      { ...options, tools: everyText(tools, hide) },
    );
    if (!mask.isUsed) return this.tokenizer.encodeUpTo(text, most, { specialTokens: true, bare: true });
    return this.encodeParts(this.tokenizer.splitSpecials(text), most, mask);
  }

  /**
   * How many of a conversation's ids are a system prompt, the model's own or one that is given: they do not depend on
   * what the user says. 0 where none are.
   * @param ids what `encodeUpTo` made of it
   */
  systemLength(messages: readonly ChatMessage[], ids: readonly number[], options: RenderOptions = {}): number {
    const first = messages.findIndex(({ role }) => role !== 'system');
    if (first < 0) return 0;
    const system = messages.slice(0, first);
    const key = JSON.stringify([system.map(({ content }) => content), options.tools ?? []]);
    let known = this.beginnings.get(key);
    if (!known) {
      known = this.beginningOf(system, messages[first]!.content, ids, options);
      if (this.beginnings.size >= MOST_BEGINNINGS) this.beginnings.delete(this.beginnings.keys().next().value!);
      this.beginnings.set(key, known);
    }
    // a user's first letter may have become one token with what is before it, but never with a special token
    const { all, special } = known;
    return [all, special].find((beginning) => beginning.every((id, i) => id === ids[i]))?.length ?? 0;
  }

  /** What a conversation has in common with another one, in which the user says something else. */
  private beginningOf(
    system: readonly ChatMessage[],
    said: string,
    ids: readonly number[],
    options: RenderOptions,
  ): Beginning {
    const content = PROBES.find((probe) => !said.trimStart().startsWith(probe))!;
    const other = this.tryEncode([...system, { role: 'user', content }], options);
    let all = 0;
    while (all < other.length && other[all] === ids[all]) all++;
    let special = all;
    while (special > 0 && !this.isSpecial(other[special - 1]!)) special--;
    return { all: other.slice(0, all), special: other.slice(0, special) };
  }

  /** No ids of messages that the template does not take. */
  private tryEncode(messages: readonly ChatMessage[], options: RenderOptions): number[] {
    try {
      return this.encodeUpTo(messages, Number.POSITIVE_INFINITY, options)!;
    } catch (error) {
      if (error instanceof TemplateError) return [];
      throw error;
    }
  }

  private isSpecial(id: number): boolean {
    return this.tokenizer.decode([id]) === '' && this.tokenizer.decode([id], { specialTokens: true }) !== '';
  }

  private encodeParts(parts: readonly TextPart[], most: number, mask: Mask): number[] | undefined {
    const ids: number[] = [];
    for (const [i, part] of parts.entries()) {
      const room = most - ids.length;
      const found =
        'id' in part ? [part.id] : this.tokenizer.encodeUpTo(mask.show(part.text), room, { bare: true, isPart: i > 0 });
      if (found === undefined || found.length > room) return undefined;
      for (const id of found) ids.push(id);
    }
    return ids;
  }
}

/**
 * A value with every text in it, names of fields that are a caller's among them, replaced by what `change` makes of it.
 */
function everyText<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => everyText(item, change)) as T;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), everyText(item as unknown, change)]),
  ) as T;
}

/** Private-use characters of plane 15, which no text of a caller's need have. */
const FIRST = 0xf0000;
const LAST = 0xffffd;
const PLANE = /[\u{F0000}-\u{FFFFD}]/gu;

class Mask {
  private readonly used = new Set<number>();
  private readonly characters = new Map<string, string>();
  private readonly texts = new Map<string, string>();
  private next = FIRST;

  /** @param given whatever has texts of callers in it */
  constructor(given: unknown) {
    everyText(given, (text) => {
      for (const [character] of text.matchAll(PLANE)) this.used.add(character.codePointAt(0)!);
      return text;
    });
  }

  get isUsed(): boolean {
    return this.texts.size > 0;
  }

  /** A content without texts of special tokens. */
  hide(tokenizer: Tokenizer, content: string): string {
    const parts = tokenizer.splitSpecials(content);
    if (!parts.some((part) => 'id' in part)) return content;
    return parts.map((part) => ('id' in part ? this.characterFor(part.special) : part.text)).join('');
  }

  /** What was hidden, as it was. */
  show(text: string): string {
    return text.replace(PLANE, (character) => this.texts.get(character) ?? character);
  }

  private characterFor(special: string): string {
    const known = this.characters.get(special);
    if (known !== undefined) return known;
    while (this.used.has(this.next)) this.next++;
    if (this.next > LAST)
      throw new TemplateError('chat: expected messages that leave some private-use characters unused, got all of them');
    const character = String.fromCodePoint(this.next++);
    this.characters.set(special, character);
    this.texts.set(character, special);
    return character;
  }
}
