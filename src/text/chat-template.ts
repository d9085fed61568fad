/**
 * A model's own chat template, a Jinja text: messages in, the text of the conversation out. Not the ids: chat.ts makes
 * them, and keeps special tokens out of what callers write. A template comes from a stranger's file, so all that it
 * does is bounded. Source: Hugging Face transformers, "Chat templates"; templates are run by @huggingface/jinja.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';

export const ROLES = ['system', 'user', 'assistant', 'tool'] as const;

/** A call of a tool that an assistant has made, as templates know it. */
export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: Record<string, unknown> };
}

export interface ChatMessage {
  /** One of ROLES; templates refuse others. */
  role: string;
  content: string;
  /** Of an assistant. */
  tool_calls?: readonly ToolCall[];
  /** Of what a tool answers. */
  tool_call_id?: string;
}

/** What a model may call: a function, with its parameters as JSON Schema. */
export interface Tool {
  type: 'function';
  function: { name: string; description?: string; parameters?: Record<string, unknown> };
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
  tools?: readonly Tool[];
  /** Other values that a template asks for, such as `enable_thinking`. */
  values?: Record<string, unknown>;
  /** Whether rendering has taken as much as it may: asked every few steps. */
  isSpent?: () => boolean;
}

/** Bounds of one rendering, far above what templates in use take. */
const MAX_STEPS = 20_000;
const MAX_STEPS_PER_MESSAGE = 2_000;
const MAX_TEXT = 1_000_000;
/**
 * Items of a list: a turn of a loop takes some 150,000 instructions in the canister, and does nothing else that is
 * counted.
 */
const MAX_LIST = 2_000;
const MAX_TEMPLATE = 200_000;
const MAX_DEPTH = 100;
/** Steps from one question to the next whether rendering has taken too much. */
const STEPS_EACH = 16;
/** Characters of a text that count as a step. */
const TEXT_STEP = 256;

/** A template asked for what it may not have, or said with `raise_exception` that it does not take such messages. */
export class TemplateError extends Error {
  /** @param isBound whether it did more than it may, and may do so again */
  constructor(
    message: string,
    readonly isBound = false,
  ) {
    super(message);
  }
}

/**
 * Counts what a template does: one that never ends, or grows without end, is stopped. A list counts by its length, for
 * a loop over it may do nothing else that is counted, and a text by a share of its own.
 */
class BoundedInterpreter extends Interpreter {
  private steps = 0;
  private asked = 0;
  private depth = 0;

  constructor(
    environment: Environment,
    private readonly maxSteps: number,
    private readonly isSpent: () => boolean,
  ) {
    super(environment);
  }

  override evaluate(...node: Parameters<Interpreter['evaluate']>): ReturnType<Interpreter['evaluate']> {
    this.count(1);
    if (this.depth >= MAX_DEPTH) stop(`at most ${MAX_DEPTH} expressions within each other, got more`);
    this.depth += 1;
    const result = super.evaluate(...node);
    this.depth -= 1;
    const { value } = result;
    if (typeof value === 'string') {
      if (value.length > MAX_TEXT) stop(`at most ${MAX_TEXT} characters, got ${value.length}`);
      if (value.length >= TEXT_STEP) this.count(Math.floor(value.length / TEXT_STEP));
    } else if (Array.isArray(value)) this.countItems(value.length);
    else if (value instanceof Map) this.countItems(value.size);
    return result;
  }

  private countItems(items: number): void {
    if (items > MAX_LIST) stop(`lists of at most ${MAX_LIST} items, got ${items}`);
    this.count(items);
  }

  private count(steps: number): void {
    this.steps += steps;
    if (this.steps > this.maxSteps) stop(`an end within ${this.maxSteps} steps, got none`);
    if (this.steps - this.asked < STEPS_EACH) return;
    this.asked = this.steps;
    if (this.isSpent()) stop('an end within the instructions that a message may take, got none');
  }
}

function stop(expected: string): never {
  throw new TemplateError(`chat template: expected ${expected}`, true);
}

export class ChatTemplate {
  private readonly program: ReturnType<typeof parse>;

  /** @throws TemplateError for what is no template */
  constructor(private readonly source: ChatSource) {
    const { template } = source;
    if (template.length > MAX_TEMPLATE) stop(`at most ${MAX_TEMPLATE} characters, got ${template.length}`);
    try {
      // as transformers has its templates read
      this.program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
    } catch (error) {
      throw new TemplateError(`chat template: expected a Jinja template, got an error: ${(error as Error).message}`);
    }
  }

  /** Whether the template asks for a value of this name. */
  asksFor(name: string): boolean {
    return hasIdentifier(this.program, name);
  }

  /** The text of a conversation. @throws TemplateError with the template's own words where it takes no such messages */
  render(
    messages: readonly ChatMessage[],
    { addGenerationPrompt = true, tools = [], values = {}, isSpent = () => false }: RenderOptions = {},
  ): string {
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
      bos_token: this.source.bos ?? '',
      eos_token: this.source.eos ?? '',
      messages,
      add_generation_prompt: addGenerationPrompt,
      ...(tools.length > 0 && { tools }),
      ...values,
    };
    for (const [name, value] of Object.entries(globals)) environment.set(name, value);
    try {
      const maxSteps = MAX_STEPS + MAX_STEPS_PER_MESSAGE * messages.length;
      return String(new BoundedInterpreter(environment, maxSteps, isSpent).run(this.program).value);
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      // what a template asks for and does not get, and a stack that is used up
      throw new TemplateError(`chat template: expected a text, got an error: ${(error as Error).message}`);
    }
  }

  /**
   * Whether a model may chat by it.
   * @throws TemplateError for one that does not take what a user says first, or that never ends
   */
  check(options: Pick<RenderOptions, 'isSpent'>): void {
    const user = { role: 'user', content: 'Hello' };
    this.render([user], options);
    const others = [
      [{ role: 'system', content: 'Be brief.' }, user],
      [user, { role: 'assistant', content: 'Hi' }, user],
    ];
    for (const messages of others) {
      try {
        this.render(messages, options);
      } catch (error) {
        // some take no system message
        if (!(error instanceof TemplateError) || error.isBound) throw error;
      }
    }
  }
}

/** Whether a name stands anywhere in a parsed template. */
function hasIdentifier(node: unknown, name: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some((inner) => hasIdentifier(inner, name));
  const { type, value } = node as { type?: unknown; value?: unknown };
  if (type === 'Identifier') return value === name;
  return Object.values(node).some((inner) => hasIdentifier(inner, name));
}

function boundedRange(first: number, last?: number, step = 1): number[] {
  const [from, to] = last === undefined ? [0, first] : [first, last];
  const count = Math.ceil((to - from) / step);
  if (!(count <= MAX_LIST)) {
    stop(`a range of at most ${MAX_LIST} numbers, got ${count}`);
  }
  return Array.from({ length: Math.max(0, count) }, (_, i) => from + i * step);
}
