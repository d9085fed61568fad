/**
 * How benches print: which machine and versions, tables that can be pasted into Markdown, numbers a reader can compare.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../src/node/build/project.ts';

export interface Setting {
  machine: string;
  date: string;
  commit: string;
  versions: Record<string, string>;
}

/** Where and with what this runs. */
export function setting(packages: readonly string[] = ['azle', 'assemblyscript', 'binaryen']): Setting {
  const [cpu] = cpus();
  const version = (name: string): string =>
    JSON.parse(readFileSync(join(projectRoot, 'node_modules', name, 'package.json'), 'utf8')).version;
  return {
    machine: `${cpu?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: commit(),
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      ...Object.fromEntries(packages.map((name) => [name, version(name)])),
    },
  };
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no', 'src') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '');
  } catch {
    return 'unknown';
  }
}

export const settingLine = ({ machine, date, commit, versions }: Setting): string =>
  `${machine}; ${date} UTC; commit ${commit}; ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}`;

/** A Markdown table, columns of even width, all but the first to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, c) => Math.max(...[head, ...rows].map((row) => row[c]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, c) => (c === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** Instructions in millions. */
export const millions = (n: number): string => (n / 1e6).toFixed(Math.abs(n) < 10e6 ? 3 : 1);
export const megabytes = (n: number): string => (n / 1e6).toFixed(1);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
