/**
 * From one layout of stable memory to the next. Each migration stands alone and for ever, with the types of its time:
 * what it makes is what the next one expects. A new layout: add one at the end, and a test beside the others.
 */
import { fromHex } from '../../interface/hex.ts';
import { fromJsonBytes, toJsonBytes, utf8 } from './bytes.ts';

/** What of a StableBTreeMap is needed, so that tests bring a Map of their own. */
export interface Bytes {
  get(key: Uint8Array): Uint8Array | null | undefined;
  insert(key: Uint8Array, value: Uint8Array): unknown;
  remove(key: Uint8Array): unknown;
  keys(): Iterable<Uint8Array>;
}

export interface Stable {
  records: Bytes;
  sessions: Bytes;
  encodings: Bytes;
  /** Up to layout 4, of each encoding: [bytes u32, number of its last use f64]. */
  encodingUses(): Bytes;
  /**
   * Up to layout 3, packs in chunks of 1 MiB: [pack u32, index u32], big-endian -> 64 bytes of room, then the bytes.
   */
  chunks(): Pick<Bytes, 'get'>;
  /** Blocks of stable memory for so many bytes, which those of other packs are not. */
  allotBlocks(bytes: number, inUse: readonly number[][]): number[];
  /** Writes what stands behind 64 bytes of room. */
  writeBlocks(blocks: readonly number[], offset: number, withRoom: Uint8Array): void;
}

const read = <T>(map: Bytes, name: string): T | undefined => {
  const bytes = map.get(utf8(name));
  return bytes ? fromJsonBytes<T>(bytes) : undefined;
};
const write = (map: Bytes, name: string, value: unknown): unknown => map.insert(utf8(name), toJsonBytes(value));

interface Session1 {
  id: string;
  owner: string;
  created: number;
  state: string;
  maxNewTokens: number;
}

/** What layout 1 knew, with T5's stop and start tokens. */
const greedy = {
  minNewTokens: 0,
  doSample: false,
  temperature: 1,
  topK: 50,
  topP: 1,
  key: [0, 0],
  repetitionPenalty: 1,
  noRepeatNgramSize: 0,
  numBeams: 1,
  lengthPenalty: 1,
  earlyStopping: false,
  eosTokenIds: [1],
  decoderStartTokenId: 0,
};

/**
 * 1 -> 2: several packs instead of one; sessions have a head before their JSON (session-record.ts), a prompt's text and
 * all options, and may wait.
 */
function severalPacks({ records, sessions }: Stable): void {
  const active = read<{ pack: number; bytes: number; sha256: string }>(records, 'active');
  if (active) {
    // a pack of that time has to be converted anew; its name is not worth reading it
    write(records, 'models', [{ ...active, name: '' }]);
    write(records, 'active', active.sha256);
  }
  const upload = read<object>(records, 'upload');
  if (upload) write(records, 'upload', { ...upload, name: '' });
  for (const key of [...sessions.keys()]) {
    const { maxNewTokens, ...old } = fromJsonBytes<Session1>(sessions.get(key)!);
    const live = old.state === 'generating';
    const options = { ...greedy, maxNewTokens };
    const json = toJsonBytes({ ...old, options, state: live ? 'queued' : old.state, prompt: '', updated: old.created });
    const owner = utf8(old.owner);
    const bytes = new Uint8Array(27 + owner.length + json.length);
    bytes.set([2, Number(live)]);
    new DataView(bytes.buffer).setFloat64(2, old.created);
    bytes.set(fromHex(old.id), 10);
    bytes[26] = owner.length;
    bytes.set(owner, 27);
    bytes.set(json, 27 + owner.length);
    sessions.insert(key, bytes);
  }
}

/** 2 -> 3: beside each encoding its size and the number of its last use. */
function usesOfEncodings({ encodings, encodingUses }: Stable): void {
  for (const key of [...encodings.keys()]) {
    const bytes = new Uint8Array(12);
    new DataView(bytes.buffer).setUint32(0, encodings.get(key)!.length);
    encodingUses().insert(key, bytes);
  }
}

