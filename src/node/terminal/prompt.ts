/** The question of a command: its words, or `--prompt`, as the commands before them have it. */
import { Option } from 'commander';

export const promptOption = (): Option =>
  new Option('--prompt <text>', 'what to ask; the same as the words after the options');

/** A command line that asks something. */
export const exampleOf = (command: string): string =>
  `npm ${command === 'start' ? command : `run ${command}`} -- "what is 17 + 26?"`;

/** @returns undefined where none is given. @throws Error for an empty one, and for two */
export function promptFrom(command: string, words: readonly string[], option: string | undefined): string | undefined {
  if (words.length > 0 && option !== undefined) {
    throw new Error(
      `${command}: expected the prompt once, got it as --prompt and as ${JSON.stringify(words.join(' '))}`,
    );
  }
  const prompt = option ?? (words.length > 0 ? words.join(' ') : undefined);
  // named as the canister names it: programs read that of npm run ask -- --json
  if (prompt?.trim() === '') {
    const message = `${command}: expected a prompt, got no text; ${exampleOf(command)}`;
    throw Object.assign(new Error(message), { name: 'EmptyPrompt' });
  }
  return prompt;
}

/** What a terminal shows of an answer in which there is nothing to see. */
export const NO_TEXT = '(no text)';
