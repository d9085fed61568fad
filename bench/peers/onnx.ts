/**
 * Writes a chain as an ONNX file, float32 or int8 the way onnxruntime's `quantize_dynamic` does it: activations to
 * uint8 on the fly, weights with a scale for each output, MatMulInteger. Weights have 7 bits (its `reduce_range`),
 * since on processors without VNNI onnxruntime's sums of 8-bit ones overflow. Source: onnx.proto3 of ONNX 1.17 (field
 * numbers beside each line), operator set 17.
 */
import { type Chain, chainWeights, type Node } from './chains.ts';

const FLOAT = 1;
const INT8 = 3;
const WEIGHT_MAX = 63;

/** A protobuf message in the making. */
class Message {
  private readonly parts: Uint8Array[] = [];

  integer(field: number, value: number): this {
    return this.bytes(varint(field * 8), varint(value));
  }
  string(field: number, value: string): this {
    return this.blob(field, new TextEncoder().encode(value));
  }
  message(field: number, value: Message): this {
    return this.blob(field, value.finish());
  }
  blob(field: number, value: Uint8Array): this {
    return this.bytes(varint(field * 8 + 2), varint(value.length), value);
  }
  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts));
  }
  private bytes(...parts: Uint8Array[]): this {
    this.parts.push(...parts);
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Uint8Array.from([...bytes, value]);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** The file of a chain for so many rows. */
export function onnxOf(chain: Chain, rows: number, weights: 'float32' | 'int8'): Uint8Array {
  const graph = new Message();
  const node = (type: string, inputs: string[], outputs: string[], attributes: Message[] = []): void => {
    const message = new Message();
    for (const input of inputs) message.string(1, input); // input
    for (const output of outputs) message.string(2, output); // output
    message.string(3, outputs[0]!).string(4, type); // name, op_type
    for (const attribute of attributes) message.message(5, attribute); // attribute
    graph.message(1, message); // node
  };
  const tensor = (name: string, dims: number[], type: number, data: ArrayBufferView): void => {
    const message = new Message();
    for (const dim of dims) message.integer(1, dim); // dims
    graph.message(5, message.integer(2, type).string(8, name).blob(9, bytesOf(data))); // initializer: data_type, name, raw_data
  };
  const value = (name: string, cols: number): Message => {
    const shape = new Message();
    for (const dim of [rows, cols]) shape.message(1, new Message().integer(1, dim)); // dim: dim_value
    const type = new Message().integer(1, FLOAT).message(2, shape); // elem_type, shape
    return new Message().string(1, name).message(2, new Message().message(1, type)); // name, type: tensor_type
  };

  /** Quantised forms of what several matrices read. */
  const quantized = new Set<string>();
  const matrix = (
    out: string,
    x: string,
    name: string,
    { outputs, inputs, weights: all }: Node & { kind: 'linear' },
  ) => {
    const w = transposed(chainWeights(name, outputs, inputs, all.length), outputs, inputs);
    if (weights === 'float32') {
      tensor(`${name}:w`, [inputs, outputs], FLOAT, w);
      node('MatMul', [x, `${name}:w`], [out]);
      return;
    }
    const { values, scales } = quantizeColumns(w, outputs);
    tensor(`${name}:w`, [inputs, outputs], INT8, values);
    tensor(`${name}:scale`, [outputs], FLOAT, scales);
    if (!quantized.has(x)) node('DynamicQuantizeLinear', [x], [`${x}:q`, `${x}:scale`, `${x}:zero`]);
    quantized.add(x);
    node('MatMulInteger', [`${x}:q`, `${name}:w`, `${x}:zero`], [`${name}:sums`]);
    node('Cast', [`${name}:sums`], [`${name}:cast`], [new Message().string(1, 'to').integer(3, FLOAT).integer(20, 2)]); // name, i, type INT
    node('Mul', [`${x}:scale`, `${name}:scale`], [`${name}:scales`]);
    node('Mul', [`${name}:cast`, `${name}:scales`], [out]);
  };
  for (const n of chain.nodes) {
    if (n.kind === 'relu') node('Relu', [n.x], [n.out]);
    else if (n.weights.length === 1) matrix(n.out, n.x, n.weights[0]!, n);
    else {
      for (const name of n.weights) matrix(`${name}:y`, n.x, name, n);
      node(
        'Sum',
        n.weights.map((name) => `${name}:y`),
        [n.out],
      );
    }
  }
  graph.string(2, 'chain').message(11, value('x', chain.inputs)).message(12, value('y', chain.outputs)); // name, input, output
  const opset = new Message().string(1, '').integer(2, 17); // domain, version
  return new Message().integer(1, 8).message(7, graph).message(8, opset).finish(); // ir_version, graph, opset_import
}

/** w [rows, cols] -> [cols, rows] */
function transposed(w: Float32Array, rows: number, cols: number): Float32Array {
  const out = new Float32Array(w.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) out[c * rows + r] = w[r * cols + c]!;
  return out;
}

/** w [rows, cols] -> int8 of the same shape with a scale for each column. */
function quantizeColumns(w: Float32Array, cols: number): { values: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(cols);
  for (let at = 0; at < w.length; at += cols)
    for (let c = 0; c < cols; c++) scales[c] = Math.max(scales[c]!, Math.abs(w[at + c]!) / WEIGHT_MAX);
  const values = new Int8Array(w.length);
  for (let at = 0; at < w.length; at += cols)
    for (let c = 0; c < cols; c++) values[at + c] = Math.round(w[at + c]! / scales[c]!);
  return { values, scales };
}
