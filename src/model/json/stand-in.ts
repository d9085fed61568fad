// What stands in a folder in place of a file when it was fetched in the wrong way: said as such, whatever the file was
// to be. Source: Git LFS, docs/spec.md ("The Pointer").

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';
const PAGE = /^\s*(<!doctype\s+html|<html|<head|<body|<!--)/i;
const XML = /^\s*<\?xml/i;

/** Bytes at the beginning that `refuseStandIn` has to see. */
export const STAND_IN_BYTES = 64;

/** @param start the file's beginning. @throws Error for a Git LFS pointer and for a web page, with what to do */
export function refuseStandIn(where: string, start: Uint8Array): void {
  const bytes = start
    .subarray(start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0)
    .subarray(0, STAND_IN_BYTES);
  const text = String.fromCharCode(...bytes);
  const fail = (what: string, todo: string): never => {
    throw new Error(`${where}: expected the file itself, got ${what}; ${todo}`);
  };
  if (text.startsWith(LFS_POINTER)) {
    fail('a Git LFS pointer to it', 'run git lfs pull in the folder, or fetch the model with npm run fetch');
  }
  if (PAGE.test(text)) {
    const address = 'of a file on the hub, the address has /resolve/ in place of /blob/';
    fail('a web page (HTML)', `download it anew (${address}), or fetch the model with npm run fetch`);
  }
  if (XML.test(text)) fail("a server's answer in XML", 'download it anew, or fetch the model with npm run fetch');
}
