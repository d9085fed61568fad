/**
 * The complete list of ops. Each stands here once: its name, the file of its kernel in assembly/ops/, and its arguments
 * in order. Three things follow from this table: the machine's dispatch (dispatch.ts writes it), what the recorder
 * emits (recorder.ts) and the reference's dispatch (reference/reference.ts). The last two are checked by types. What an
 * op does is said at its kernel.
 *
 * An op is called as its kernel is. Arguments are u32 words: pointers, counts, and float32 numbers where `:f32` stands.
 * An op's code is its place in the table: programs are recorded anew at each start, so places may change.
 */
interface Op {
  readonly file: string;
  readonly args: string;
}

export const ops = {
  gatherQ8: { file: 'gather', args: 'out ids idBytes table scales rows cols tableRows' },
  gatherF32: { file: 'gather', args: 'out ids idBytes table rows cols' },
  rmsNorm: { file: 'rms-norm', args: 'out x w rows cols width epsilon:f32' },
  quantize: { file: 'quantize', args: 'out scales x rows cols' },
  linearQ8: { file: 'linear-q8', args: 'out x xScales w wScales rows outputs inputs accumulate sums from to' },
  linearInt4: {
    file: 'linear-int4',
    args: 'out x xScales w multipliers wScales rows outputs inputs accumulate sums unpacked from to',
  },
  linearF32: { file: 'linear-f32', args: 'out x w rows outputs inputs accumulate from to' },
  appendF32: { file: 'append-kv', args: 'table cache k v rows heads dKv rowBytes layer layers' },
  appendQ16: { file: 'append-kv', args: 'table cache k v rows heads dKv rowBytes layer layers' },
  attentionF32: {
    file: 'attention-f32',
    args: 'out q table cache bias scores rows heads group window dKv rowBytes reach layer layers firstRow lastRow firstHead lastHead',
  },
  attentionQ16: {
    file: 'attention-q16',
    args: 'out q table cache bias quantized scales sums weights long rows heads group window dKv rowBytes reach layer layers firstRow lastRow firstHead lastHead',
  },
  activate: { file: 'activate', args: 'out x gate count kind' },
  angles: { file: 'rotate', args: 'out table frequencies rows pairs' },
  rotate: { file: 'rotate', args: 'x angles rows heads dKv pairs rowBytes' },
  add: { file: 'add', args: 'x y count' },
  addRow: { file: 'add', args: 'x row rows cols' },
  scale: { file: 'scale', args: 'out x count factor:f32' },
  scaleRow: { file: 'scale', args: 'x row rows cols' },
  argmax: { file: 'argmax', args: 'out outBytes logits rows rowBytes count' },
  penalize: { file: 'penalize', args: 'logits ids idCount penalty:f32' },
  mask: { file: 'penalize', args: 'logits ids idCount' },
  softmax: { file: 'softmax', args: 'row count' },
  logSoftmax: { file: 'softmax', args: 'row count' },
  topK: { file: 'top-k', args: 'row count k' },
  topP: { file: 'top-p', args: 'row count cut:f32' },
  draw: { file: 'draw', args: 'out row count random' },
  best: { file: 'top-k', args: 'out row count k' },
  copy: { file: 'copy', args: 'out source bytes' },
  loadStable: { file: 'load-stable', args: 'out page offset bytes' },
  fromBytes: { file: 'from-bytes', args: 'out x rows width cols factor:f32' },
  conv2dQ8: {
    file: 'conv2d',
    args: 'out x xScales w wScales patches patchScales sums images imageCols height width channels kernelHeight kernelWidth stride padding outputs',
  },
  conv2dF32: {
    file: 'conv2d',
    args: 'out x w patches images imageCols height width channels kernelHeight kernelWidth stride padding outputs',
  },
  maxPool: { file: 'max-pool', args: 'out x images height width channels window stride' },
} as const satisfies Record<string, Op>;

export type OpName = keyof typeof ops;

type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S;
type Name<W extends string> = W extends `${infer N}:f32` ? N : W;

/** An op's arguments by name. `T` is what a u32 is: a number when the op runs, a Value while it is recorded. */
export type OpArgs<N extends OpName, T = number> = {
  [W in Words<(typeof ops)[N]['args']> as Name<W>]: W extends `${string}:f32` ? number : T;
};

/** What the table says of an op, taken apart. */
export interface OpEntry {
  name: OpName;
  code: number;
  file: string;
  /** Arguments in order, and whether each is a float32. */
  names: readonly string[];
  isFloat: readonly boolean[];
}

/** All ops by code. */
export const opEntries: readonly OpEntry[] = Object.entries<Op>(ops).map(([name, { file, args }], code) => {
  const words = args.split(' ');
  return {
    name: name as OpName,
    code,
    file,
    names: words.map((word) => word.replace(':f32', '')),
    isFloat: words.map((word) => word.endsWith(':f32')),
  };
});

const byName = Object.fromEntries(opEntries.map((entry) => [entry.name, entry])) as Record<OpName, OpEntry>;
export const opEntry = (name: OpName): OpEntry => byName[name];
