/**
 * The commands of Markdown pages: lines that begin with `$ ` in blocks of `console`, and spans of code that begin with
 * a program's name.
 */
import { readFileSync } from 'node:fs';

export interface Command {
  /** `docs/deploy.md:17` */
  at: string;
  /** As it is typed; what follows a `#` is a comment, which bash skips too. */
  text: string;
  /** Lines that the page shows as its output. */
  output: string[];
  /** In the running text, where it may be no more than a name. */
  inline: boolean;
}

const PROGRAMS = /^(npm|npx|node|icp|dfx|git) /;

export function commandsOf(file: string): Command[] {
  const commands: Command[] = [];
  let block: string | undefined;
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const at = `${file}:${index + 1}`;
    const [fence, language] = /^```(\w*)/.exec(line) ?? [];
    if (fence !== undefined) block = block === undefined ? language! : undefined;
    else if (block === 'console' && line.startsWith('$ '))
      commands.push({ at, text: line.slice(2), output: [], inline: false });
    else if (block === 'console') commands.at(-1)!.output.push(line);
    else if (block === undefined)
      for (const [, text] of line.matchAll(/`([^`]+)`/g))
        if (PROGRAMS.test(text!)) commands.push({ at, text: text!, output: [], inline: true });
  }
  return commands;
}

/** Text in which whatever differs from run to run is alike: numbers, hashes, principals. */
export const masked = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{32,}\b/g, '#')
    .replace(/\b[a-z0-9]{5}(-[a-z0-9]{3,5})+\b/g, '#')
    .replace(/\d[\d_,.]*/g, '#')
    .trim();
