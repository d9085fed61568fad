/** The caller without an identity, as text. */
import { Principal } from 'azle';

export const anonymous = Principal.anonymous().toText();
