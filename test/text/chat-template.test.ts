/** Chat templates, held against what transformers makes of the same templates and messages. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ChatMessage, ChatTemplate, TemplateError } from '../../src/text/chat-template.ts';

interface Case {
  template: string;
  messages: ChatMessage[];
  add_generation_prompt?: boolean;
  values?: Record<string, unknown>;
  text?: string;
  refusal?: string;
}
const {
  templates,
  cases,
}: {
  templates: Record<string, { template: string; special: string[]; bos: string | null; eos: string }>;
  cases: Case[];
} = JSON.parse(readFileSync('test/fixtures/chat/templates.json', 'utf8'));

function open(name: string): ChatTemplate {
  const { template, bos, eos } = templates[name]!;
  return new ChatTemplate({ template, ...(bos !== null && { bos }), eos });
}
const say = (content: string): ChatMessage[] => [{ role: 'user', content }];

describe.each(Object.keys(templates))('%s', (name) => {
  const own = cases.filter(({ template }) => template === name).map((c, i) => ({ ...c, i }));
  it.each(own)('conversation $i: as transformers renders it', (given) => {
    const { messages, add_generation_prompt, values, text, refusal } = given;
    const render = () => open(name).render(messages, { addGenerationPrompt: add_generation_prompt, values });
    if (refusal !== undefined) expect(render).toThrow(new TemplateError(`chat template: ${refusal}`));
    else expect(render()).toBe(text);
  });
});

describe('is stopped or refused', () => {
  const render = (source: string) => new ChatTemplate({ template: source }).render(say('x'));
  const lists = (times: number, twice = '[ns.x, ns.x]') =>
    `{% set ns = namespace(x=['abcdefgh']) %}{% for i in range(${times}) %}{% set ns.x = ${twice} %}{% endfor %}`;
  const doubled = (times: number, what = 'a'.repeat(16)) =>
    `{% set ns = namespace(t='${what}') %}{% for i in range(${times}) %}{% set ns.t = ns.t + ns.t %}{% endfor %}`;
  it.each<[string, string, string | RegExp]>([
    ['no template', '{% for x in %}', 'expected a Jinja template, got an error'],
    [
      'a loop without end',
      '{% for a in range(1999) %}{% for b in range(1999) %}x{% endfor %}{% endfor %}',
      'an end within',
    ],
    [
      'a huge range',
      '{% for a in range(1000000000) %}x{% endfor %}',
      'a range of at most 2000 numbers, got 1000000000',
    ],
    ['a range by no step', '{{ range(1, 5, 0) }}', 'a range of at most'],
    ['a macro that calls itself', '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}', 'chat template: expected'],
    [
      'text that doubles',
      "{% set ns = namespace(t='xxxxxxxxxx') %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
      'at most 1000000 characters',
    ],
    // one operation that would make far more than what goes in is not begun
    ['a list that is its own items twice, again and again', `${lists(90)}{{ ns.x | tojson }}`, /got 1\d{6}$/],
    ['the same in objects', `${lists(90, "{'a': ns.x, 'b': ns.x}")}{{ ns.x | string }}`, /got 1\d{6}$/],
    ['the same, never written out', lists(90), /got 1\d{6}$/],
    ['a text in a text', `${doubled(12)}{{ ns.t.replace('a', ns.t) }}`, 'at most 1000000 characters, got 4294967296'],
    ['by a filter', `${doubled(12)}{{ ns.t | replace('a', ns.t) }}`, 'at most 1000000 characters, got 4294967296'],
    [
      'by another name',
      `${doubled(12)}{% set f = ns.t['replace'] %}{{ f('', ns.t) }}`,
      'at most 1000000 characters, got 4295098368',
    ],
    ['lines far to the right', "{{ 'a\nb' | indent(1000000000) }}", 'at most 1000000 characters, got 2000000003'],
    ['the same by name', "{{ 'a\nb' | indent(width=1000000000) }}", 'at most 1000000 characters, got 2000000003'],
    ['a long text between items', `${doubled(15)}{{ range(2000) | join(ns.t) }}`, 'got 1048576000'],
    ['JSON far to the right', '{{ [1] | tojson(indent=1000000000) }}', 'an indent of at most 100, got 1000000000'],
    ['a text in many parts', `${doubled(12)}{{ ns.t.split('a') }}`, 'lists of at most 2000 items, got more'],
    ['a text of many words', `${doubled(12, 'a ')}{{ ns.t.split() }}`, 'lists of at most 2000 items, got more'],
    ['what it does not know', '{{ messages | no_such_filter }}', 'expected a text, got an error'],
    ['its own words', "{{ raise_exception('only one message') }}", 'chat template: only one message'],
  ])('%s', (_, source, message) => {
    expect(() => render(source)).toThrow(TemplateError);
    expect(() => render(source)).toThrow(message);
  });

  it('but does what templates do with texts and lists', () => {
    const source = `{% set ns = namespace(parts=[]) %}{% for m in messages %}{% set ns.parts = ns.parts + [m.content] %}{% endfor %}
{{- ns.parts | join(', ') }} {{ messages[0].content.split('x')[-1] | length }} {{ 'a</b>c'.split('</b>')[-1].lstrip('\n') }}
{{- ' a  b '.split() | join('-') }} {{ 'a.b.c'.replace('.', '', 1) }} {{ 'a.b' | replace('.', '!', count=1) }}
{{- 'a\nb' | indent(2, first=true) }} {{ {'a': [1]} | tojson(indent=2) }}`;
    expect(render(source)).toBe('x 0 ca-b ab.c a!b  a\n  b {\n  "a": [\n    1\n  ]\n}');
  });

  it.each([' ', '\n', '\t\u00a0'])(
    'one with a long run of white space, which the library takes the square of: %j',
    (blank) => {
      const long = blank.repeat(95_000);
      for (const template of [`{{ 1${long}}}`, `a${long}b`, `{%${long}`])
        expect(() => new ChatTemplate({ template })).toThrow(
          `chat template: expected at most 256 characters of white space in a row, got ${long.length}`,
        );
      expect(() => new ChatTemplate({ template: `a${blank.repeat(100)}b` })).not.toThrow();
    },
  );

  it.each<[string, (n: number) => string]>([
    ['brackets', (n) => `{{ ${'['.repeat(n)}${']'.repeat(n)} }}`],
    ['dictionaries', (n) => `{{ ${"{'a':".repeat(n)}1${'}'.repeat(n)} }}`],
    ['brackets that nothing closes', (n) => `{{ ${'('.repeat(n)} }}`],
    ['not', (n) => `{{ ${'not '.repeat(n)}1 }}`],
    ['signs', (n) => `{{ ${'- '.repeat(n)}1 }}`],
    ['choices', (n) => `{{ ${'1 if 0 else '.repeat(n)}1 }}`],
    ['elif', (n) => `{% if 0 %}${'{% elif 0 %}'.repeat(n / 2)}{% endif %}`],
    ['blocks', (n) => `${'{% if 1 %}'.repeat(n / 2)}${'{% endif %}'.repeat(n / 2)}`],
    ['loops', (n) => `${'{% for i in x %}'.repeat(n / 2)}${'{% endfor %}'.repeat(n / 2)}`],
    ['macros', (n) => `${'{% macro a() %}'.repeat(n / 2)}${'{% endmacro %}'.repeat(n / 2)}`],
    ['texts that are set', (n) => `${'{% set a %}'.repeat(n / 2)}${'{% endset %}'.repeat(n / 2)}`],
    ['filters', (n) => `{% if 0 %}{{ 'a'${' | trim'.repeat(n)} }}{% endif %}`],
    ['indices', (n) => `{% if 0 %}{{ messages${'[0]'.repeat(n)} }}{% endif %}`],
    ['calls', (n) => `{% if 0 %}{{ f${'()'.repeat(n)} }}{% endif %}`],
  ])('thousands of %s within each other, before a parser sees them', (_, make) => {
    const message = /chat template: expected brackets, blocks and operators .* come to at most 120, got \d+$/;
    for (const n of [200, 12_000]) expect(() => new ChatTemplate({ template: make(n) })).toThrow(message);
  });

  it('but not the same beside each other', () => {
    const beside =
      "{% if a %}{{ [1, (2), {'a': f(x)[0]}] | length }}{% elif not b %}{% set c = [1] %}{% endif %}".repeat(500);
    expect(() => new ChatTemplate({ template: beside })).not.toThrow();
    const list = `{{ [${"f(x['a']) + g(-1 - y) ~ 'z', ".repeat(500)}] }}`;
    expect(() => new ChatTemplate({ template: list })).not.toThrow();
  });

  it('lists within each other, level by level', () => {
    const nested = (n: number) => lists(n, '[ns.x]');
    expect(render(`${nested(60)}{{ ns.x | tojson | length }}`)).toBe('132');
    for (const n of [80, 1500])
      expect(() => render(`${nested(n)}{{ ns.x | tojson }}`)).toThrow('lists and objects of at most 64 levels, got 65');
  });

  it('a template that is too long', () => {
    expect(() => render('x'.repeat(200_001))).toThrow('at most 200000 characters, got 200001');
  });
});

describe('is checked before a model chats by it', () => {
  const check = (template: string) => () => new ChatTemplate({ template }).check({});
  const all = '{% for m in messages %}{{ m.content }}{% endfor %}';

  it.each(Object.keys(templates))('%s may', (name) => {
    expect(() => open(name).check({})).not.toThrow();
  });

  it('one that takes no system message may', () => {
    const refuses = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}";
    expect(check(refuses + all)).not.toThrow();
  });

  it.each([
    ['takes no user', "{{ raise_exception('never') }}", 'chat template: never'],
    [
      'never ends where there is a system message',
      "{% if messages[0].role == 'system' %}{% for a in range(1999) %}{% for b in range(1999) %}{% endfor %}{% endfor %}{% endif %}",
      'expected an end within 24000 steps, got none',
    ],
    ['nests without end', '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}', 'at most 70 expressions'],
    ['is no template', '{% if %}', 'expected a Jinja template, got an error'],
  ])('one that %s may not', (_, template, message) => {
    expect(check(template)).toThrow(message);
  });

  it('and stopped where it takes more than it may', () => {
    let asked = 0;
    const isSpent = () => ++asked > 3;
    expect(() => new ChatTemplate({ template: all.repeat(100) }).render(say('x'), { isSpent })).toThrow(
      'expected an end within the instructions that a message may take, got none',
    );
  });
});
