// Sums in place: what a layer gives is added to its input, a bias to every row.

/** x f32 [count] += y f32 [count], a multiple of 4. */
export function add(x: usize, y: usize, count: u32): void {
  for (const end = x + (<usize>count << 2); x < end; x += 16, y += 16) v128.store(x, f32x4.add(v128.load(x), v128.load(y)));
}

/** x f32 [rows, cols] += row f32 [cols], a multiple of 4, in every row. */
export function addRow(x: usize, row: usize, rows: u32, cols: u32): void {
  for (let i: u32 = 0; i < rows; i++) {
    add(x, row, cols);
    x += <usize>cols << 2;
  }
}
