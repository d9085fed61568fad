/** The net three times, to be measured: int8 and float32 on the tensor unit, and plain TypeScript. */
import { certifiedDataSet, IDL, init, performanceCounter, query } from 'azle';
import { type RunningNetwork, Unit } from 'stepwise-tensor';
import { digits } from '../net.ts';
import { plainDigits } from '../plain.ts';

/** Probabilities, and instructions of the net alone, without the call round it. */
const Measured = IDL.Record({ probabilities: IDL.Vec(IDL.Float64), instructions: IDL.Nat64 });
interface Measured {
  probabilities: number[];
  instructions: bigint;
}
type Net = (pixels: Uint8Array) => Iterable<number>;

let int8: RunningNetwork;
let float32: RunningNetwork;
let plain: Net;

function measured(net: Net, pixels: Uint8Array): Measured {
  const before = performanceCounter(0);
  const probabilities = Array.from(net(pixels));
  return { probabilities, instructions: performanceCounter(0) - before };
}

export default class {
  @init([])
  start(): void {
    const unit = new Unit(certifiedDataSet);
    int8 = digits(unit);
    float32 = digits(unit, 'float32');
    plain = plainDigits();
  }

  @query([IDL.Vec(IDL.Nat8)], Measured)
  int8(pixels: Uint8Array): Measured {
    return measured((x) => int8.run(x), pixels);
  }

  @query([IDL.Vec(IDL.Nat8)], Measured)
  float32(pixels: Uint8Array): Measured {
    return measured((x) => float32.run(x), pixels);
  }

  @query([IDL.Vec(IDL.Nat8)], Measured)
  plain(pixels: Uint8Array): Measured {
    return measured(plain, pixels);
  }
}
