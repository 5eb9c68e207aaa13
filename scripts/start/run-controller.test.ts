import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** Stands for the controller: writes down what it hears, and ends with 7 on SIGTERM or at its parent's end. */
const CONTROLLER = `
  import { appendFileSync } from 'node:fs';
  const [, , heard] = process.argv;
  process.once('disconnect', () => { appendFileSync(heard, 'disconnect '); process.exit(7); });
  process.on('SIGINT', () => appendFileSync(heard, 'SIGINT '));
  process.on('SIGTERM', () => { appendFileSync(heard, 'SIGTERM '); process.exit(7); });
  console.log('ready ' + process.pid);`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vestibule-run-'));
  writeFileSync(join(dir, 'controller.mjs'), CONTROLLER);
});
afterEach(() => rmSync(dir, { recursive: true }));

function read(): Promise<string> {
  return readFile(join(dir, 'heard'), 'utf8').catch(() => '');
}

async function start(): Promise<ChildProcess> {
  const module = JSON.stringify(new URL('run-controller.mjs', import.meta.url).href);
  const program = `
    import { runController } from ${module};
    const args = [${JSON.stringify(join(dir, 'controller.mjs'))}, ${JSON.stringify(join(dir, 'heard'))}];
    process.exitCode = await runController(process.execPath, args, { cwd: ${JSON.stringify(dir)}, env: process.env, sameWishMs: 60_000 });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: child.stdout }), 'line');
  return child;
}

it('passes a Ctrl-C that arrives twice at once, from the terminal and from npm, on once', async () => {
  const starter = await start();
  starter.kill('SIGINT');
  await expect.poll(read).toBe('SIGINT ');
  starter.kill('SIGINT');
  starter.kill('SIGTERM');
  expect(await once(starter, 'exit')).toEqual([7, null]);
  expect(await read()).toBe('SIGINT SIGTERM ');
});

it('lets the controller notice that it was killed', async () => {
  const starter = await start();
  starter.kill('SIGKILL');
  await expect.poll(read).toBe('disconnect ');
});

it('passes the hang-up of a terminal on as a request to stop, and the exit code back', async () => {
  const starter = await start();
  starter.kill('SIGHUP');
  expect(await once(starter, 'exit')).toEqual([7, null]);
  expect(await read()).toBe('SIGTERM ');
});
