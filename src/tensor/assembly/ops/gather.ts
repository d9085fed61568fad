// Rows of an embedding table by token id. ids u32 [rows], `idBytes` from one to the next -> out f32 [rows, K].
import { spanOf } from '../generated/dot-blocks';

/** table int8 [V, K] in groups of four rows, span by span (src/tensor/layout.ts), scales f32 [V]. */
export function gatherQ8(out: usize, ids: usize, idBytes: usize, table: usize, scales: usize, rows: u32, cols: u32, tableRows: u32): void {
  for (let i: u32 = 0; i < rows; i++) {
    const id = load<u32>(ids + <usize>i * idBytes);
    const s = load<f32>(scales + (<usize>id << 2));
    let columns: u32 = 0;
    for (let from: u32 = 0; from < cols; from += columns) {
      columns = spanOf(cols - from);
      // a group holds, for each pair of columns, two bytes of each of its four rows
      let w = table + <usize>(from * tableRows) + <usize>(id >> 2) * (<usize>columns << 2) + ((id & 3) << 1);
      for (const end = out + (<usize>columns << 2); out < end; out += 8, w += 8) {
        store<f32>(out, <f32>(<i32>load<i8>(w)) * s);
        store<f32>(out, <f32>(<i32>load<i8>(w, 1)) * s, 4);
      }
    }
  }
}

/** table f32 [V, K]. */
export function gatherF32(out: usize, ids: usize, idBytes: usize, table: usize, rows: u32, cols: u32): void {
  const rowBytes = <usize>cols << 2;
  for (let i: u32 = 0; i < rows; i++) {
    memory.copy(out, table + <usize>load<u32>(ids + <usize>i * idBytes) * rowBytes, rowBytes);
    out += rowBytes;
  }
}
