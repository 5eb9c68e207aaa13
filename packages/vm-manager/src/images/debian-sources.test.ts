import { fileURLToPath } from 'node:url';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findDebianSources, parseSources } from './debian-sources.ts';
import { loadRecipe } from './recipe.ts';

const RECIPE = fileURLToPath(new URL('../../../../images/recipe.json', import.meta.url));

it('reads the mirrors of both formats that apt has', () => {
  const found = parseSources(`# a comment
deb http://one.test/debian bookworm main contrib
deb [arch=amd64 signed-by=/k.gpg] https://two.test/debian-security bookworm-security main
deb-src http://sources.test/debian bookworm main

Types: deb
# http://snapshot.test/
URIs: http://three.test/debian http://unused.test/debian
Suites: trixie trixie-updates
Components: main non-free

Types: deb
Enabled: no
URIs: http://off.test/debian
Suites: sid
Components: main
`);
  expect(Object.fromEntries(found)).toEqual({
    bookworm: 'http://one.test/debian',
    'bookworm-security': 'https://two.test/debian-security',
    trixie: 'http://three.test/debian',
    'trixie-updates': 'http://three.test/debian',
  });
});

it('takes no mirror for Debian that has other things, nor one that is no web address', () => {
  const found = parseSources(`deb https://packages.test/node_20.x nodistro main
deb https://packages.test/apt bookworm tools
deb cdrom:[Debian]/ bookworm main
deb file:/srv/mirror bookworm main`);
  expect([...found.keys()]).toEqual(['nodistro']);
});

it('falls back on the mirrors of the recipe, part by part', async () => {
  const aptDir = mkdtempSync(join(tmpdir(), 'vestibule-apt-'));
  try {
    const recipe = await loadRecipe(RECIPE);
    mkdirSync(join(aptDir, 'sources.list.d'));
    writeFileSync(join(aptDir, 'sources.list.d', 'a.list'), `deb http://near.test/debian ${recipe.suite} main\n`);
    const words = (await findDebianSources(recipe, aptDir)).map((line) => line.split(' ').slice(2, 4));
    expect(words).toEqual([
      ['http://near.test/debian', recipe.suite],
      ['http://near.test/debian', `${recipe.suite}-updates`],
      [recipe.mirrors.security, `${recipe.suite}-security`],
    ]);
  } finally {
    rmSync(aptDir, { recursive: true });
  }
});
