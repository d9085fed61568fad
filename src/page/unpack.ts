/**
 * What the page's file has in place of its script: the build puts that in deflated, as nearly all of the file is the libraries that check the network's
 * signatures. The Content-Security-Policy has both by their hashes.
 */
import { fail } from './notice.ts';

/** The script, deflated (RFC 1951), in Base64. */
declare const PACKED: string;

async function unpacked(): Promise<string> {
  const bytes = Uint8Array.from(atob(PACKED), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return await new Response(stream).text();
}

unpacked()
  .then((text) => {
    const script = document.createElement('script');
    script.type = 'module';
    script.textContent = text;
    document.head.append(script);
  })
  .catch((error: Error) => fail(`This page needs a newer browser, of 2023 or after: ${error.message}`));
