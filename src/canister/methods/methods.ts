/**
 * The methods of src/interface/llm.did: `@candid()` before a class's method makes it the canister's of that name, query
 * or update, with the types that the file has. With Azle's own decorators a method reads all that comes and traps where
 * it is not what it takes, and the caller gets the interpreter's stack; with this one it reads what it takes, in native
 * code, and rejects in words, since a canister traps for bugs only.
 */
import type { ActorMethod } from '@dfinity/agent';
import { query as azleQuery, update as azleUpdate, IDL, inReplicatedExecution, msgReject, msgReply } from 'azle';
import { type _SERVICE, idlService } from '../../interface/llm.did.ts';
import { declareArguments, readArguments } from '../candid/arguments.ts';
import { candidEncoder } from '../candid/candid-encoder.ts';
import type { Plain } from '../candid/opt.ts';
import { notRestored } from '../runtime/restoring.ts';
import { collect } from '../sessions/settlement.ts';
import { belowFloor, sessionless } from './admission.ts';

/**
 * A method of the interface, as a class has it. One that gives nothing leaves its reply to the message's end
 * (settlement.ts).
 */
type Implementation<Name extends keyof _SERVICE> =
  _SERVICE[Name] extends ActorMethod<infer Args extends unknown[], infer Result>
    ? (...args: Plain<Args>) => Result | Promise<Result> | Promise<void>
    : never;
type AzleDecorator = (method: () => Promise<void>, context: ClassMethodDecoratorContext) => void;
/** What Azle's `@query` and `@update` are when called with types. */
type Declare = (params: IDL.Type[], result: IDL.Type, options: { manual: true }) => AzleDecorator;
type Encode = (value: unknown) => Uint8Array;

interface Options {
  /** What is made of the arguments, where that is less: supertypes, so that what is left out is skipped. */
  read?: IDL.Type[];
}

const service = new Map<string, IDL.FuncClass>(idlService._fields);

/** What a method takes and gives, and how it is called. @throws Error for one that the interface does not have */
export function typesOf(name: string): { params: IDL.Type[]; result: IDL.Type; isQuery: boolean } {
  const type = service.get(name);
  if (!type) throw new Error(`llm.did: expected the method ${name}, got none; add it and run npm run interface`);
  const { argTypes, retTypes, annotations } = type;
  return { params: argTypes, result: retTypes[0]!, isQuery: annotations.includes('query') };
}

/** Azle's decorator for a method that reads its arguments and replies by itself. */
export function declaring(name: string): AzleDecorator {
  const { params, result, isQuery } = typesOf(name);
  return ((isQuery ? azleQuery : azleUpdate) as unknown as Declare)(params, result, { manual: true });
}

/** Makes a method the canister's of the same name. @throws Error for one that the interface does not have */
export function candid({ read }: Options = {}) {
  return <Name extends keyof _SERVICE>(
    implementation: Implementation<Name>,
    context: ClassMethodDecoratorContext & { name: Name },
  ): void => {
    const { name } = context;
    const { params, result } = typesOf(name);
    const encode = candidEncoder(result);
    declareArguments(name, read ?? params, params);
    async function answer(this: unknown): Promise<void> {
      const args = admit(name, result, encode);
      if (!args) return;
      const value = await (implementation as (...args: unknown[]) => unknown).apply(this, args);
      if (value !== undefined) msgReply(encode(value));
    }
    declaring(name)(answer, context);
  };
}

/**
 * The arguments of the call in hand; undefined after refusing it, for its arguments, for lack of cycles, or as the
 * canister is not through with an upgrade.
 */
export function admit(method: string, result: IDL.Type, encode: Encode): unknown[] | undefined {
  collect();
  const poor = inReplicatedExecution() ? belowFloor(method) : undefined;
  const refused = poor ?? (sessionless.has(method) ? undefined : notRestored(method));
  if (refused === undefined) return readArguments(method);
  if (canBeUnavailable(result)) msgReply(encode({ Err: { Unavailable: refused } }));
  else msgReject(refused);
  return undefined;
}

function canBeUnavailable(result: IDL.Type): boolean {
  const [, error] = (result instanceof IDL.VariantClass && result._fields.find(([name]) => name === 'Err')) || [];
  return error instanceof IDL.VariantClass && error._fields.some(([name]) => name === 'Unavailable');
}
