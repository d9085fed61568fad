/**
 * Asks a model's canister from Node and prints the answer as it comes. A project to copy; the client comes into it by
 *   npm install …/stepwise-client-0.1.0.tgz      (npm run packages in Stepwise makes it)
 *   HOST=http://127.0.0.1:4943 CANISTER=rwlgt-iiaaa-aaaaa-aaaaa-cai npm run ask -- "What is the capital of France?"
 */
import { connect, GenerateError } from 'stepwise-client';

const { HOST: host = 'https://icp-api.io', CANISTER: canisterId } = process.env;
const prompt = process.argv.slice(2).join(' ');

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('stopped')));

try {
  const llm = await connect({ host, canisterId });
  const answer = llm.stream(prompt, { signal: stop.signal });
  for await (const text of answer) process.stdout.write(text);
  console.log();
  console.error(`${answer.usage.output_tokens} tokens, ${answer.usage.cycles} cycles`);
} catch (error) {
  console.error(error instanceof GenerateError ? `${error.code}: ${error.message}` : error.message);
  process.exitCode = 1;
}
