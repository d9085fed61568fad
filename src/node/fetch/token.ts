/**
 * Who asks, for models that are not for everyone: `HF_TOKEN`, sent to the hub alone. It stands in no message and no
 * file.
 */

/** Where a token may go, and the header that it is in. */
export interface Credentials {
  /** Of the hub or its mirror. */
  origin: string;
  authorization: string;
}

/**
 * @throws Error for a token that no header can hold, or that would go over the network in the clear; without the token
 * in it
 */
export function credentials(endpoint: string, token = process.env['HF_TOKEN']): Credentials | undefined {
  const trimmed = token?.trim();
  if (!trimmed) return undefined;
  // what fetch says of a wrong header has its value in it
  if (!/^[!-~]+$/.test(trimmed))
    throw new Error('HF_TOKEN: expected printable ASCII without spaces, got something else');
  const { protocol, hostname, origin } = new URL(endpoint);
  if (protocol !== 'https:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    throw new Error(
      `HF_TOKEN: expected an https endpoint to send it to, got ${origin}; unset it, or change the endpoint`,
    );
  }
  return { origin, authorization: `Bearer ${trimmed}` };
}

/** Headers of a request: with the token if it goes to the hub. fetch takes it off where a redirect leaves the hub. */
export function authorized(
  url: string,
  headers: Record<string, string>,
  who: Credentials | undefined,
): Record<string, string> {
  return who && new URL(url).origin === who.origin ? { ...headers, authorization: who.authorization } : headers;
}
