/** Definitions, folders and installations that are broken or compete. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SessionRow } from '../session/session-row.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createFindBlocker } from './callback-port.ts';
import { createLayerInstalls } from './layer-installs.ts';
import { parseProviderFile } from './provider-file.ts';
import { loadProviders } from './provider-registry.ts';
import { toDefinitionText } from './testing-definition.ts';

const folder = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'tool.yaml'), toDefinitionText({ login: 'callbackPort: 8976' }));
const registry = loadProviders([folder]);

describe('the callback port', () => {
  it('goes to the older of two sign-ins that wait for a VM at the same time, not to both', () => {
    const toRow = (sessionId: string, createdAt: number): SessionRow =>
      ({
        sessionId,
        provider: 'tool',
        mode: 'vm_browser',
        vm: null,
        status: 'started',
        createdAt: new Date(createdAt),
      }) as SessionRow;
    const [older, newer] = [toRow('b', 1), toRow('a', 2)];
    const findBlocker = createFindBlocker(registry, true);
    expect(findBlocker(older, [older, newer])).toBeNull();
    expect(findBlocker(newer, [older, newer])).toContain('port 8976');
  });
});

describe('a provider file', () => {
  it.each([
    ['an alias without an anchor', toDefinitionText({ more: 'modes: *nowhere' })],
    [
      'an alias bomb',
      `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`,
    ],
  ])('is never thrown over: %s', (_what, text) => {
    expect(parseProviderFile(text)).toMatchObject({ ok: false });
  });

  it('of the operator is refused in words when its folder is not there', () => {
    expect(() => loadProviders([join(folder, 'missing')])).toThrow(/Some provider definitions cannot be used/);
  });

  it('is not silently replaced by another file of the same folder with the same id', () => {
    writeFileSync(join(folder, 'tool-copy.yaml'), toDefinitionText());
    try {
      expect(() => loadProviders([folder])).toThrow(/tool/);
    } finally {
      rmSync(join(folder, 'tool-copy.yaml'));
    }
  });
});

describe('the installation of a CLI', () => {
  it('goes on when telling of its progress fails, as it does while the database is down', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', onUnhandled);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const tellProgress = (): Promise<void> => Promise.reject(new Error('database down'));
    const layers = createLayerInstalls({
      registry,
      source: {
        find: () => null,
        async install(_definition, _folder, tell) {
          tell('fetching');
          return '/layers/tool';
        },
      },
      onProgress: () => tellProgress(),
      onEnd: () => end(),
      log: createLogger({ level: 'silent' }).logger,
    });
    layers.install('tool');
    await ended;
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('unhandledRejection', onUnhandled);
    for (const listener of others) process.on('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });
});
