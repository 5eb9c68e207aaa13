/** The versions of Debian packages that this release was tried with: `images/packages.lock`, a line for each. Other versions are told. */
import { readFile } from 'node:fs/promises';

const MOST_NAMED = 5;

/** Words for a person; null when all are as expected. */
export async function describeDrift(
  lockFile: string,
  packages: Readonly<Record<string, string>>,
): Promise<string | null> {
  const expected = parseLock(await readFile(lockFile, 'utf8').catch(() => ''));
  if (expected.size === 0) return null;
  const names = [...new Set([...expected.keys(), ...Object.keys(packages)])].toSorted();
  const changes = names
    .filter((name) => expected.get(name) !== packages[name])
    .map((name) => `${name} ${expected.get(name) ?? 'absent'} → ${packages[name] ?? 'absent'}`);
  if (changes.length === 0) return null;
  const more = changes.length > MOST_NAMED ? `, and ${changes.length - MOST_NAMED} more` : '';
  return `Debian has other versions than those this release was tried with: ${changes.slice(0, MOST_NAMED).join(', ')}${more}.`;
}

function parseLock(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}
