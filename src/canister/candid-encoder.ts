/**
 * Candid's encoding of replies of one type: the table of types, which the library works out at each call for 20 M instructions, is made once a type, when
 * the module is loaded.
 */
import { IDL } from '@dfinity/candid';

/** What stands before a value, by its type. */
const heads = new Map<IDL.Type, Uint8Array>();

/** "DIDL", the table and the type. */
function headOf(type: IDL.Type, sample: unknown): Uint8Array {
  const whole = IDL.encode([type], [sample]);
  return whole.slice(0, whole.length - type.encodeValue(sample).length);
}

/** Encodes values of `type`, each as a reply of one value. `sample` is any value of it, to make the table with. */
export function candidEncoder<T>(type: IDL.Type, sample: T): (value: T) => Uint8Array {
  const head = heads.get(type) ?? headOf(type, sample);
  heads.set(type, head);
  return (value) => {
    const body = type.encodeValue(value);
    const bytes = new Uint8Array(head.length + body.length);
    bytes.set(head);
    bytes.set(body, head.length);
    return bytes;
  };
}
