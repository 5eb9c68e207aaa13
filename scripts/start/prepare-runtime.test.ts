import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findImagesDir, hasImageOfAgent } from './prepare-runtime.mjs';

it('looks for images where the controller does', () => {
  expect(findImagesDir(['--images-dir', '/i'], { VESTIBULE_DATA_DIR: '/d' })).toBe('/i');
  expect(findImagesDir(['--data-dir=/e'], { VESTIBULE_DATA_DIR: '/d' })).toBe('/e/images');
  expect(findImagesDir([], {})).toMatch(/\/vestibule\/images$/);
});

it('takes an image of another build of the agent for none', () => {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-images-'));
  const agent = join(dir, 'agent.mjs');
  const publish = (agentBuildId: string): void =>
    writeFileSync(join(dir, 'one', 'manifest.json'), JSON.stringify({ agentBuildId }));
  try {
    writeFileSync(agent, 'the agent');
    expect(hasImageOfAgent(dir, agent)).toBe(false);
    mkdirSync(join(dir, 'one'));
    symlinkSync('one', join(dir, 'current'));
    publish(createHash('sha256').update('another agent').digest('hex'));
    expect(hasImageOfAgent(dir, agent)).toBe(false);
    publish(createHash('sha256').update('the agent').digest('hex'));
    expect(hasImageOfAgent(dir, agent)).toBe(true);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
