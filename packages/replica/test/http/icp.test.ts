/**
 * `icp` 1.5, unmodified, as a user has it: a project with a connected network whose root key is fetched. It checks
 * every certificate. Skipped, with a message, where its npm package is not installed (it comes for some platforms
 * only).
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, serve } from '../../src/http/serve.ts';
import { Replica } from '../../src/index.ts';
import { canister, int } from '../wat.ts';
import { CANDID, customSection, watCanister } from './wat-canister.ts';

const program = findProgram();
if (!program) console.warn('icp.test.ts: skipped, as @icp-sdk/icp-cli-linux-x64 is not installed');

const replica = new Replica();
const wasm = watCanister();
let server: Server;
let folder: string;

beforeAll(async () => {
  server = await serve(replica, { port: 0 });
  folder = await mkdtemp(join(tmpdir(), 'icp-'));
  await mkdir(join(folder, 'project'));
  await writeFile(join(folder, 'project', 'icp.yaml'), project(server.url));
  await writeFile(join(folder, 'project', 'small.wasm'), wasm);
  // Above 2 MiB, the limit of an ingress message: it has to go by the chunk store.
  await writeFile(
    join(folder, 'project', 'large.wasm'),
    Buffer.concat([wasm, customSection('padding', 'x'.repeat(3_000_000))]),
  );
});
afterAll(async () => {
  await server.close();
  replica.close();
  await rm(folder, { recursive: true });
});

function findProgram(): string | undefined {
  try {
    const main = createRequire(import.meta.url).resolve('@icp-sdk/icp-cli-linux-x64');
    return [join(main, '..', 'bin', 'icp')].find(existsSync);
  } catch {
    return undefined;
  }
}

const project = (url: string) => `canisters:
  - name: small
    build: { steps: [{ type: pre-built, path: small.wasm }] }
  - name: large
    build: { steps: [{ type: pre-built, path: large.wasm }] }
networks:
  - { name: replica, mode: connected, url: '${url}', root-key: fetch }
environments:
  - { name: replica, network: replica, canisters: [small, large] }
`;

/** Runs icp in the project and gives what it prints; what it prints to stderr is in the error where it fails. */
async function icp(...args: string[]): Promise<string> {
  const env = { ...process.env, HOME: folder, DO_NOT_TRACK: '1' };
  const { stdout } = await promisify(execFile)(program!, args, { cwd: join(folder, 'project'), env });
  return stdout.trim();
}

describe.skipIf(!program)('icp, with a canister that is there', () => {
  const { canisterId } = replica.createCanister();
  const id = canisterId.toText();
  const network = () => ['--network', server.url, '--root-key', 'fetch'];
  beforeAll(() => replica.installCode({ canisterId, wasm }));

  test('calls and queries it', async () => {
    expect(await icp('canister', 'call', id, 'echo', '("from icp")', ...network())).toBe('("from icp")');
    expect(await icp('canister', 'call', id, 'echo_query', '("asked")', '--query', ...network())).toBe('("asked")');
  });

  test('shows what the canister rejects', async () => {
    await expect(icp('canister', 'call', id, 'fail', '("so")', ...network())).rejects.toThrow(/CanisterReject.*IC0406/);
  });

  test('reads its Candid and its public status', async () => {
    expect(await icp('canister', 'metadata', id, 'candid:service', ...network())).toBe(CANDID);
    const hash = Buffer.from(replica.canister(canisterId)!.moduleHash!).toString('hex');
    expect(await icp('canister', 'status', '--public', id, ...network())).toContain(`Module hash: 0x${hash}`);
  });

  test('stops and starts it', async () => {
    await icp('canister', 'stop', id, ...network());
    expect(replica.canister(canisterId)!.status).toBe('stopped');
    await icp('canister', 'start', id, ...network());
    expect(replica.canister(canisterId)!.status).toBe('running');
  });
});

