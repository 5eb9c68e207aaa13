import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime';
import { withImageAgentCheck } from './image-agent-check.ts';

const AGENT = 'console.log("agent")';
const BUILD_ID = createHash('sha256').update(AGENT).digest('hex');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vestibule-image-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function preflight(inImage: string | null | Error): Promise<string[]> {
  const runtime = createFakeRuntime({ installationId: 't', vmsDir: join(folder, 'vms') });
  const findImageAgent = async (): Promise<string | null> => {
    if (inImage instanceof Error) throw inImage;
    return inImage;
  };
  const checked = withImageAgentCheck(runtime, { findImageAgent, agentDir: join(folder, 'agent') });
  return (await checked.preflight()).map(({ id, severity }) => `${id}: ${severity}`);
}

it('tells that the image holds another agent, before a sign-in fails at it', async () => {
  mkdirSync(join(folder, 'agent'));
  writeFileSync(join(folder, 'agent', 'agent.mjs'), AGENT);
  expect(await preflight(BUILD_ID)).toEqual(['fake_runtime: notice']);
  expect(await preflight('f'.repeat(64))).toEqual(['fake_runtime: notice', 'image_agent: missing']);
});

it('leaves it to the runtime to tell that there is no image, a broken one, or no agent built', async () => {
  expect(await preflight('f'.repeat(64))).toEqual(['fake_runtime: notice']);
  mkdirSync(join(folder, 'agent'));
  writeFileSync(join(folder, 'agent', 'agent.mjs'), AGENT);
  expect(await preflight(null)).toEqual(['fake_runtime: notice']);
  expect(await preflight(new Error('broken'))).toEqual(['fake_runtime: notice']);
});
