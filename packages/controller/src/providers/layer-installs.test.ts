import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { createLayerInstalls, type LayerSource } from './layer-installs.ts';
import { loadProviders } from './provider-registry.ts';
import { toDefinitionText } from './testing-definition.ts';

const folder = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const id of ['tool', 'other']) writeFileSync(join(folder, `${id}.yaml`), toDefinitionText({ id }));
const registry = loadProviders([folder]);

type Run = { provider: string; tell: (words: string) => void; succeed(): void; fail(error: unknown): void };

/** Installations that end when the test says so. */
function start() {
  const installed = new Set<string>();
  const runs: Run[] = [];
  const told: string[] = [];
  const waiters: (() => void)[] = [];
  const source: LayerSource = {
    find: ({ id }) => (installed.has(id) ? `/layers/${id}` : null),
    install: ({ id }, _folder, tell) =>
      new Promise((resolve, reject) => {
        const succeed = (): void => {
          installed.add(id);
          resolve(`/layers/${id}`);
        };
        runs.push({ provider: id, tell, succeed, fail: reject });
      }),
  };
  const layers = createLayerInstalls({
    registry,
    source,
    onProgress: (provider, message) => void told.push(`${provider}: ${message}`),
    onEnd: () => waiters.splice(0).forEach((wake) => wake()),
    log: createLogger({ level: 'silent' }).logger,
  });
  const nextEnd = (): Promise<void> => new Promise((resolve) => waiters.push(resolve));
  return { layers, runs, told, nextEnd };
}

describe('layer installations', () => {
  it('go from missing over installing to ready, and tell when they ended', async () => {
    const { layers, runs, nextEnd } = start();
    expect(layers.fact('tool')).toEqual({ state: 'missing' });
    layers.install('tool');
    expect(layers.fact('tool')).toEqual({ state: 'installing' });
    const ended = nextEnd();
    runs[0]?.succeed();
    await ended;
    expect(layers.fact('tool')).toEqual({ state: 'ready' });
  });

  it('run once for a provider, however many sessions wait for it, and side by side for several', () => {
    const { layers, runs } = start();
    for (let count = 0; count < 5; count += 1) layers.install('tool');
    layers.install('other');
    expect(runs.map(({ provider }) => provider)).toEqual(['tool', 'other']);
  });

  it('tell every waiting session of a failure, in the installer’s words', async () => {
    const { layers, runs, nextEnd } = start();
    layers.install('tool');
    const ended = nextEnd();
    runs[0]?.fail(new Error('no route to the registry'));
    await ended;
    const failed = { state: 'failed', message: 'tool: no route to the registry' };
    expect([layers.fact('tool'), layers.fact('tool')]).toEqual([failed, failed]);
  });

  it('are tried again after a failure', async () => {
    const { layers, runs, nextEnd } = start();
    layers.install('tool');
    const failed = nextEnd();
    runs[0]?.fail(new Error('no route'));
    await failed;
    layers.install('tool');
    expect(layers.fact('tool')).toEqual({ state: 'installing' });
    const ended = nextEnd();
    runs[1]?.succeed();
    await ended;
    expect(layers.fact('tool')).toEqual({ state: 'ready' });
  });

  it('tell how they go in words, without a flood', () => {
    const { layers, runs, told } = start();
    layers.install('tool');
    for (let count = 0; count < 100; count += 1) runs[0]?.tell(`package ${count}`);
    expect(told).toEqual(['tool: package 0']);
  });

  it('leave a provider that is not offered here to another controller', () => {
    const { layers } = start();
    expect(layers.fact('gone')).toEqual({ state: 'not_offered' });
  });
});
