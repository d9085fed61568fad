/**
 * The notes of a version: what CHANGELOG.md has below its number; what is unreleased where the version has no heading
 * of its own yet.
 */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const named = (name: string) => sections.find((section) => section.split('\n', 1)[0]!.split(' ')[0] === name);
  const section = named(version) ?? named('Unreleased');
  if (section === undefined) {
    throw new Error(`CHANGELOG.md: expected a heading "## ${version}" or "## Unreleased", got neither`);
  }
  const [, ...lines] = section.trimEnd().split('\n');
  return `# Stepwise ${version}\n\n${lines.join('\n').trim()}\n`;
}
