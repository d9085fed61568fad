/**
 * A canister that reads handwritten digits: a small convolutional net on the tensor unit, and a page to draw at, which
 * it serves and certifies itself. `classify` is a query; called as an update it runs on all nodes, and its answer is
 * certified.
 */
import { certifiedDataSet, IDL, init, postUpgrade, query } from 'azle';
import { type RunningNetwork, Unit } from 'stepwise-tensor';
import { certifyPage, HttpRequest, HttpResponse, servePage } from './http.ts';
import { digits, PIXELS } from './net.ts';

const Answer = IDL.Variant({ Ok: IDL.Vec(IDL.Float32), Err: IDL.Text });
type Answer = { Ok: Float32Array | number[] } | { Err: string };

/** The heap is kept from call to call, so the net is placed once. */
let net: RunningNetwork;

export default class {
  /** Not at module level: Azle runs modules once when it builds, in Node, where there are no kernels. */
  @init([])
  @postUpgrade([])
  start(): void {
    net = digits(new Unit(certifiedDataSet));
    certifyPage();
  }

  /** The probabilities of 0 to 9 for 28 x 28 grey values, row after row: 0 is paper, 255 is ink. */
  @query([IDL.Vec(IDL.Nat8)], Answer)
  classify(pixels: Uint8Array): Answer {
    if (pixels.length !== PIXELS)
      return { Err: `classify: expected ${PIXELS} grey values, 28 rows of 28, got ${pixels.length}` };
    return { Ok: Array.from(net.run(pixels)) };
  }

  @query([HttpRequest], HttpResponse)
  http_request(request: HttpRequest): HttpResponse {
    return servePage(request);
  }
}
