// Bytes from one place of the arena to another.

export function copy(out: usize, source: usize, bytes: usize): void {
  memory.copy(out, source, bytes);
}
