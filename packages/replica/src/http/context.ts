/** What every endpoint works with. */
import type { Authority } from '../certification/authority.ts';
import type { Certifier } from '../certification/certifier.ts';
import type { Core } from '../types.ts';

export interface Context {
  core: Core;
  authority: Authority;
  certifier: Certifier;
  /** How long a synchronous call waits for its end before it answers 202. */
  callTimeoutMilliseconds: number;
  /** Whether canisters' pages are held against their certificates. */
  verifyPages: boolean;
}
