/**
 * A model's own chat template, a Jinja text: messages in, pieces of text out, of which the model's special tokens are apart
 * from ordinary text. What a caller writes never becomes a special token. Not the ids: a tokenizer makes them of the pieces.
 * Source: Hugging Face transformers, "Chat templates"; templates are run by @huggingface/jinja.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';

export interface ChatMessage {
  role: string;
  content: string;
}

/** A model's template as its files have it, and what it calls `bos_token` and `eos_token`. */
export interface ChatSource {
  template: string;
  bos?: string;
  eos?: string;
}

export interface RenderOptions {
  /** Whether the text ends with the beginning of the model's answer. Default: true. */
  addGenerationPrompt?: boolean;
  /** Other values that a template asks for, such as `tools` or `enable_thinking`. */
  values?: Record<string, unknown>;
}

/** Text to encode as it is, special tokens' names in it included; or the one special token of that name. */
export type ChatPiece = { text: string } | { special: string };

export interface SpecialTokens {
  /** The texts of all special tokens. */
  all: readonly string[];
  bos?: string;
  eos?: string;
}

/** Bounds of one rendering, far above what templates in use take: a template comes from a stranger's file. */
const MAX_STEPS = 20_000;
const MAX_STEPS_PER_MESSAGE = 2_000;
const MAX_TEXT = 4_000_000;
const MAX_RANGE = 10_000;
const MAX_TEMPLATE = 200_000;

/** A template asked for what it may not have, or said with `raise_exception` that it does not take such messages. */
export class TemplateError extends Error {}

/** Counts what a template does: one that never ends, or grows without end, is stopped. */
class BoundedInterpreter extends Interpreter {
  private steps = 0;

  constructor(
    environment: Environment,
    private readonly maxSteps: number,
  ) {
    super(environment);
  }

  override evaluate(...node: Parameters<Interpreter['evaluate']>): ReturnType<Interpreter['evaluate']> {
    this.steps += 1;
    if (this.steps > this.maxSteps) {
      throw new TemplateError(`chat template: expected an end within ${this.maxSteps} steps, got none`);
    }
    const value = super.evaluate(...node);
    if (typeof value.value === 'string' && value.value.length > MAX_TEXT) {
      throw new TemplateError(`chat template: expected at most ${MAX_TEXT} characters, got ${value.value.length}`);
    }
    return value;
  }
}

export class ChatTemplate {
  private readonly program: ReturnType<typeof parse>;

  /**
   * @param source the template's text
   * @throws TemplateError for what is no template
   */
  constructor(
    readonly source: string,
    private readonly tokens: SpecialTokens,
  ) {
    if (source.length > MAX_TEMPLATE) {
      throw new TemplateError(`chat template: expected at most ${MAX_TEMPLATE} characters, got ${source.length}`);
    }
    try {
      // as transformers has its templates read
      this.program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    } catch (error) {
      throw new TemplateError(`chat template: expected a Jinja template, got an error: ${(error as Error).message}`);
    }
  }

