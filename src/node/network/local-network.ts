/** A replica in this process, served on loopback, with the project's canisters installed on it as they are built. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignIdentity } from '@dfinity/agent';
import type { Principal } from '@dfinity/principal';
import { type Server, serve } from '../../../packages/replica/src/http/serve.ts';
import {
  type MessageKind,
  type MessageRecord,
  Replica,
  type ReplicaOptions,
} from '../../../packages/replica/src/index.ts';
import { buildCanister } from '../build/canister.ts';
import { projectRoot } from '../build/project.ts';
import { keptIdentity } from './pem-identity.ts';
import { FIRST_PORT } from './served.ts';

const PORTS_TRIED = 20;
/** Messages that change nothing and cost nothing. */
const FREE: readonly MessageKind[] = ['query', 'compositeQuery', 'inspectMessage'];

/** The key of whoever controls the canisters here: worth nothing elsewhere. */
export const controllerPem = join(projectRoot, 'build/start/identity.pem');

export class LocalNetwork {
  private constructor(
    readonly replica: Replica,
    readonly server: Server,
    readonly identity: SignIdentity,
  ) {}

  /**
   * @param port this very port; default: 4943 or the next that is free
   * @throws Error where no port is free
   */
  static async start(port?: number, options: ReplicaOptions = {}): Promise<LocalNetwork> {
    const replica = new Replica(options);
    return new LocalNetwork(replica, await serveOn(replica, port), await keptIdentity(controllerPem));
  }

  get url(): string {
    return this.server.url;
  }

  /** Creates a canister and installs the module that `npm run build` makes. */
  async install(name: string, options: { arg?: Uint8Array; onProgress?: (step: string) => void } = {}) {
    const { gz, moduleHash } = await buildCanister(name, { onProgress: options.onProgress });
    const { canisterId } = this.replica.createCanister({ controllers: [this.identity.getPrincipal()] });
    await this.replica.installCode({ canisterId, wasm: gz, arg: options.arg });
    return { canisterId, moduleHash };
  }

  /**
   * What the canister's messages were and cost while `work` was done, those that followed from it included; queries
   * cost nothing.
   */
  async record<T>(
    canisterId: Principal,
    work: () => Promise<T>,
  ): Promise<{ result: T; messages: MessageRecord[]; cycles: bigint }> {
    const canister = this.replica.canister(canisterId)!;
    // a call that still waits has cycles set aside, which would come back in between
    const settled = async () => {
      while (canister.callContexts.size > 0) await sleep(1);
    };
    await settled();
    const cyclesBefore = canister.cycles;
    const already = this.replica.messages.length;
    const result = await work();
    await settled();
    const messages = this.replica.messages
      .slice(already)
      .filter((message) => message.canisterId.compareTo(canisterId) === 'eq' && !FREE.includes(message.kind));
    return { result, messages, cycles: cyclesBefore - canister.cycles };
  }

  async close(): Promise<void> {
    this.replica.close();
    await this.server.close();
  }
}

async function serveOn(replica: Replica, port: number | undefined): Promise<Server> {
  if (port !== undefined) return await serve(replica, { port });
  for (let next = FIRST_PORT; next < FIRST_PORT + PORTS_TRIED; next++) {
    try {
      return await serve(replica, { port: next });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  const range = `${FIRST_PORT} to ${FIRST_PORT + PORTS_TRIED - 1}`;
  throw new Error(`start: expected a free port from ${range}, got none; name another with --port`);
}
