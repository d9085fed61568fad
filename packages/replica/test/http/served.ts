/** A core behind HTTP, for tests. */
import { afterAll, beforeAll } from 'vitest';
import { type Server, serve } from '../../src/http/serve.ts';
import { CANISTER_ID, type FakeCore } from './fake-core.ts';

/** Serves a core while the tests of a file run. */
export function served(core: FakeCore) {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await serve(core, { port: 0 });
  });
  afterAll(() => server!.close());
  return {
    get at(): Server {
      return server!;
    },
    /** Where update calls of the echo canister go. */
    get calls(): string {
      return `${server!.url}/api/v3/canister/${CANISTER_ID}/call`;
    },
  };
}
