/**
 * Candid files: reading them as Azle writes them (all types inline), and writing them with names for the types that have one.
 * Not the whole language: no recursive types, no references to functions and services.
 */

export type Type =
  | { kind: 'primitive'; name: string }
  | { kind: 'opt' | 'vec'; of: Type }
  | { kind: 'record' | 'variant'; fields: Map<string, Type> };

export interface Method {
  args: Type[];
  results: Type[];
  mode: string;
}

/** The methods of a service. @throws Error for what is not in the forms that Azle and `printDid` write */
export function parseDid(did: string): Map<string, Method> {
  const reader = new Reader(did);
  while (reader.skip('type')) {
    const name = reader.next();
    reader.take('=');
    reader.named.set(name, reader.type());
    reader.take(';');
  }
  return reader.service();
}

/** @param text one type, as `IDL.Type.display` gives it */
export const parseType = (text: string): Type => new Reader(text).type();

class Reader {
  readonly named = new Map<string, Type>();
  readonly #tokens: string[];
  #at = 0;

  constructor(did: string) {
    this.#tokens = did.match(/"[^"]*"|->|[A-Za-z0-9_]+|[(){}:;,=]/g) ?? [];
  }

  next(): string {
    return this.#tokens[this.#at++] ?? '';
  }

  take(wanted: string): void {
    const found = this.next();
    if (found !== wanted) throw new Error(`did: expected ${wanted} at token ${this.#at}, got ${found}`);
  }

  skip(token: string): boolean {
    return this.#tokens[this.#at] === token && ++this.#at > 0;
  }

  type(): Type {
    const name = this.next();
    if (name === 'opt' || name === 'vec') return { kind: name, of: this.type() };
    if (name !== 'record' && name !== 'variant') return this.named.get(name) ?? { kind: 'primitive', name };
    const fields = new Map<string, Type>();
    this.take('{');
    while (!this.skip('}')) {
      const [first, second] = this.#tokens.slice(this.#at, this.#at + 2) as [string, string];
      // a tuple's fields have no names but their numbers
      if (second === ':' || (name === 'variant' && /^[;}]$/.test(second))) {
        this.#at += 1;
        fields.set(first.replaceAll('"', ''), this.skip(':') ? this.type() : { kind: 'primitive', name: 'null' });
      } else fields.set(String(fields.size), this.type());
      this.skip(';');
    }
    return { kind: name, fields };
  }

  #types(): Type[] {
    const found: Type[] = [];
    this.take('(');
    while (!this.skip(')')) {
      found.push(this.type());
      this.skip(',');
    }
    return found;
  }

  service(): Map<string, Method> {
    this.take('service');
    this.take(':');
    if (this.skip('(')) {
      this.take(')');
      this.take('->');
    }
    this.take('{');
    const methods = new Map<string, Method>();
    while (!this.skip('}')) {
      const name = this.next();
      this.take(':');
      const args = this.#types();
      this.take('->');
      const results = this.#types();
      const mode = this.#tokens[this.#at] === ';' ? 'update' : this.next();
      this.take(';');
      methods.set(name, { args, results, mode });
    }
    return methods;
  }
}

/** The same for types that are equal, whatever the order of their fields. */
const keyOf = (type: Type): string => {
  if (type.kind === 'primitive') return type.name;
  if ('of' in type) return `${type.kind} ${keyOf(type.of)}`;
  return `${type.kind} {${[...type.fields].map(([name, field]) => `${name}:${keyOf(field)}`).sort()}}`;
};

/** `Ok` first, the others by the alphabet: Azle has them by their hashes. */
const inOrder = <T>(fields: Iterable<[string, T]>): [string, T][] =>
  [...fields].sort(([a], [b]) => Number(b === 'Ok') - Number(a === 'Ok') || (a < b ? -1 : 1));

/** Words of the language have to be quoted where they are names. */
const WORDS =
  /^(type|import|service|func|opt|vec|record|variant|blob|principal|query|oneway|composite_query|text|bool|null|reserved|empty|nat(8|16|32|64)?|int(8|16|32|64)?|float(32|64))$/;
const quoted = (name: string): string => (WORDS.test(name) ? `"${name}"` : name);

/**
 * The service as a Candid file in which the types that `names` has stand under these names, those that are used, each before what needs it.
 * @param names a name for each type; of two equal types the first one's counts
 */
export function printDid(methods: Map<string, Method>, names: Iterable<[string, Type]>): string {
  const nameOf = new Map<string, string>();
  for (const [name, type] of names) if (!nameOf.has(keyOf(type))) nameOf.set(keyOf(type), name);
  const definitions = new Map<string, string>();

  function print(type: Type): string {
    const name = nameOf.get(keyOf(type));
    if (name === undefined) return body(type, (fields) => ` ${fields.join('; ')} `);
    if (!definitions.has(name))
      definitions.set(
        name,
        body(type, (fields) => `\n  ${fields.join(';\n  ')};\n`),
      );
    return name;
  }

  function body(type: Type, layOut: (fields: string[]) => string): string {
    if (type.kind === 'primitive') return type.name;
    if ('of' in type) return `${type.kind} ${print(type.of)}`;
    const isTuple = type.kind === 'record' && type.fields.has('0');
    const fields = (isTuple ? [...type.fields] : inOrder(type.fields)).map(([name, field]) => {
      if (isTuple) return print(field);
      const isBare = type.kind === 'variant' && field.kind === 'primitive' && field.name === 'null';
      return isBare ? quoted(name) : `${quoted(name)} : ${print(field)}`;
    });
    return `${type.kind} {${fields.length === 0 ? '' : layOut(fields)}}`;
  }

  const lines = inOrder(methods).map(([name, { args, results, mode }]) => {
    const [taken, given] = [args, results].map((types) => `(${types.map(print).join(', ')})`);
    return `  ${quoted(name)} : ${taken} -> ${given}${mode === 'update' ? '' : ` ${mode}`};\n`;
  });
  const types = Array.from(definitions, ([name, type]) => `type ${name} = ${type};\n`);
  return `${types.join('')}service : () -> {\n${lines.join('')}}\n`;
}
