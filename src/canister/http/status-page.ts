/** The canister's state for a person who opens its address. */
import { canisterCycleBalance, canisterSelf } from 'azle';
import { statusStyle } from '../certification/page-data.js';
import { activeModel } from '../model/model.ts';
import { arena } from '../runtime/unit.ts';
import { sessionCounts } from '../sessions/sessions.ts';

const html = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** @param namesCanister whether its own address does, by a query: the links have to as well */
export function statusPage(namesCanister: boolean): string {
  const model = activeModel();
  const { all, active, queued } = sessionCounts();
  const id = canisterSelf().toText();
  const query = namesCanister ? `?canisterId=${id}` : '';
  const rows: [string, string][] = [
    ['Canister', id],
    ['Model', model ? `${model.head.name}, ${model.head.weights}` : 'none yet'],
    ['SHA-256 of its pack', model?.stored.sha256 ?? ''],
    ['Sessions', `${active} worked on, ${queued} waiting, ${all} in all`],
    ['Memory of the tensor unit', `${(arena.grown / 2 ** 20).toFixed(1)} MiB`],
    ['Cycles', `${(Number(canisterCycleBalance()) / 1e12).toFixed(3)} T`],
  ];
  const list = rows.map(([name, value]) => `<div><dt>${name}</dt><dd>${html(value)}</dd></div>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>Stepwise: status</title>
<style>${statusStyle}</style>
</head>
<body>
<header>
<h1>Stepwise</h1>
<p>The state of the canister, as the node that answered has it.</p>
</header>
<main><dl>${list}</dl></main>
<footer><p class="quiet"><a href="/${query}">Ask the model</a> <a href="/metrics${query}">Metrics</a></p></footer>
</body>
</html>`;
}
