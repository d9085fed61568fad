/**
 * Candid's encoding of replies of one type: the table of types, which the library works out at each call for 20 M instructions, is made once, when the
 * module is loaded.
 */
import { IDL } from '@dfinity/candid';

/** Encodes values of `type`, each as a reply of one value. `sample` is any value of it, to make the table with. */
export function candidEncoder<T>(type: IDL.Type, sample: T): (value: T) => Uint8Array {
  const whole = IDL.encode([type], [sample]);
  // "DIDL", the table and the type stand before the value
  const head = whole.slice(0, whole.length - type.encodeValue(sample).length);
  return (value) => {
    const body = type.encodeValue(value);
    const bytes = new Uint8Array(head.length + body.length);
    bytes.set(head);
    bytes.set(body, head.length);
    return bytes;
  };
}