describe.skipIf(!program)('icp canister snapshot', () => {
  const [first, second] = [replica.createCanister(), replica.createCanister()].map(({ canisterId }) => canisterId);
  const snapshot = (...args: string[]) =>
    icp('canister', 'snapshot', ...args, '--network', server.url, '--root-key', 'fetch');
  const listed = async (id: Principal) =>
    (await snapshot('list', id.toText())).match(/^ *[0-9a-f]{36}/gm)?.map((line) => line.trim()) ?? [];
  const memory = (id: Principal) =>
    createHash('sha256').update(replica.canister(id)!.stable.committed().read(0, 5_000_004)).digest('hex');
  const count = (id: Principal) => replica.updateCall({ canisterId: id, method: 'count', arg: new Uint8Array(0) });
  /** Stable memory of several pieces of what `icp` reads at a time, and something at both ends. */
  const counter = canister(`
    (func (export "canister_init") (drop (call $stable64_grow (i64.const 80))))
    (func (export "canister_update count")
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
      (call $stable64_write (i64.const 1) (i64.const 0) (i64.const 4))
      (call $stable64_write (i64.const 5000000) (i64.const 0) (i64.const 4))
      (call $replyInt (i32.load (i32.const 0))))`);
  let taken: string;
  beforeAll(async () => {
    await replica.installCode({ canisterId: first!, wasm: counter });
    await count(first!);
    await replica.stopCanister({ canisterId: first! });
    await replica.stopCanister({ canisterId: second! });
  });

  test('create and list', async () => {
    taken = await snapshot('create', first!.toText(), '--quiet');
    expect(await listed(first!)).toEqual([taken]);
    expect(await snapshot('list', first!.toText())).toContain(taken);
  });

  test('restore, into the same canister and into another one', async () => {
    const before = memory(first!);
    await replica.startCanister({ canisterId: first! });
    await count(first!);
    await replica.stopCanister({ canisterId: first! });
    expect(memory(first!)).not.toBe(before);
    await snapshot('restore', first!.toText(), taken);
    await snapshot('restore', second!.toText(), taken);
    for (const id of [first!, second!]) {
      expect(memory(id)).toBe(before);
      await replica.startCanister({ canisterId: id });
      expect(int(await count(id))).toBe(2);
      await replica.stopCanister({ canisterId: id });
    }
  });

  test('download, upload to another canister, restore there', async () => {
    const here = join(folder, 'downloaded');
    await snapshot('download', first!.toText(), taken, '--output', here);
    await replica.uninstallCode({ canisterId: second! });
    const uploaded = await snapshot('upload', second!.toText(), '--input', here, '--quiet');
    expect(await listed(second!)).toEqual([uploaded]);
    await snapshot('restore', second!.toText(), uploaded);
    await replica.startCanister({ canisterId: second! });
    expect(int(await count(second!))).toBe(2);
  });

  test('replace and delete', async () => {
    const next = await snapshot('create', first!.toText(), '--replace', taken, '--quiet');
    expect(await listed(first!)).toEqual([next]);
    await expect(snapshot('restore', first!.toText(), taken)).rejects.toThrow('Could not find the snapshot ID');
    await snapshot('delete', first!.toText(), next);
    expect(await listed(first!)).toEqual([]);
  });
});

/** `icp deploy` asks the cycles minting canister for subnets and the cycles ledger for canisters. */
const minting = Principal.fromText('rkp4c-7iaaa-aaaaa-aaaca-cai');
const arg = new TextEncoder().encode('DIDL\0\0');
const asked = { sender: Principal.anonymous(), canisterId: minting, methodName: 'get_default_subnets', arg };
const canDeploy = (await replica.query(asked)).status === 'replied';
if (!canDeploy) console.warn('icp.test.ts: deploy skipped, as the core has no cycles ledger');

describe.skipIf(!program || !canDeploy)('icp deploy', () => {
  const deploy = () => icp('deploy', '-e', 'replica');

  test('creates canisters through the cycles ledger and installs them, a large one by chunks', async () => {
    await deploy();
    expect(await icp('canister', 'call', 'small', 'echo', '("small")', '-e', 'replica')).toBe('("small")');
    expect(await icp('canister', 'call', 'large', 'echo', '("large")', '-e', 'replica')).toBe('("large")');
    expect(await icp('canister', 'status', 'large', '-e', 'replica')).toMatch(/Status: Running[\s\S]*Module hash: 0x/);
  });

  test('upgrades them when deployed again', async () => {
    await writeFile(join(folder, 'project', 'small.wasm'), Buffer.concat([wasm, customSection('again', '')]));
    await deploy();
    expect(await icp('canister', 'call', 'small', 'echo', '("again")', '-e', 'replica')).toBe('("again")');
  });

  test('changes and shows settings', async () => {
    await icp('canister', 'settings', 'update', 'small', '-e', 'replica', '--freezing-threshold', '3000');
    expect(await icp('canister', 'settings', 'show', 'small', '-e', 'replica')).toContain('Freezing threshold: 3_000');
  });
});
