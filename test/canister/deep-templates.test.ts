/**
 * Chat templates that are nested as deep as one may be do not use up the canister's stack, which would trap each chat;
 * deeper ones do not become the model, and deeper values do not reach a template.
 */
import { beforeAll, expect, it } from 'vitest';
import type { _SERVICE as Llm } from '../../src/interface/llm.did.ts';
import { llamaPack } from './llama-pack.ts';
import { chatStatus, type Installed, install, ok, options, sha256Of } from './llm.ts';

const unused = (template: string): string => `{{ messages[0].content }}{% if tools %}${template}{% endif %}`;
const used = (template: string): string => `{{ messages[0].content }}${template}`;
const loop = (times: number, then: string): string =>
  `{% set ns = namespace(a=[]) %}{% for i in range(${times}) %}{% set ns.a = [ns.a] %}{% endfor %}${then}`;
const written =
  '{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c | tojson }}{% endfor %}{{ m.content }}{% endfor %}';
const TOO_NESTED = 'expected brackets, blocks and operators within each other that come to at most 120, got';

/** What may be nested how deep, and what is said of a deeper one. */
const kinds: [string, (n: number) => string, number, string][] = [
  ['brackets', (n) => unused(`{{ ${'('.repeat(n)}1${')'.repeat(n)} }}`), 10, TOO_NESTED],
  ['lists', (n) => used(`{{ ${'['.repeat(n)}${']'.repeat(n)} | length }}`), 10, TOO_NESTED],
  ['calls', (n) => unused(`{{ ${'f('.repeat(n)}1${')'.repeat(n)} }}`), 10, TOO_NESTED],
  ['blocks', (n) => used(`${'{%if 1%}'.repeat(n)}${'{%endif%}'.repeat(n)}`), 48, TOO_NESTED],
  ['elif', (n) => used(`{%if 0%}${'{%elif 0%}'.repeat(n)}{%endif%}`), 48, TOO_NESTED],
  ['set', (n) => unused(`${'{%set a%}'.repeat(n)}${'{%endset%}'.repeat(n)}`), 55, TOO_NESTED],
  ['operators', (n) => used(`{{ 1${' + 1'.repeat(n)} }}`), 65, TOO_NESTED],
  ['filters', (n) => used(`{{ 'a'${' | trim'.repeat(n)} }}`), 65, TOO_NESTED],
  ['not', (n) => unused(`{{ ${'not '.repeat(n)}1 }}`), 110, TOO_NESTED],
  [
    'macros',
    (n) => used(`{% macro a(n) %}{% if n > 0 %}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(${n}) }}`),
    13,
    'at most 70 expressions',
  ],
  [
    'values',
    (n) => used(loop(n, '{{ ns.a | tojson }}{{ [ns.a] == ns.a }}')),
    60,
    'lists and objects of at most 64 levels, got',
  ],
];

let llm: Installed;
let owner: Llm;
beforeAll(async () => {
  llm = await install();
  owner = llm.as();
});

async function commit(template: string) {
  const pack = await llamaPack('llama-a', 'int8', { template });
  ok(await owner.upload_start(BigInt(pack.length), sha256Of(pack)));
  ok(await owner.upload_chunk(0, pack, []));
  return await owner.upload_commit();
}
const chat = () => owner.chat([{ role: { user: null }, content: 'hi' }], options({ max_new_tokens: 1 }));

it.each(kinds)('%s', async (_, template, most, refused) => {
  expect(await commit(template(most))).toEqual({ Ok: null });
  ok(await chat());
  for (const deeper of [Math.ceil(most * 2.5), most * 20])
    expect(await commit(template(deeper))).toMatchObject({
      Err: {
        InvalidPack: expect.stringContaining(
          `upload_commit: chat template: ${refused.startsWith('expected') ? '' : 'expected '}${refused}`,
        ),
      },
    });
  ok(await chat());
});

it("arguments of a tool's call that a caller sends", async () => {
  ok(await commit(written));
  const [model] = (await owner.models()).filter(({ active }) => active);
  const ask = async (levels: number) => {
    const messages = [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: 'x',
        tool_calls: [
          {
            id: 'a',
            type: 'function',
            function: { name: 'f', arguments: `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}` },
          },
        ],
      },
      { role: 'user', content: 'hi' },
    ];
    return await chatStatus(llm, { model: model!.name, max_tokens: 1, messages });
  };
  expect(await ask(31)).toBe(200);
  for (const levels of [32, 60, 200, 255]) expect(await ask(levels)).toBe(400);
});
