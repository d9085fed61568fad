/** SHA-256 by the browser's or Node's own Web Crypto. @returns 32 bytes */
export const sha256Of = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