interface Pack3 {
  pack: number;
  bytes: number;
  sha256: string;
  name: string;
}

interface Upload3 extends Pack3 {
  known?: boolean;
  hashed: number;
  words: number[];
}

/**
 * 3 -> 4: packs lie in blocks of stable memory, in one piece each, no longer in a map; an upload knows what it lacks.
 */
function packsInBlocks(stable: Stable): void {
  const { records, chunks } = stable;
  const models = read<Pack3[]>(records, 'models') ?? [];
  const upload = read<Upload3>(records, 'upload');
  if (models.length > 0 || upload) {
    const map = chunks();
    const used: number[][] = [];
    const moved = models.map((pack) => move(pack, map, used, stable));
    write(
      records,
      'models',
      moved.map(({ missing: _, ...pack }) => pack),
    );
    if (upload) {
      const { pack: _, hashed, words, ...rest } = upload;
      const known = upload.known && moved.find(({ sha256 }) => sha256 === upload.sha256);
      const { blocks, missing } = known || move(upload, map, used, stable);
      write(records, 'upload', { ...rest, blocks, missing, hashed, words });
    }
  }
  records.remove(utf8('packs'));
}

function move({ pack, ...rest }: Pack3, map: Pick<Bytes, 'get'>, used: number[][], stable: Stable) {
  const blocks = stable.allotBlocks(rest.bytes, used);
  used.push(blocks);
  const missing: { first: number; last: number }[] = [];
  const key = new Uint8Array(8);
  const view = new DataView(key.buffer);
  view.setUint32(0, pack);
  for (let i = 0; i * 2 ** 20 < rest.bytes; i++) {
    view.setUint32(4, i);
    const chunk = map.get(key);
    if (chunk) stable.writeBlocks(blocks, i * 2 ** 20, chunk);
    else if (missing.at(-1)?.last === i - 1) missing.at(-1)!.last = i;
    else missing.push({ first: i, last: i });
  }
  const { bytes, sha256, name } = rest;
  return { blocks, bytes, sha256, name, missing };
}

const SESSION_SLOT = 128;
const USE_SLOT = 64;
/** Where the uses of encodings begin, behind the sessions. */
const USES_AT = 6 * 2 ** 20;

/**
 * 4 -> 5: what is known of all sessions, and the order in which encodings were used, lie in tables of slots in a block
 * (tables.ts).
 */
function tablesOfSlots(stable: Stable): void {
  const { records, sessions, encodings } = stable;
  const packs = read<{ blocks: number[] }[]>(records, 'models') ?? [];
  const upload = read<{ blocks: number[] }>(records, 'upload');
  const used = (upload ? [...packs, upload] : packs).map(({ blocks }) => blocks);
  const blocks = stable.allotBlocks(8 * 2 ** 20, used);
  write(records, 'tables', blocks);
  const heads: { created: number; slot: Uint8Array }[] = [];
  for (const key of [...sessions.keys()]) {
    const record = sessions.get(key)!;
    const created = new DataView(record.buffer, record.byteOffset).getFloat64(2);
    const slot = new Uint8Array(SESSION_SLOT);
    const length = record[26]!;
    slot.set([record[1] === 1 ? 1 : 2, length]);
    slot.set(record.subarray(27, 27 + length), 2);
    slot.set(key, 66);
    // when it ended was not written where it can be read without the whole
    new Float64Array(slot.buffer, 112, 1)[0] = created;
    heads.push({ created, slot });
  }
  heads.sort((a, b) => a.created - b.created);
  writeTable(stable, blocks, 0, SESSION_SLOT, heads, ({ slot }, i) => {
    new Uint32Array(slot.buffer, 100, 2).set([i, i]);
    return slot;
  });
  const uses = [...encodings.keys()].map((key) => ({ key, use: stable.encodingUses().get(key)! }));
  writeTable(stable, blocks, USES_AT, USE_SLOT, uses, ({ key, use }) => {
    const slot = new Uint8Array(USE_SLOT);
    const view = new DataView(use.buffer, use.byteOffset);
    new Uint32Array(slot.buffer, 0, 2).set([1, view.getUint32(0)]);
    new Float64Array(slot.buffer, 8, 1)[0] = view.getFloat64(4);
    slot.set(key, 32);
    return slot;
  });
}

