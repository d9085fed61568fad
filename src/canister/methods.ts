/**
 * Methods in Candid. With Azle's own decorators a method traps where arguments are not what it takes, and the caller gets the interpreter's stack; with
 * these it rejects in words, since a canister traps for bugs only. Methods that read bytes themselves have Azle's.
 */
import { query as azleQuery, update as azleUpdate, IDL, msgArgData, msgReject, msgReply } from 'azle';
import { candidEncoder } from './candid-encoder.ts';

type Method<This, Args extends unknown[], Return> = (this: This, ...args: Args) => Return;
type Context<This, Args extends unknown[], Return> = ClassMethodDecoratorContext<This, Method<This, Args, Return>>;
/** What Azle's `@query` and `@update` are when called with types. */
type Declare = (params: IDL.Type[], result: IDL.Type, options: { manual: true }) => AzleDecorator;
type AzleDecorator = (method: Method<unknown, [], Promise<void>>, context: Context<unknown, [], Promise<void>>) => void;

/**
 * Declares a method that takes `params` and answers with `result`.
 * @param sample any value of `result`, with which an encoder is made once that saves each reply some million instructions
 */
function declaring(declare: Declare) {
  return (params: IDL.Type[], result: IDL.Type, sample?: unknown) => {
    const encode =
      sample === undefined ? (value: unknown) => IDL.encode([result], [value]) : candidEncoder(result, sample);
    return <This, Args extends unknown[], Return>(
      method: Method<This, Args, Return>,
      context: Context<This, Args, Return>,
    ): void => {
      async function answer(this: unknown): Promise<void> {
        const args = readArguments(String(context.name), params);
        if (args) msgReply(encode((await method.apply(this as This, args as Args)) as object));
      }
      declare(params, result, { manual: true })(answer, context as unknown as Context<unknown, [], Promise<void>>);
    };
  };
}

export const query = declaring(azleQuery as unknown as Declare);
export const update = declaring(azleUpdate as unknown as Declare);

/** As Candid writes it, but for what records are made of. */
const shortly = ({ name }: IDL.Type): string => name.replace(/\{.*/, '{…}');

/**
 * The arguments of the call in hand; undefined after rejecting what is something else.
 * @param taken where a method takes more than it says
 */
export function readArguments(method: string, params: IDL.Type[], taken = params): unknown[] | undefined {
  try {
    return decode(taken, msgArgData());
  } catch (error) {
    const wanted = params.map(shortly).join(', ');
    msgReject(`${method}: expected (${wanted}), got something else: ${(error as Error).message}`);
    return undefined;
  }
}

/** Candid lets a caller leave out what is `opt` at the end; the library insists on every argument. @throws Error for other types */
function decode(types: IDL.Type[], args: Uint8Array): unknown[] {
  try {
    return IDL.decode(types, args as Uint8Array<ArrayBuffer>);
  } catch (error) {
    const mayBeLeftOut = types.at(-1) instanceof IDL.OptClass && (error as Error).message.includes('Wrong number');
    if (!mayBeLeftOut) throw error;
    return [...decode(types.slice(0, -1), args), []];
  }
}
