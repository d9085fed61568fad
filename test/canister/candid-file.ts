/** Candid files as Azle writes them (types inline, no names for them), and Candid's subtyping, by which one interface may follow another. */

export type Type =
  | { kind: 'primitive'; name: string }
  | { kind: 'opt' | 'vec'; of: Type }
  | { kind: 'record' | 'variant'; fields: Map<string, Type> };

export interface Method {
  args: Type[];
  results: Type[];
  mode: string;
}

/** The methods of a service. @throws Error for what is not in the form that Azle writes */
export function parseDid(did: string): Map<string, Method> {
  const tokens = did.match(/"[^"]*"|->|[A-Za-z0-9_]+|[(){}:;,]/g) ?? [];
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const take = (wanted: string): void => {
    const found = next();
    if (found !== wanted) throw new Error(`did: expected ${wanted} at token ${at}, got ${found}`);
  };
  const skip = (token: string): boolean => tokens[at] === token && ++at > 0;

  function type(): Type {
    const name = next();
    if (name === 'opt' || name === 'vec') return { kind: name, of: type() };
    if (name !== 'record' && name !== 'variant') return { kind: 'primitive', name };
    const fields = new Map<string, Type>();
    take('{');
    while (!skip('}')) {
      const first = tokens[at]!;
      // a tuple's fields have no names but their numbers
      if (tokens[at + 1] === ':' || (name === 'variant' && /^[;}]$/.test(tokens[at + 1]!))) {
        at += 1;
        fields.set(first.replaceAll('"', ''), skip(':') ? type() : { kind: 'primitive', name: 'null' });
      } else fields.set(String(fields.size), type());
      skip(';');
    }
    return { kind: name, fields };
  }

  function types(): Type[] {
    const found: Type[] = [];
    take('(');
    while (!skip(')')) {
      found.push(type());
      skip(',');
    }
    return found;
  }

  take('service');
  take(':');
  if (skip('(')) {
    take(')');
    take('->');
  }
  take('{');
  const methods = new Map<string, Method>();
  while (!skip('}')) {
    const name = next();
    take(':');
    const args = types();
    take('->');
    const results = types();
    const mode = tokens[at] === ';' ? 'update' : next();
    take(';');
    methods.set(name, { args, results, mode });
  }
  return methods;
}

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
