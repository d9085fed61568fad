// What files of tensors have in common: a table of where each one lies, and reading one. Not the table's making: that
// is a format's.

/** A file, or anything like one: `read` gives exactly `length` bytes at `offset`, or throws. */
export interface Source {
  /** In bytes. */
  size: number;
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
}

/** A tensor as the header has it. */
export interface TensorInfo {
  name: string;
  dtype: string;
  shape: number[];
  /** Of its data in the file. */
  offset: number;
  bytes: number;
}

export abstract class TensorFile {
  /** @param where the file's name, for errors */
  protected constructor(
    readonly where: string,
    readonly tensors: ReadonlyMap<string, TensorInfo>,
    private readonly source: Source,
  ) {}

  /**
   * The data of a tensor as it is in the file.
   * @throws Error if there is no such tensor, RangeError if its bytes do not come
   */
  async readBytes(name: string): Promise<Uint8Array> {
    const { offset, bytes } = this.info(name);
    const data = await this.source.read(offset, bytes);
    if (data.length !== bytes) {
      throw new RangeError(`${this.where}: tensor "${name}": expected ${bytes} bytes, got ${data.length}`);
    }
    return data;
  }

  protected info(name: string): TensorInfo {
    const info = this.tensors.get(name);
    if (info === undefined) throw new Error(`${this.where}: expected a tensor "${name}", got none of that name`);
    return info;
  }
}
