// JSON within a message's arguments, looked at before an interpreter parses it: what that costs depends on how many
// values there are and how deep they lie, which no length bounds well. Not whether it is JSON: that is the parser's to
// say.
import { byte, failure, reopen, text } from './bytes';

/** Values that it may have: one, and one more for each bracket, comma and colon outside of strings. */
export let values: u32 = 0;
/** Lists and objects within one another. */
export let depth: u32 = 0;

/** Looks at `count` bytes of the arguments from `at` on; whether they are UTF-8. */
export function scanJson(at: u32, count: u32): bool {
  values = 1;
  depth = 0;
  reopen(at);
  text(count);
  if (failure) return false;
  reopen(at);
  let level: u32 = 0;
  let isText = false;
  for (let i: u32 = 0; i < count; i++) {
    const code = byte();
    if (code == 34) isText = !isText;
    else if (isText) {
      // what is escaped ends no string
      if (code == 92 && i + 1 < count) {
        byte();
        i++;
      }
    } else if (code == 44 || code == 58) values++;
    else if (code == 91 || code == 123) {
      values++;
      level++;
      if (level > depth) depth = level;
    } else if ((code == 93 || code == 125) && level > 0) level--;
  }
  return true;
}
