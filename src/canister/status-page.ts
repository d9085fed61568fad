/** The canister's state for a person who opens its address. */
import { canisterCycleBalance, canisterSelf } from 'azle';
import { activeModel } from './model.ts';
import { sessionCounts } from './sessions.ts';
import { arena } from './unit.ts';

const html = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

export function statusPage(): string {
  const model = activeModel();
  const { all, active, queued } = sessionCounts();
  const rows: [string, string][] = [
    ['Canister', canisterSelf().toText()],
    ['Model', model ? `${model.head.name}, ${model.head.weights}` : 'none yet'],
    ['SHA-256 of its pack', model?.stored.sha256 ?? ''],
    ['Sessions', `${active} worked on, ${queued} waiting, ${all} in all`],
    ['Memory of the tensor unit', `${(arena.grown / 2 ** 20).toFixed(1)} MiB`],
    ['Cycles', `${(Number(canisterCycleBalance()) / 1e12).toFixed(3)} T`],
  ];
  const table = rows.map(([name, value]) => `<tr><th>${name}</th><td>${html(value)}</td></tr>`).join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Stepwise</title>
<style>body{font:16px system-ui;margin:2em auto;max-width:50em}th{text-align:left;padding-right:2em}td{word-break:break-all}</style>
<h1>Stepwise</h1><table>${table}</table><p><a href="/metrics">metrics</a></p></html>`;
}
