// The allocator in Azle's Wasm, by the names that src/node/build/heap/hooks.ts exports its functions under.

// @ts-ignore: AssemblyScript's decorator
@external('env', 'own dlmalloc')
export declare function ownMalloc(bytes: usize): usize;
// @ts-ignore: AssemblyScript's decorator
@external('env', 'own calloc')
export declare function ownCalloc(count: usize, bytes: usize): usize;
// @ts-ignore: AssemblyScript's decorator
@external('env', 'own realloc')
export declare function ownRealloc(thing: usize, bytes: usize): usize;
// @ts-ignore: AssemblyScript's decorator
@external('env', 'own internal_memalign')
export declare function ownAligned(alignment: usize, bytes: usize): usize;
// @ts-ignore: AssemblyScript's decorator
@external('env', 'own free')
export declare function ownFree(thing: usize): void;
// @ts-ignore: AssemblyScript's decorator
@external('env', 'heap_list')
export declare function copyList(to: usize): void;

/** Bytes before a thing that are not its own, and the bits of its size that are flags. */
const OWN_HEADER: usize = 4;
const OWN_FLAGS: usize = 7;

/** Bytes that a thing of dlmalloc's has room for. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function ownRoom(thing: usize): usize {
  return (<usize>load<u32>(thing - OWN_HEADER) & ~OWN_FLAGS) - OWN_HEADER;
}
