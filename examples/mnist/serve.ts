/** `npm start`: the canister on a replica in this process, with its page. */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Replica } from 'stepwise-replica';
import { serve } from 'stepwise-replica/http';

const replica = new Replica();
const { canisterId } = replica.createCanister();
await replica.installCode({
  canisterId,
  wasm: readFileSync('build/mnist.wasm.gz'),
  arg: new Uint8Array(IDL.encode([], [])),
});
const { port } = await serve(replica, { port: Number(process.env.PORT ?? 4944) });
console.log(`Draw at http://${canisterId.toText()}.localhost:${port}/`);
