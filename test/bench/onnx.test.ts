import { describe, expect, it } from 'vitest';
import { chainWeights, decodeChain, encodeChain, macsOfChain } from '../../bench/peers/chains.ts';
import { onnxOf } from '../../bench/peers/onnx.ts';
import { MessageReader } from '../../src/model/tokenizer/files/protobuf.ts';
import { macsOf, t5ShapeNamed } from '../../src/node/model/shapes.ts';

const shape = t5ShapeNamed('little-flan');

/** The graph of an ONNX file: its nodes' types, and its tensors' bytes by name. */
function readGraph(file: Uint8Array): { types: string[]; tensors: Map<string, Uint8Array> } {
  const types: string[] = [];
  const tensors = new Map<string, Uint8Array>();
  const model = new MessageReader('onnx', file);
  while (model.next()) {
    if (model.field !== 7) {
      model.skip();
      continue;
    }
    const graph = new MessageReader('graph', model.bytes());
    while (graph.next()) {
      if (graph.field !== 1 && graph.field !== 5) {
        graph.skip();
        continue;
      }
      const isNode = graph.field === 1;
      const item = new MessageReader('item', graph.bytes());
      let [name, data] = ['', new Uint8Array(0)];
      while (item.next()) {
        if (isNode && item.field === 4) types.push(item.string());
        else if (!isNode && item.field === 8) name = item.string();
        else if (!isNode && item.field === 9) data = item.bytes().slice();
        else item.skip();
      }
      if (!isNode) tensors.set(name, data);
    }
  }
  return { types, tensors };
}

describe('chains', () => {
  it('have every matrix of the model once', () => {
    const macs = macsOf(shape);
    expect(macsOfChain(decodeChain(shape.config))).toBe(macs.step);
    expect(macsOfChain(encodeChain(shape.config))).toBe(macs.promptToken);
  });
});

describe('ONNX files', () => {
  it('have the weights transposed, in float32', () => {
    const { types, tensors } = readGraph(onnxOf(decodeChain(shape.config), 1, 'float32'));
    const { dModel, vocabularySize } = shape.config;
    expect(types.filter((type) => type === 'MatMul')).toHaveLength(tensors.size);
    const w = new Float32Array(tensors.get('lm_head:w')!.buffer);
    const own = chainWeights('lm_head', vocabularySize, dModel, 1);
    for (const [row, col] of [
      [0, 0],
      [5, 7],
      [vocabularySize - 1, dModel - 1],
    ] as const)
      expect(w[col * vocabularySize + row]).toBe(own[row * dModel + col]);
  });

  it('quantise what several matrices read once', () => {
    const { types } = readGraph(onnxOf(decodeChain(shape.config), 1, 'int8'));
    const count = (type: string): number => types.filter((t) => t === type).length;
    // q, k, v, o, cross q, cross o, wi_0, wi_1, wo of three layers, and the head
    expect(count('MatMulInteger')).toBe(3 * 9 + 1);
    expect(count('DynamicQuantizeLinear')).toBe(3 * 6 + 1);
  });
});