  /**
   * The text of a conversation, in pieces.
   * @throws TemplateError with the template's own words where it takes no such messages
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): ChatPiece[] {
    const mask = new Mask(this.tokens.all, messages);
    const masked = messages.map((message) => ({ ...message, content: mask.hide(message.content) }));
    const text = this.run(masked, options);
    return splitSpecials(text, this.tokens.all).map((piece) =>
      'text' in piece ? { text: mask.show(piece.text) } : piece,
    );
  }

  private run(messages: readonly ChatMessage[], { addGenerationPrompt = true, values = {} }: RenderOptions): string {
    const environment = new Environment();
    const globals: Record<string, unknown> = {
      true: true,
      false: false,
      none: null,
      True: true,
      False: false,
      None: null,
      raise_exception: (message: unknown) => {
        throw new TemplateError(`chat template: ${String(message)}`);
      },
      range: boundedRange,
      bos_token: this.tokens.bos ?? '',
      eos_token: this.tokens.eos ?? '',
      messages,
      add_generation_prompt: addGenerationPrompt,
      ...values,
    };
    for (const [name, value] of Object.entries(globals)) environment.set(name, value);
    try {
      const maxSteps = MAX_STEPS + MAX_STEPS_PER_MESSAGE * messages.length;
      return String(new BoundedInterpreter(environment, maxSteps).run(this.program).value);
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      // what a template asks for and does not get, and a stack that is used up
      throw new TemplateError(`chat template: expected a text, got an error: ${(error as Error).message}`);
    }
  }
}

function boundedRange(first: number, last?: number, step = 1): number[] {
  const [from, to] = last === undefined ? [0, first] : [first, last];
  const count = Math.ceil((to - from) / step);
  if (!(count <= MAX_RANGE)) {
    throw new TemplateError(`chat template: expected a range of at most ${MAX_RANGE} numbers, got ${count}`);
  }
  return Array.from({ length: Math.max(0, count) }, (_, i) => from + i * step);
}

/** Longer names first: of two that begin alike, the longer one is meant. */
const byLength = (names: readonly string[]): string[] => [...names].sort((a, b) => b.length - a.length);

const escapeForRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const namesPattern = (names: readonly string[]): RegExp | undefined => {
  const alternatives = byLength(names.filter((name) => name !== '')).map(escapeForRegExp);
  return alternatives.length === 0 ? undefined : new RegExp(alternatives.join('|'), 'g');
};

/** Private-use characters of plane 15, which no text of a caller's need have. */
const FIRST_MASK = 0xf0000;
const LAST_MASK = 0xffffd;

/**
 * Hides the names of special tokens in what callers write: each becomes one character that none of the messages has, so
 * that a template sees everything else as it is, and what it makes of it cannot be taken for the template's own tokens.
 */
class Mask {
  private readonly pattern: RegExp | undefined;
  private readonly first: number;

  constructor(
    private readonly names: readonly string[],
    messages: readonly ChatMessage[],
  ) {
    this.pattern = namesPattern(names);
    this.first = freeCharacters(names.length, messages);
  }

  hide(text: string): string {
    if (!this.pattern) return text;
    return text.replace(this.pattern, (name) => String.fromCodePoint(this.first + this.names.indexOf(name)));
  }

  show(text: string): string {
    const hidden = new RegExp(
      `[${String.fromCodePoint(this.first)}-${String.fromCodePoint(this.first + Math.max(this.names.length, 1) - 1)}]`,
      'gu',
    );
    return this.pattern ? text.replace(hidden, (c) => this.names[c.codePointAt(0)! - this.first]!) : text;
  }
}

/** The first of so many characters in a row that none of the messages has. */
function freeCharacters(count: number, messages: readonly ChatMessage[]): number {
  const used = new Set<number>();
  for (const { content } of messages) {
    for (const match of content.matchAll(/[\u{F0000}-\u{FFFFD}]/gu)) used.add(match[0].codePointAt(0)!);
  }
  let first = FIRST_MASK;
  for (let c = first; c < first + count; c++) if (used.has(c)) first = c + 1;
  if (first + count - 1 > LAST_MASK) {
    throw new TemplateError('chat: expected messages that leave some private-use characters unused, got all of them');
  }
  return first;
}

/** Cuts a text at the names of special tokens. Pieces of text are not empty. */
export function splitSpecials(text: string, names: readonly string[]): ChatPiece[] {
  const pattern = namesPattern(names);
  const pieces: ChatPiece[] = [];
  const add = (piece: string): void => {
    if (piece !== '') pieces.push({ text: piece });
  };
  let at = 0;
  for (const match of pattern ? text.matchAll(pattern) : []) {
    add(text.slice(at, match.index));
    pieces.push({ special: match[0] });
    at = match.index + match[0].length;
  }
  add(text.slice(at));
  return pieces;
}
