/**
 * The chat template of a model folder: `chat_template.jinja`, or what `tokenizer_config.json` has under
 * `chat_template`, a text or a list of named ones. Source: transformers, "Chat templates" (where templates are kept).
 */
import type { ChatSource } from '../../../text/chat-template.ts';
import type { Fields } from '../../json/json.ts';
import { contentOf, type TokenizerFiles } from './token-files.ts';

/** @throws Error, TypeError naming the file, what was expected and what is there */
export function readChatSource(files: TokenizerFiles, config: Fields | undefined): ChatSource | undefined {
  const file = files['chat_template.jinja'];
  const template = file ? decode(file) : config && templateOf(config);
  if (template === undefined) return undefined;
  const [bos, eos] = [contentOf(config, 'bos_token'), contentOf(config, 'eos_token')];
  return { template, ...(bos !== undefined && { bos }), ...(eos !== undefined && { eos }) };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`chat_template.jinja: expected UTF-8, got ${bytes.length} bytes that are not`);
  }
}

/** The text, or the one that is called default; others are for tools and retrieval. */
function templateOf(config: Fields): string | undefined {
  const value = config.get('chat_template');
  if (value === undefined || typeof value === 'string') return value;
  if (!Array.isArray(value)) return config.wrong(TypeError, 'chat_template', 'a text or a list', value);
  const named = value as { name?: unknown; template?: unknown }[];
  const found = named.find((entry) => entry?.name === 'default')?.template;
  if (typeof found === 'string') return found;
  const names = named.map((entry) => entry?.name);
  return config.wrong(Error, 'chat_template', 'a list with a template named "default"', names);
}
