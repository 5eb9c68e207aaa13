import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findObstacle } from './device.ts';

const COMMAND = fileURLToPath(new URL('../scripts/powercut.mjs', import.meta.url));

const obstacle = findObstacle();
if (obstacle !== null) {
  if ((process.env['REQUIRE'] ?? '').split(',').includes('loop'))
    throw new Error(`REQUIRE lists loop, but: ${obstacle}`);
  console.warn(`skipped: ${obstacle}`);
}

it.skipIf(obstacle !== null)(
  'a power cut takes no login that was acknowledged as stored, and does from a database that does not sync',
  async () => {
    const child = spawn(process.execPath, [COMMAND, '--cuts', '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const output = await text(child.stdout);
    await exited;
    expect(JSON.parse(output)).toMatchObject({ powercut: 'ran', cuts: 1, lost: 0, broken: 0 });
    expect(child.exitCode).toBe(0);
  },
);
