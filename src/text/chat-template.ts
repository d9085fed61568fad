/**
 * A model's own chat template, a Jinja text: messages in, the text of the conversation out. Not the ids: chat.ts makes
 * them, and keeps special tokens out of what callers write. A template comes from a stranger's file, so all that it
 * does is bounded. Source: Hugging Face transformers, "Chat templates"; templates are run by @huggingface/jinja.
 */
import { Environment, parse, tokenize } from '@huggingface/jinja';
import { BoundedInterpreter, boundedRange, stop, TemplateError } from './bounded-interpreter.ts';
import { MAX_NESTING, nestingOf } from './template-nesting.ts';

export { TemplateError };

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
const MAX_TEMPLATE = 200_000;
/** Of white space in a row: what the library seeks first takes the square of it. */
const MAX_BLANK = 256;

export class ChatTemplate {
  private readonly program: ReturnType<typeof parse>;

  /** @throws TemplateError for what is no template */
  constructor(private readonly source: ChatSource) {
    const { template } = source;
    if (template.length > MAX_TEMPLATE) stop(`at most ${MAX_TEMPLATE} characters, got ${template.length}`);
    for (const { length } of template.split(/\S+/))
      if (length > MAX_BLANK) stop(`at most ${MAX_BLANK} characters of white space in a row, got ${length}`);
    try {
      // as transformers has its templates read
      const tokens = tokenize(template, { lstrip_blocks: true, trim_blocks: true });
      const nesting = nestingOf(tokens);
      if (nesting > MAX_NESTING)
        stop(`brackets, blocks and operators within each other that come to at most ${MAX_NESTING}, got ${nesting}`);
      this.program = parse(tokens);
    } catch (error) {
      if (error instanceof TemplateError) throw error;
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
