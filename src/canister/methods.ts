/**
 * Methods in Candid. With Azle's own decorators a method reads all that comes and traps where it is not what it takes, and the caller gets the interpreter's stack;
 * with these it reads what it takes, in native code, and rejects in words, since a canister traps for bugs only.
 */
import { query as azleQuery, update as azleUpdate, IDL, inReplicatedExecution, msgReject, msgReply } from 'azle';
import { belowFloor } from './admission.ts';
import { declareArguments, readArguments } from './arguments.ts';
import { candidEncoder } from './candid-encoder.ts';
import { collect } from './settlement.ts';

type Method<This, Args extends unknown[], Return> = (this: This, ...args: Args) => Return;
type Context<This, Args extends unknown[], Return> = ClassMethodDecoratorContext<This, Method<This, Args, Return>>;
/** What Azle's `@query` and `@update` are when called with types. */
type Declare = (params: IDL.Type[], result: IDL.Type, options: { manual: true }) => AzleDecorator;
type AzleDecorator = (method: Method<unknown, [], Promise<void>>, context: Context<unknown, [], Promise<void>>) => void;
type Encode = (value: unknown) => Uint8Array;

/**
 * Declares a method that takes `params` and answers with `result`.
 * One that gives nothing leaves its reply to the message's end (settlement.ts).
 * @param read what it makes of the arguments, where that is less: supertypes, so that what is left out is skipped
 */
function declaring(declare: Declare) {
  return (params: IDL.Type[], result: IDL.Type, read = params) => {
    const encode = candidEncoder(result);
    return <This, Args extends unknown[], Return>(
      method: Method<This, Args, Return>,
      context: Context<This, Args, Return>,
    ): void => {
      const name = String(context.name);
      declareArguments(name, read, params);
      async function answer(this: unknown): Promise<void> {
        const args = admit(name, result, encode);
        if (!args) return;
        const answer = await method.apply(this as This, args as Args);
        if (answer !== undefined) msgReply(encode(answer));
      }
      declare(params, result, { manual: true })(answer, context as unknown as Context<unknown, [], Promise<void>>);
    };
  };
}

export const query = declaring(azleQuery as unknown as Declare);
export const update = declaring(azleUpdate as unknown as Declare);

/** The arguments of the call in hand; undefined after refusing it, for its arguments or for lack of cycles. */
export function admit(method: string, result: IDL.Type, encode: Encode): unknown[] | undefined {
  collect();
  const poor = inReplicatedExecution() ? belowFloor(method) : undefined;
  if (poor === undefined) return readArguments(method);
  if (canBeUnavailable(result)) msgReply(encode({ Err: { Unavailable: poor } }));
  else msgReject(poor);
  return undefined;
}

function canBeUnavailable(result: IDL.Type): boolean {
  const [, error] = (result instanceof IDL.VariantClass && result._fields.find(([name]) => name === 'Err')) || [];
  return error instanceof IDL.VariantClass && error._fields.some(([name]) => name === 'Unavailable');
}
