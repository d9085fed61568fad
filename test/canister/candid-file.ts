/** Candid's subtyping, by which one interface may follow another. */
import { parseDid, type Type } from '../../src/node/build/did.ts';

const isOptional = (type: Type): boolean => type.kind === 'opt' || (type.kind === 'primitive' && type.name === 'null');

/** Why a value of `a` may not be given where `b` is expected; undefined if it may. */
function notSubtype(a: Type, b: Type, where: string): string | undefined {
  const differ = `${where}: expected ${b.kind === 'primitive' ? b.name : b.kind}, got ${a.kind === 'primitive' ? a.name : a.kind}`;
  if (b.kind === 'primitive') {
    const same = a.kind === 'primitive' && (a.name === b.name || (a.name === 'nat' && b.name === 'int'));
    return same || b.name === 'reserved' ? undefined : differ;
  }
  if (b.kind === 'opt') return notSubtype(a.kind === 'opt' ? a.of : a, b.of, `${where}?`);
  if (a.kind !== b.kind) return differ;
  if (a.kind === 'vec' && b.kind === 'vec') return notSubtype(a.of, b.of, `${where}[]`);
  const [mine, theirs] = [(a as { fields: Map<string, Type> }).fields, (b as { fields: Map<string, Type> }).fields];
  // a record may have more fields than are expected, a variant fewer
  const [fewer, more] = a.kind === 'record' ? [theirs, mine] : [mine, theirs];
  for (const [name, type] of fewer) {
    const other = more.get(name);
    const place = `${where}.${name}`;
    if (!other && a.kind === 'record' && isOptional(type)) continue;
    if (!other) return `${place}: expected ${a.kind === 'record' ? 'the field' : 'no such case'}`;
    const wrong = a.kind === 'record' ? notSubtype(other, type, place) : notSubtype(type, other, place);
    if (wrong) return wrong;
  }
  return undefined;
}

/** As records: those at the end may be left out where they are optional, and more may be given than are read. */
function notSubtypes(a: Type[], b: Type[], where: string): string | undefined {
  const tuple = (types: Type[]): Type => ({
    kind: 'record',
    fields: new Map(types.map((type, i) => [String(i), type])),
  });
  return notSubtype(tuple(a), tuple(b), where);
}

/** What breaks clients of `released` if the canister becomes `now`. */
export function breaks(released: string, now: string): string[] {
  const methods = parseDid(now);
  return [...parseDid(released)].flatMap(([name, before]) => {
    const after = methods.get(name);
    if (!after) return [`${name}: is gone`];
    const mode = before.mode === after.mode ? undefined : `${name}: expected ${before.mode}, got ${after.mode}`;
    const wrong = [
      mode,
      notSubtypes(before.args, after.args, `${name} argument`),
      notSubtypes(after.results, before.results, `${name} result`),
    ];
    return wrong.filter((text) => text !== undefined);
  });
}
