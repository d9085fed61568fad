/** Notes from CHANGELOG.md. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { notesOf } from '../../../src/node/package/release-notes.ts';

const changelog =
  '# Changelog\n\nWords.\n\n## Unreleased\n\n- new\n\n## 0.2.0 (2026-11-27)\n\n- two\n  lines\n\n## 0.1.0\n\n- first\n';

it.each([
  ['0.2.0', '# Stepwise 0.2.0\n\n- two\n  lines\n'],
  ['0.1.0', '# Stepwise 0.1.0\n\n- first\n'],
  ['0.3.0', '# Stepwise 0.3.0\n\n- new\n'],
])('of %s', (version, notes) => expect(notesOf(changelog, version)).toBe(notes));

it('says where there are none', () => {
  expect(() => notesOf('# Changelog\n', '1.0.0')).toThrow(
    'CHANGELOG.md: expected a heading "## 1.0.0" or "## Unreleased", got neither',
  );
});

it('finds those of this version in this changelog', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(notesOf(readFileSync('CHANGELOG.md', 'utf8'), version)).toMatch(/^# Stepwise .*\n\n- /);
});
