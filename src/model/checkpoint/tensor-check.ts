/**
 * The check that a file's tensors are those that a configuration asks for, with all that is wrong in one error. What
 * they are to be is a family's business.
 */
import type { TensorInfo } from './tensor-file.ts';

/** At most so many lines of what is wrong: a checkpoint of another model has hundreds. */
const MAX_PROBLEMS = 12;
const FLOATS = ['F32', 'F16', 'BF16'];

export class TensorCheck {
  private readonly problems: string[] = [];
  private readonly used = new Set<string>();

  /** @param dtypes what a tensor may be held as */
  constructor(private readonly dtypes: readonly string[] = FLOATS) {}

  /** A tensor that is there, and what its shape has to be. */
  found({ name, shape, dtype }: TensorInfo, expected: readonly number[]): void {
    if (`${shape}` !== `${expected}`) this.problems.push(`${name}: expected shape [${expected}], got [${shape}]`);
    if (!this.dtypes.includes(dtype)) {
      const kinds = `${this.dtypes.slice(0, -1).join(', ')} or ${this.dtypes.at(-1)}`;
      this.problems.push(`${name}: expected dtype ${kinds}, got ${dtype}`);
    }
    this.used.add(name);
  }

  /** @param hint what else would do, or why it has to be there */
  missing(name: string, expected: readonly number[], hint = ''): void {
    this.problems.push(`${name}${hint}: expected shape [${expected}], got no such tensor`);
  }

  /** Tensors that may be there and are of no use. */
  ignore(name: string): void {
    this.used.add(name);
  }

  /**
   * @param model what errors call it
   * @throws Error that names what is missing, what is too many, and what has another shape or no floats
   */
  finish(tensors: ReadonlyMap<string, TensorInfo>, where: string, model: string, asks = 'config.json'): void {
    for (const { name, shape } of tensors.values()) {
      if (!this.used.has(name))
        this.problems.push(`${name}: expected no such tensor in this ${model}, got one of shape [${shape}]`);
    }
    const { problems } = this;
    if (problems.length === 0) return;
    const more = problems.length > MAX_PROBLEMS ? [`… and ${problems.length - MAX_PROBLEMS} more`] : [];
    const lines = [...problems.slice(0, MAX_PROBLEMS), ...more].map((line) => `\n  ${line}`).join('');
    throw new Error(`${where}: expected the tensors that ${asks} asks for, got others:${lines}`);
  }
}
