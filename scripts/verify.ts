/**
 * `npm run verify`: is the code of a canister, on any network, that of the sources here? Reads the canister's module
 * hash from the network's certified state, builds, and compares. Says nothing about the model, whose hash the canister
 * certifies itself (`model_certificate`).
 */
import { Actor, type ActorSubclass, Certificate, type HttpAgent, LookupPathStatus } from '@dfinity/agent';
import type { Principal } from '@dfinity/principal';
import { Command } from 'commander';
import { buildCanister } from '../src/node/build/canister.ts';
import { addNetworkOptions, connectTo, type NetworkOptions } from '../src/node/network/network.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const program = addNetworkOptions(
  new Command('npm run verify --')
    .description(
      'Compares the code of a deployed canister with what the sources here are built to. Exit code 1: other code.',
    )
    .argument('[name]', 'which canister of dfx.json it should be', 'llm'),
).action(verify);

async function verify(name: string, options: NetworkOptions): Promise<void> {
  const { client, canisterId, host } = await connectTo(options);
  const deployed = await moduleHash(Actor.agentOf(client.actor as unknown as ActorSubclass) as HttpAgent, canisterId);
  const { moduleHash: built } = await buildCanister(name);
  console.log(`${canisterId} at ${host}`);
  console.log(`deployed    ${deployed ?? 'no code'}`);
  console.log(`built here  ${built}`);
  if (deployed !== built)
    throw new Error(
      'verify: expected the same module hash, got another one; build the commit that was deployed, after npm ci, with Node 20',
    );
  console.log('The same.');
}

/**
 * Lowercase hex; undefined where no code is installed. Certified.
 * @throws AgentError where the network cannot be asked, or lies
 */
async function moduleHash(agent: HttpAgent, canisterId: Principal): Promise<string | undefined> {
  const path = [utf8('canister'), canisterId.toUint8Array(), utf8('module_hash')];
  const { certificate } = await agent.readState(canisterId, { paths: [path] });
  const checked = await Certificate.create({ certificate, rootKey: agent.rootKey!, canisterId });
  const found = checked.lookup_path(path);
  return found.status === LookupPathStatus.Found ? Buffer.from(found.value).toString('hex') : undefined;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

await runCommand(program);
