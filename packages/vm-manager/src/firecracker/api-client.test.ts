/** The client of Firecracker's API against the double's server: faults in Firecracker's words, and every other failure with what was asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { connectToVmSocket } from '../vm/vm-channel.ts';
import { createFirecrackerApi } from './api-client.ts';
import { createApiServer, type ApiRequest } from './double/api-server.ts';
import type { DoubleSettings } from './double/double-settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-api-'));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function open(
  handle: (request: ApiRequest) => unknown,
  answers: DoubleSettings['answers'] = [],
  answerMs = 5000,
) {
  const path = join(dir, String(process.hrtime.bigint()));
  const settings = { thisIsNotFirecracker: true, guest: { agentDir: '', nodePath: '' }, answers } as const;
  const server = createApiServer(handle, settings);
  servers.push(server);
  await once(server.listen(path), 'listening');
  return createFirecrackerApi(() => connectToVmSocket(path), answerMs);
}
const START = { path: '/actions', body: { action_type: 'InstanceStart' } } as const;

it('puts a body as JSON and takes an answer without one', async () => {
  const seen: ApiRequest[] = [];
  const api = await open((request) => (seen.push(request), null));
  await api.put(START);
  expect(seen).toEqual([{ method: 'PUT', path: '/actions', body: '{"action_type":"InstanceStart"}' }]);
});

it("tells Firecracker's own words when it refuses", async () => {
  const api = await open(() => {
    throw new Error('Start microvm error: Cannot start microvm without kernel configuration.');
  });
  await expect(api.put(START)).rejects.toThrow(
    'PUT /actions: Start microvm error: Cannot start microvm without kernel configuration.',
  );
});

it.each([
  { instead: 'hang_up', words: /^PUT \/actions: (socket hang up|read ECONNRESET)$/ },
  { instead: 'garbage', words: /^PUT \/actions: Parse Error/ },
] as const)('fails in words, once, when the answer is: $instead', async ({ instead, words }) => {
  let asked = 0;
  const api = await open(() => ((asked += 1), null), [{ request: 'PUT /actions', delayMs: 0, instead }]);
  await expect(api.put(START)).rejects.toThrow(words);
  expect(asked).toBe(0);
  await api.put(START);
  expect(asked).toBe(1);
});

it('waits for a slow answer, and not for ever', async () => {
  const slow = [{ request: 'PUT /actions', delayMs: 300 }];
  await (await open(() => null, slow)).put(START);
  await expect((await open(() => null, slow, 50)).put(START)).rejects.toThrow('PUT /actions: no answer within 50 ms');
});

it('says so when nobody answers', async () => {
  const api = createFirecrackerApi(() => connectToVmSocket(join(dir, 'nowhere')));
  await expect(api.put(START)).rejects.toThrow(/^PUT \/actions: nobody answers: ENOENT/);
});

it('is refused what is larger than Firecracker takes', async () => {
  const api = await open(() => null);
  const body = { kernel_image_path: '/vmlinux', boot_args: 'x'.repeat(51_200) };
  await expect(api.put({ path: '/boot-source', body })).rejects.toThrow(/limit of 51200/);
});
