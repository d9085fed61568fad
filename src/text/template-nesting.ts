/**
 * How deep a chat template is nested, told from its tokens before it is parsed: the library's parser calls itself some
 * fifteen times for a bracket, and a stack that is used up traps a canister, which cannot say why. A chain of operators
 * counts as nested, for the interpreter takes it so.
 */
import type { tokenize } from '@huggingface/jinja';

type Token = ReturnType<typeof tokenize>[number];

/** Half of what a canister's stack has room for; templates in use come to 40. */
export const MAX_NESTING = 120;
const BRACKET = 10;
const BLOCK = 2;

const OPEN = new Set(['OpenParen', 'OpenSquareBracket', 'OpenCurlyBracket']);
const CLOSE = new Set(['CloseParen', 'CloseSquareBracket', 'CloseCurlyBracket']);
const CHAINED = /^(Dot|Pipe|(Unary|Additive|Multiplicative|Exponentiation|Comparison)\w*)$/;
const CHAINING = new Set(['not', 'and', 'or', 'if', 'is', 'in']);
const BLOCKS = new Set(['if', 'for', 'macro', 'call', 'filter']);

/** The most that a template comes to: each bracket 10, each block 2, each operator of a chain 1. */
export function nestingOf(tokens: readonly Token[]): number {
  /** Of each block that is open, one and its `elif`. */
  const blocks: number[] = [];
  /** Of the statement, and of each bracket that is open in it, what stands in a chain. */
  let chains = [0];
  let statement = '';
  let [inBlocks, inStatement, most] = [0, 0, 0];
  const open = (): void => {
    blocks.push(BLOCK);
    inBlocks += BLOCK;
  };
  const chain = (count: number): void => {
    chains[chains.length - 1]! += count;
    inStatement += count;
  };
  for (const [i, { type, value }] of tokens.entries()) {
    if (type === 'OpenStatement' || type === 'OpenExpression') {
      [chains, inStatement] = [[0], 0];
      statement = type === 'OpenStatement' ? (tokens[i + 1]?.value ?? '') : '';
      if (BLOCKS.has(statement)) open();
      else if (statement.startsWith('end')) inBlocks -= blocks.pop() ?? 0;
      else if (statement === 'elif' && blocks.length > 0) {
        blocks[blocks.length - 1]! += BLOCK;
        inBlocks += BLOCK;
      }
    } else if (OPEN.has(type)) {
      // an index or a call is the next of a chain
      chain(1);
      chains.push(0);
      inStatement += BRACKET;
    } else if (CLOSE.has(type) && chains.length > 1) inStatement -= BRACKET + chains.pop()!;
    else if (type === 'Comma' || type === 'Colon') chain(-chains.at(-1)!);
    else if (type === 'Equals') statement = '';
    // what is set without a value is set by a block
    else if (type === 'CloseStatement' && statement === 'set') open();
    else if (CHAINED.test(type) || (type === 'Identifier' && CHAINING.has(value))) chain(1);
    most = Math.max(most, inBlocks + inStatement);
  }
  return most;
}
