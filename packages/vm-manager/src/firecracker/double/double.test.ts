/** The double's command lines and its refusal to run where nobody meant it to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryCommand } from '../../system/run-command.ts';
import { SETTINGS_FILE } from './double-settings.ts';
import { installFirecrackerDouble, type InstalledDouble } from './testing-install-double.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-double-'));
let double: InstalledDouble;
beforeAll(async () => {
  double = await installFirecrackerDouble(dir, { agentDir: '/nowhere', nodePath: process.execPath });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const NEEDED = ['--id', 'vm-a', '--exec-file', '/usr/bin/true', '--uid', '1', '--gid', '1'];

describe('the double of firecracker', () => {
  it('says what it is in its version', async () => {
    expect((await tryCommand([double.firecrackerPath, '--version'])).stdout).toMatch(/^Firecracker v[\d.]+-double\n/);
    expect((await tryCommand([double.jailerPath, '--version'])).stdout).toMatch(/^Jailer v[\d.]+-double\n/);
  });

  it.each([
    ['--daemonize'],
    ['stray'],
    ['--id'],
    ['--id', 'a', '--id', 'b'],
    ['--no-seccomp', '--seccomp-filter', 'x'],
  ])('exits with 153 for arguments that Firecracker does not take: %s %s %s', async (...argv) => {
    const { exitCode, stderr } = await tryCommand([double.firecrackerPath, ...argv.filter(Boolean)]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 153, stderr: expect.stringMatching(/argument '/i) as string });
  });

  it.each([
    { argv: ['--id', 'vm-a'], says: "Failed to parse arguments: Argument '--exec-file' required, but not found." },
    { argv: [...NEEDED, '--jail'], says: "Found argument '--jail' which wasn't expected" },
    { argv: NEEDED.with(1, 'vm_a'), says: 'Invalid instance ID: Invalid char (_) at position 2' },
    { argv: NEEDED.with(1, 'x'.repeat(65)), says: 'Invalid len (65);  the length must be between 1 and 64' },
    { argv: [...NEEDED, '--chroot-base-dir', '/nowhere'], says: 'Failed to canonicalize path /nowhere' },
    {
      argv: [...NEEDED, '--chroot-base-dir', '/tmp', '--resource-limit', 'cpu=1'],
      says: 'Invalid resource argument: cpu',
    },
  ])('exits with 1 as the jailer does, whatever it refuses: $says', async ({ argv, says }) => {
    const { exitCode, stderr } = await tryCommand([double.jailerPath, ...argv]);
    expect(stderr).toContain(says);
    expect(exitCode).toBe(1);
  });

  it('refuses to run where nobody wrote down that it is a double', async () => {
    rmSync(join(dir, SETTINGS_FILE));
    for (const argv of [
      [double.firecrackerPath, '--id', 'vm-a'],
      [double.jailerPath, ...NEEDED],
    ]) {
      const { exitCode, stderr } = await tryCommand(argv);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringContaining('this is a double of Firecracker') as string,
      });
    }
  });
});
