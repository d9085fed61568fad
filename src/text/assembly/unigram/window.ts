// What the normaliser has made and the search has not cut up yet: a part of the text, so that a long text takes no more
// room than a short one, and whoever wants no more ids than so many need not see it all. It ends where every path has a
// boundary (`cuts`), so that the ids are those of a search over the whole.
//
//   window | text u8 [room + 1] | best f32 [room + 2] | last i32 [room + 2] |

export let text: usize = 0;
export let best: usize = 0;
export let last: usize = 0;
/** Bytes that it holds at most. */
export let room: u32 = 0;
/** Bytes of text in it. */
export let size: u32 = 0;
/** Steps along tries so far. */
export let steps: u64 = 0;

/** Bytes of work for each byte of the window, and besides. */
const EACH: u32 = 9;
const REST: u32 = 64;

export function openWindow(work: usize, bytes: u32): void {
  room = bytes < REST + EACH ? 0 : (bytes - REST) / EACH;
  best = work;
  last = best + ((room + 2) << 2);
  text = last + ((room + 2) << 2);
  size = 0;
  steps = 0;
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function setSize(bytes: u32): void {
  size = bytes;
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function count(made: u32): void {
  steps += made;
}