/** A header with the number of slots, itself included, then the slots. */
function writeTable<T>(
  stable: Stable,
  blocks: readonly number[],
  offset: number,
  slotBytes: number,
  items: readonly T[],
  encode: (item: T, index: number) => Uint8Array,
): void {
  const withRoom = new Uint8Array(64 + (items.length + 1) * slotBytes);
  new Uint32Array(withRoom.buffer, 64, 1)[0] = items.length + 1;
  items.forEach((item, i) => {
    withRoom.set(encode(item, i), 64 + (i + 1) * slotBytes);
  });
  stable.writeBlocks(blocks, offset, withRoom);
}

/**
 * 5 -> 6: roles are entries of 32 bytes, [1 admin or 2 user, length, principal], no longer JSON by the principal's
 * text.
 */
function rolesInEntries({ records }: Stable): void {
  const roles = Object.entries(read<Record<string, 'admin' | 'user'>>(records, 'roles') ?? {});
  const bytes = new Uint8Array(roles.length * 32);
  roles.forEach(([text, role], i) => {
    const principal = principalOf(text);
    bytes.set([role === 'admin' ? 1 : 2, principal.length], i * 32);
    bytes.set(principal, i * 32 + 2);
  });
  records.insert(utf8('role_table'), bytes);
  records.remove(utf8('roles'));
}

/** Base32 behind dashes; the first four bytes are a checksum. */
function principalOf(text: string): Uint8Array {
  const bytes: number[] = [];
  let [bits, held] = [0, 0];
  for (const letter of text.replaceAll('-', '')) {
    bits = ((bits << 5) | 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(letter)) & 0xfff;
    held += 5;
    if (held < 8) continue;
    held -= 8;
    bytes.push((bits >> held) & 255);
  }
  return Uint8Array.from(bytes.slice(4));
}

/** Where the top of the tree of receipts begins in its block, and its bytes as far as the number of receipts. */
const TOP_OF_RECEIPTS = 64 * 65_536;
const TOP_BYTES = 32_768 + 4;

/** 6 -> 7: receipts of answers lie in a block (certification/receipts.ts), which has none yet. */
function blockOfReceipts(stable: Stable): void {
  const { records } = stable;
  const packs = read<{ blocks: number[] }[]>(records, 'models') ?? [];
  const upload = read<{ blocks: number[] }>(records, 'upload');
  const tables = read<number[]>(records, 'tables') ?? [];
  const used = [...(upload ? [...packs, upload] : packs).map(({ blocks }) => blocks), tables];
  const blocks = stable.allotBlocks(8 * 2 ** 20, used);
  // a block that was a pack's has its bytes in it
  stable.writeBlocks(blocks, TOP_OF_RECEIPTS, new Uint8Array(64 + TOP_BYTES));
  write(records, 'receipts', blocks);
}

/** The one at index n makes layout n + 2 of layout n + 1. */
const migrations: ((stable: Stable) => void)[] = [
  severalPacks,
  usesOfEncodings,
  packsInBlocks,
  tablesOfSlots,
  rolesInEntries,
  blockOfReceipts,
];

export const LAYOUT = migrations.length + 1;

/**
 * Brings stable memory to this program's layout; a layout without a number is the first.
 * @throws Error for a later program's, which stops the upgrade
 */
export function migrate(stable: Stable): void {
  const found = read<number>(stable.records, 'layout') ?? 1;
  if (found > LAYOUT) {
    throw new Error(
      `upgrade: expected stable memory of layout ${LAYOUT} at most, got ${found}; install a later version`,
    );
  }
  for (const migration of migrations.slice(found - 1)) migration(stable);
  write(stable.records, 'layout', LAYOUT);
}
