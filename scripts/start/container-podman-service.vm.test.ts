import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ensurePodmanService } from './podman-service.mjs';

const elsewhere = ['/run/systemd/system', '/run/docker.sock', '/var/run/docker.sock'].filter((path) =>
  existsSync(path),
);
const isAble = process.geteuid?.() === 0 && spawnSync('podman', ['--version']).status === 0;
const demanded = (process.env['REQUIRE'] ?? '').split(',').includes('container');
if (!isAble && demanded) throw new Error('REQUIRE lists container, but podman is not there or this is not root');
if (!isAble) console.warn('skipped: podman as root is not there');
if (elsewhere.length > 0) console.warn(`skipped: on this machine ${elsewhere.join(', ')} is asked instead`);

function askVersion(socketPath: string): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/v1.41/version' }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.once('error', (error) => resolve(error.message)).end();
  });
}

it.runIf(isAble && elsewhere.length === 0)('starts the API of podman once, and ends it with the start', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-podman-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const socketPath = join(dir, 'run', 'podman.sock');
  const stop = await ensurePodmanService({ socketPath });
  const stopNothing = await ensurePodmanService({ socketPath });
  await stopNothing();
  expect(await askVersion(socketPath)).toBe(200);
  await stop();
  expect(await askVersion(socketPath)).not.toBe(200);
});
