/**
 * `npm start`: the whole way on this machine, from the sources to an answer. Replica, canister, upload, then a question
 * through @dfinity/agent, the tokens as they come, and what they took by the replica's record of messages.
 */
import { once } from 'node:events';
import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import { Command } from 'commander';
import { type MessageRecord, profile } from '../packages/replica/src/index.ts';
import { type Asking, type Client, connect, type GenerateOptions, type TextStream } from '../src/client/index.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { APPLES, findModel } from '../src/node/model/find-model.ts';
import { notAppliedLine, type PackFile, packFolder } from '../src/node/model/model-folder.ts';
import { uploadWithProgress } from '../src/node/model/upload-progress.ts';
import { answerFromCache } from '../src/node/network/answer-cache.ts';
import { LocalNetwork } from '../src/node/network/local-network.ts';
import { FIRST_PORT, forgetServed, rememberServed } from '../src/node/network/served.ts';
import { tokensPerCall, weightsOption, wholeNumber } from '../src/node/terminal/arguments.ts';
import { askingOf, rawOption } from '../src/node/terminal/asking.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { howToCall } from '../src/node/terminal/how-to-call.ts';
import { billedFor, cyclesText, fromCache, short } from '../src/node/terminal/numbers.ts';
import { onTheNetwork } from '../src/node/terminal/on-the-network.ts';
import { NO_TEXT, promptFrom, promptOption } from '../src/node/terminal/prompt.ts';
import { dim } from '../src/node/terminal/terminal.ts';

interface Options {
  model?: string;
  prompt?: string;
  weights: WeightsKind;
  tokensPerCall: GenerateOptions['tokens_per_call'];
  port?: number;
  serve?: boolean;
  profile?: boolean;
  raw?: boolean;
}

const program = new Command('npm start --')
  .description(
    'Builds the canister, starts a replica, uploads a model, asks it a question, and says what the answer cost.',
  )
  .argument('[prompt...]', 'what to ask (default: a question about apples)')
  .option(
    '--model <dir>',
    'model folder, GGUF file, or a model on the hub like google/flan-t5-small (default: models/little-flan)',
  )
  .addOption(promptOption())
  .addOption(weightsOption())
  .option('--tokens-per-call <n|auto>', 'tokens that a message makes; auto: as many as it holds', tokensPerCall, 1)
  .option(
    '--port <n>',
    `port of the replica on 127.0.0.1 (default: ${FIRST_PORT}, or the next that is free)`,
    wholeNumber(1, 65_535),
  )
  .addOption(rawOption())
  .option('--serve', 'stay up after the answer, with a page to ask at, and print how to call the canister')
  .option('--profile', 'say where the instructions went, by canister method and by kind')
  .action(async (prompt: string[], options: Options) =>
    start(promptFrom('start', prompt, options.prompt) ?? APPLES, options),
  );

async function start(prompt: string, options: Options): Promise<void> {
  const pack = await convert(await findModel(options.model), options.weights);
  const network = await LocalNetwork.start(options.port);
  try {
    const { url } = network;
    const taken = options.port === undefined && network.server.port !== FIRST_PORT;
    console.log(`Replica at ${url}${taken ? ` (port ${FIRST_PORT} is taken)` : ''}`);
    const { canisterId, moduleHash } = await install(network, 'llm');
    console.log(`Canister llm is ${canisterId}, module hash ${moduleHash}`);
    const client = await connect({ host: url, canisterId, identity: network.identity });
    await uploadWithProgress(client, pack);

    const asking = await askingOf(client, prompt, options.raw);
    await ask(network, canisterId, client.stream(asking, { tokens_per_call: options.tokensPerCall }), asking);
    if (options.profile) printProfile(network);
    if (options.serve) await stayUp(network, canisterId, client, prompt);
  } finally {
    await network.close();
  }
}

