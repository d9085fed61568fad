/**
 * Reads Candid files, those of people and those that Azle writes (all types inline), and compares their methods.
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

/** The methods of a service. @throws Error for what is not in the forms that Azle writes and this project uses */
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

class Reader {
  readonly named = new Map<string, Type>();
  readonly #tokens: string[];
  #at = 0;

  constructor(did: string) {
    this.#tokens = did.replace(/\/\/.*/g, '').match(/"[^"]*"|->|[A-Za-z0-9_]+|[(){}:;,=]/g) ?? [];
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

const print = ({ args, results, mode }: Method): string => `${args.map(keyOf)} -> ${results.map(keyOf)} ${mode}`;

/**
 * Compares a canister's methods with the file that it is written after.
 * @param file its name, for the error. @throws Error naming the first method that differs
 */
export function checkMethods(file: string, wanted: string, made: string): void {
  const [theirs, ours] = [parseDid(wanted), parseDid(made)];
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const [method, own] = [theirs.get(name), ours.get(name)];
    if (!own) throw new Error(`${file}: expected a class with the method ${name}, got none; write it`);
    if (!method) throw new Error(`${file}: expected the method ${name} in it, since a class has it, got none; add it`);
    if (print(method) !== print(own)) {
      const todo = 'run npm run interface';
      throw new Error(`${file}: expected ${name} : ${print(method)}, got ${print(own)} from the class; ${todo}`);
    }
  }
}
