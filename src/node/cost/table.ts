/** Costs as a table for people: cycles, XDR and USD, on a subnet of each size. */
import { onNodes } from '../../../packages/replica/src/cycles.ts';
import { short, USD_PER_XDR, xdrOf } from '../terminal/numbers.ts';
import { megabytes } from '../terminal/terminal.ts';
import type { Costs } from './measure.ts';
import type { Places } from './places.ts';

export interface Asked {
  promptTokens: number;
  tokens: number;
  /** Answers. */
  perDay: number;
}

/** An application subnet, and the larger ones. */
const NODES = [13, 34];
const MONTH_DAYS = 30;

export function costTable(
  name: string,
  packBytes: number,
  costs: Costs,
  { promptTokens, tokens, perDay }: Asked,
  { places, isRun = true }: { places?: Places | undefined; isRun?: boolean } = {},
): string {
  const month = (answer: number): number => MONTH_DAYS * (costs.storageDay + perDay * answer);
  const rows: [string, number][] = [
    ['once', Number.NaN],
    ['  create the canister', costs.create],
    ['  install', costs.install],
    [`  upload, ${megabytes(packBytes)}`, costs.upload],
    ['an answer', Number.NaN],
    ['  generate, one token a call', costs.generate],
    ['  start, one token a call', costs.start],
    ['  generate, tokens_per_call auto', costs.auto],
    [`a token of generate, ${messagesText(costs)}`, costs.token],
    ['a day', Number.NaN],
    [`  storage, ${megabytes(costs.storageBytes)}`, costs.storageDay],
    [`  ${perDay.toLocaleString('en-US')} answers, one token a call`, perDay * costs.generate],
    [`  ${perDay.toLocaleString('en-US')} answers, auto`, perDay * costs.auto],
    [`${MONTH_DAYS} days, storage and answers`, Number.NaN],
    ['  one token a call', month(costs.generate)],
    ['  auto', month(costs.auto)],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  const columns = (cells: (nodes: number) => string[]): string =>
    NODES.map((nodes) =>
      cells(nodes)
        .map((cell, i) => cell.padStart(i === 0 ? 12 : 10))
        .join(''),
    ).join('   ');
  const lines = [
    `${name}: ${promptTokens} tokens in, ${tokens} out; ${isRun ? 'measured on the local replica just now' : 'worked out from two layers of it and three, measured on the local replica just now'}`,
    '',
    `${' '.repeat(width)}${NODES.map((nodes) => `on ${nodes} nodes`.padStart(32)).join('   ')}`,
    `${' '.repeat(width)}${columns(() => ['cycles', 'XDR', 'USD'])}`,
    ...rows.map(([what, cycles]) =>
      Number.isNaN(cycles) ? what : `${what.padEnd(width)}${columns((nodes) => moneyOf(onNodes(cycles, nodes)))}`,
    ),
    '',
    `USD if an XDR is ${USD_PER_XDR} USD. Prompts are new ones: one that was asked before costs less. Queries (progress, generate_query) cost nothing.`,
    ...(places ? [`${placesText(places)}${places.streamedBytes > 0 ? ' That is in the figures above.' : ''}`] : []),
    "Storage grows with what is kept: up to 64 MiB of prompts' encodings and 1,000 finished sessions, unless set otherwise.",
  ];
  return lines.join('\n');
}

const messagesText = ({ tokenMessages }: Costs): string => {
  const count = Math.round(tokenMessages);
  return count === 1 ? 'a message' : `${count} messages, replies among them`;
};

/** Where the weights are while the model works. */
export function placesText({ arenaBytes, usedBytes, weightsBytes, streamedBytes, readByBatch }: Places): string {
  const setting = `arena_bytes ${(arenaBytes / 2 ** 20).toLocaleString('en-US')} MiB`;
  if (streamedBytes === 0)
    return `All weights, ${megabytes(weightsBytes)}, stay in the heap: the model takes ${megabytes(usedBytes)} of ${setting}.`;
  const resident = megabytes(weightsBytes - streamedBytes);
  const when =
    readByBatch > 0
      ? `${megabytes(readByBatch)} of them with each token, or once for the tokens of all answers that are made together`
      : 'all of them once a prompt, by the encoder';
  return `Of ${megabytes(weightsBytes)} of weights ${resident} stay in the heap and ${megabytes(streamedBytes)} are streamed (${setting}): read from stable memory, ${when}.`;
}

const moneyOf = (cycles: number): string[] => {
  const xdr = xdrOf(cycles);
  return [short(cycles), digits(xdr), digits(xdr * USD_PER_XDR)];
};

/** Three digits that count, no exponent. */
const digits = (value: number): string =>
  value === 0 ? '0' : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
