/** Leftovers are found: a VM's folder, a draft, a stray log, a process; and what a stopped controller keeps is none. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findFiles, findProcesses } from './leftovers.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vestibule-leftovers-'));
  for (const folder of ['vms', 'layers/torture-1.0.0-abc', 'logs/vms'])
    mkdirSync(join(dir, folder), { recursive: true });
  for (const file of ['installation-id', 'logs/vms/vm_a_1.log', 'logs/vms/vm_a_1.exit.json']) put(file);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const put = (path: string): void => writeFileSync(join(dir, path), '');

it('finds nothing in the data folder of a controller that cleared up', () => {
  expect(findFiles(dir)).toEqual([]);
});

it.each([
  'vms/vm_a_2',
  'controller.lock',
  'installation-id.123',
  'layers/x.partial',
  'logs/vms/vm_a_1.exit.json.9.tmp',
])('finds %s', (path) => {
  put(path);
  expect(findFiles(dir)).toEqual([join(dir, path)]);
});

it('finds a process of the run by its arguments, until it is gone', async () => {
  const child = spawn(process.execPath, [
    '-e',
    'process.stdin.resume().once("end", () => process.exit()); console.log()',
    dir,
  ]);
  await once(child.stdout, 'data');
  expect(findProcesses([dir], new Set())).toEqual([expect.stringMatching(new RegExp(`^${child.pid} `))]);
  expect(findProcesses([dir], new Set([child.pid!]))).toEqual([]);
  child.stdin.end();
  await once(child, 'exit');
  expect(findProcesses([dir], new Set())).toEqual([]);
});