async function convert(folder: string, weights: WeightsKind): Promise<PackFile> {
  let said = false;
  const onProgress = (): void => {
    if (!said) console.log(`Converting ${folder}`);
    said = true;
  };
  const pack = await packFolder(folder, weights, { onProgress });
  const notApplied = notAppliedLine(pack.head.generation, pack.head.name);
  if (notApplied) console.log(notApplied);
  return pack;
}

/** What a canister is that nobody has asked for by name. */
const LABEL: Record<string, string> = { caller: ', an example of a canister that calls llm' };

const install = (network: LocalNetwork, name: string, arg?: Uint8Array) =>
  network.install(name, { arg, onProgress: (step) => console.log(`Building ${name}${LABEL[name] ?? ''}: ${step}`) });

/** Prints the answer as it comes, then the table. */
async function ask(network: LocalNetwork, canisterId: Principal, answer: TextStream, asking: Asking): Promise<void> {
  const [prompt, method] = typeof asking === 'string' ? [asking, 'start'] : [asking.at(-1)!.content, 'start_chat'];
  console.log(`\n${dim(`> ${prompt}`, process.stdout)}`);
  const started = performance.now();
  let seconds = 0;
  const { messages, cycles } = await network.record(canisterId, async () => {
    for await (const text of answer) process.stdout.write(text);
    seconds = (performance.now() - started) / 1000;
    if (answer.text.trim() === '') process.stdout.write(NO_TEXT);
  });
  const { prompt_tokens, output_tokens, unit_instructions, cycles: billed } = answer.usage!;
  const instructionsOf = (some: MessageRecord[]) => some.reduce((sum, { instructions }) => sum + instructions.total, 0);
  const all = instructionsOf(messages);
  const steps = messages.filter(({ kind, method }) => kind === 'update' && method === 'generate');
  const making = instructionsOf(steps);
  const outside = (of: number) => `${(100 * (1 - Number(unit_instructions) / of)).toFixed(0)}%`;
  const ended = answer.finish_reason === 'stop' ? 'the stop token included' : 'cut off at the length limit';
  const table = [
    ['prompt', `${prompt_tokens} tokens`],
    ['answer', `${output_tokens} tokens, ${ended}`],
    ['calls', `${steps.length + 1}: ${method} from outside, generate by the canister itself ${times(steps.length)}`],
    ['instructions', `${short(all)}: ${short(all - making)} to start, ${short(making / output_tokens)} a token`],
    ['outside the unit', `${outside(all)} of all, ${outside(making)} of what the tokens took`],
    ['cost', cyclesText(cycles)],
    ['', `charged by the replica: ${billedFor(messages.length)}; the canister's own bill says ${short(billed)}`],
    ['cache', fromCache(answer.usage!)],
    ['time', `${seconds.toFixed(1)} s here`],
    ['on the network', onTheNetwork(messages.map(({ instructions }) => instructions.total))],
  ];
  console.log(`\n\n${table.map(([what, value]) => `${what!.padEnd(16)}  ${value}`).join('\n')}`);
}

/** All messages since the replica began, install and upload too. */
function printProfile({ replica }: LocalNetwork): void {
  const rows = profile(replica.messages).map(({ kind, method, messages, instructions, largest }) => ({
    message: `${kind} ${method}`.trim(),
    times: messages,
    instructions: short(instructions.total),
    'for pages': short(instructions.pages),
    'for system calls': short(instructions.systemCalls),
    rest: short(instructions.rest),
    largest: short(largest),
  }));
  console.table(rows);
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** Until Ctrl-C. */
async function stayUp(network: LocalNetwork, llm: Principal, client: Client, prompt: string): Promise<void> {
  await answerFromCache(client);
  const arg = new Uint8Array(IDL.encode([IDL.Opt(IDL.Principal)], [[llm]]));
  const caller = await install(network, 'caller', arg);
  const served = { url: network.url, canisterId: llm.toText(), caller: caller.canisterId.toText() };
  await rememberServed(served);
  console.log(`\n${howToCall(served, prompt)}\n\nServing at ${served.url} until Ctrl-C.`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await forgetServed(served);
}

await runCommand(program);
