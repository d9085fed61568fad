/**
 * Messages to ids: by the model's template, whose special tokens are special, while what callers write never is. The texts of special tokens in contents are hidden before
 * rendering, each by a character that no content has, and are ordinary text after; otherwise contents reach the template as they are, for it may look into them.
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

export class Chat {
  private readonly template: ChatTemplate;

  /** @throws TemplateError for what is no template */
  constructor(
    source: ChatSource,
    private readonly tokenizer: Tokenizer,
  ) {
    this.template = new ChatTemplate(source);
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
    const mask = new Mask(messages);
    const hidden = messages.map(({ role, content }) => ({ role, content: mask.hide(this.tokenizer, content) }));
    const text = this.template.render(hidden, options);
    if (!mask.isUsed) return this.tokenizer.encodeUpTo(text, most, { specialTokens: true, bare: true });
    return this.encodeParts(this.tokenizer.splitSpecials(text), most, mask);
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

/** Private-use characters of plane 15, which no text of a caller's need have. */
const FIRST = 0xf0000;
const LAST = 0xffffd;
const PLANE = /[\u{F0000}-\u{FFFFD}]/gu;

class Mask {
  private readonly used = new Set<number>();
  private readonly characters = new Map<string, string>();
  private readonly texts = new Map<string, string>();
  private next = FIRST;

  constructor(messages: readonly ChatMessage[]) {
    for (const { content } of messages)
      for (const [character] of content.matchAll(PLANE)) this.used.add(character.codePointAt(0)!);
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
