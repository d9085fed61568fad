/**
 * `npm run bench`: instructions a digit on the replica, and how many held-out digits each form of the net gets right.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Replica } from 'stepwise-replica';
import { heldOut, likeliest } from '../test/held-out.ts';

const Measured = IDL.Record({ probabilities: IDL.Vec(IDL.Float64), instructions: IDL.Nat64 });
/** Plain TypeScript takes a second and more a digit on the replica. */
const forms = { int8: heldOut.length, float32: heldOut.length, plain: 20 };

const replica = new Replica();
const { canisterId } = replica.createCanister();
const arg = (pixels: Uint8Array): Uint8Array => new Uint8Array(IDL.encode([IDL.Vec(IDL.Nat8)], [pixels]));
await replica.installCode({
  canisterId,
  wasm: readFileSync('build/bench.wasm.gz'),
  arg: new Uint8Array(IDL.encode([], [])),
});

console.log('| form | right | instructions of the net | of the whole query |\n|---|---:|---:|---:|');
for (const [method, count] of Object.entries(forms)) {
  let [right, net, whole] = [0, 0, 0];
  const step = heldOut.length / count;
  for (let i = 0; i < count; i++) {
    const { digit, pixels } = heldOut[Math.floor(i * step)]!;
    const reply = await replica.queryCall({ canisterId, method, arg: arg(pixels) });
    const [measured] = IDL.decode([Measured], reply) as unknown as [{ probabilities: number[]; instructions: bigint }];
    right += likeliest(measured.probabilities) === digit ? 1 : 0;
    net += Number(measured.instructions);
    whole += replica.messages.at(-1)!.instructions.total;
  }
  const average = (sum: number): string => Math.round(sum / count).toLocaleString('en');
  console.log(`| ${method} | ${right} of ${count} | ${average(net)} | ${average(whole)} |`);
}
replica.close();
