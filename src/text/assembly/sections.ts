// Tables of a tokenizer, where they lie in memory: words that say how they are made, the lengths of their sections
// among these, then the sections, each at a multiple of 16.
let lengths: usize = 0;
let section: u32 = 0;
let next: usize = 0;

/** Begins with the first of so many sections, whose lengths are the words from `lengthsAt` on. */
export function openSections(tables: usize, lengthsAt: u32, sections: u32): void {
  lengths = tables + (<usize>lengthsAt << 2);
  section = 0;
  next = tables + (((lengthsAt + sections) * 4 + 15) & ~15);
}

export function sectionBytes(index: u32): u32 {
  return load<u32>(lengths + (<usize>index << 2));
}

/** Where the next section lies. */
export function takeSection(): usize {
  const at = next;
  next += (sectionBytes(section) + 15) & ~15;
  section += 1;
  return at;
}
