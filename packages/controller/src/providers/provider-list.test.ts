import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { providersAnswerSchema, type Provider, type Requirement } from '@vestibule/protocol/api';
import type { Mode } from '@vestibule/protocol/session';
import type { Acceptance } from './notice-store.ts';
import { createNotices } from './notices.ts';
import { createProviderList } from './provider-list.ts';
import { loadProviders } from './provider-registry.ts';
import { toDefinitionText } from './testing-definition.ts';

const folder = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
afterAll(() => rmSync(folder, { recursive: true }));
const WAYS = `vendor: Tool Ltd
audience: For teams.
untested: true
modes: [own_browser, vm_browser, token]
ways:
  own_browser: { hint: Best with passkeys. }
  token: { kinds: [{ id: key, name: Key, hint: From the console., input: stdin, pattern: '^k-' }] }
success: { use: { args: [whoami], description: It asks who you are. } }`;
writeFileSync(join(folder, 'tool.yaml'), toDefinitionText({ more: WAYS }));
writeFileSync(
  join(folder, 'noticed.yaml'),
  toDefinitionText({ id: 'noticed', name: 'Noticed', more: 'notice: { title: Read this, text: The words. }' }),
);
writeFileSync(
  join(folder, 'by-code.yaml'),
  toDefinitionText({
    id: 'by_code',
    more: `modes: [device_code]\nways: { device_code: { codePattern: '[A-Z]{4}', urlPattern: 'https://\\S+' } }`,
  }),
);
writeFileSync(
  join(folder, 'absent.yaml'),
  toDefinitionText({ id: 'absent', name: 'Absent' }).replace(
    /kind: npm\n +package: some-tool/,
    'kind: bundled\n  folder: absent',
  ),
);
const registry = loadProviders([folder]);

const MISSING: Requirement = {
  id: 'xtigervnc',
  title: 'It is not there.',
  hint: 'Install it.',
  severity: 'missing',
};

/** Acceptances in memory; the last way of everybody. */
function start(options: { requirements?: Requirement[]; lastMode?: Mode } = {}) {
  const acceptances: Acceptance[] = [];
  const store = {
    list: () => Promise.resolve([...acceptances]),
    accept: async (provider: string, { hash }: { hash: string }) => {
      acceptances.push({ provider, hash, acceptedAt: new Date(0) });
    },
  };
  const notices = createNotices({ registry, store });
  const list = createProviderList({
    registry,
    runtime: { kind: 'process', sharedKernel: true, readPreflight: () => Promise.resolve(options.requirements ?? []) },
    notices,
    lastModes: {
      listOf: () => Promise.resolve(new Map(options.lastMode === undefined ? [] : [['tool', options.lastMode]])),
    },
    isInstalled: () => false,
  });
  const find = async (id: string, userId?: string): Promise<Provider> => {
    const { providers } = providersAnswerSchema.parse(await list.list(userId));
    const found = providers.find((provider) => provider.id === id);
    if (found === undefined) throw new Error(`${id} is not listed`);
    return found;
  };
  return { list, notices, find };
}

describe('the list of providers', () => {
  it('tells all that a definition says for whoever chooses', async () => {
    const { find } = start();
    expect(await find('tool')).toMatchObject({
      modes: [
        { mode: 'own_browser', available: true, reason: null, hint: 'Best with passkeys.' },
        { mode: 'vm_browser', hint: null },
        { mode: 'token', hint: null },
      ],
      vendor: 'Tool Ltd',
      audience: 'For teams.',
      untested: true,
      tokenKinds: [{ id: 'key', name: 'Key', hint: 'From the console.', pattern: '^k-' }],
      useDescription: 'It asks who you are.',
      notice: null,
    });
  });

  it('tells what the runtime lacks, which stops every way, for each runs the program in the same machine', async () => {
    const { find, list } = start({ requirements: [MISSING] });
    const { modes, available, reason } = await find('tool');
    expect(modes.map((mode) => mode.reason)).toEqual(Array(3).fill('It is not there. Install it.'));
    expect([available, reason]).toEqual([false, 'It is not there. Install it.']);
    await expect(list.require('tool', 'token')).rejects.toMatchObject({ code: 'provider_unavailable' });
  });

  it('is not stopped by what is a notice alone', async () => {
    const { find } = start({ requirements: [{ ...MISSING, severity: 'notice' }] });
    expect((await find('tool')).available).toBe(true);
  });
});

describe('a provider whose program the operator puts there', () => {
  it('can be used when it is there, and says until then what is to be done', async () => {
    const { list, find } = start();
    expect(await find('absent')).toMatchObject({
      available: false,
      reason: expect.stringContaining('puts the program into a folder "absent"') as string,
    });
    await expect(list.require('absent', 'vm_browser')).rejects.toMatchObject({ code: 'provider_unavailable' });
    mkdirSync(join(folder, 'absent'));
    expect(await find('absent')).toMatchObject({ available: true, reason: null });
    expect(await list.require('absent', 'vm_browser')).toBe('absent');
  });
});

describe('the suggested way', () => {
  it('is the one that this person used last', async () => {
    const { find } = start({ lastMode: 'token' });
    expect((await find('tool', 'ada')).suggestedMode).toBe('token');
  });

  it('is the definition’s first for a new person, and for one whose way is offered no longer', async () => {
    expect((await start().find('tool', 'ada')).suggestedMode).toBe('own_browser');
    expect((await start({ lastMode: 'device_code' }).find('tool', 'ada')).suggestedMode).toBe('own_browser');
  });

  it('is none for nobody, and none where nothing can be used', async () => {
    expect((await start({ lastMode: 'token' }).find('tool')).suggestedMode).toBeNull();
    expect((await start({ requirements: [MISSING] }).find('tool', 'ada')).suggestedMode).toBeNull();
  });
});

describe('a provider with a notice', () => {
  it('cannot be used until the operator has accepted it, and can then', async () => {
    const { find, list, notices } = start();
    const before = await find('noticed', 'ada');
    const reason = 'The operator has not accepted the notice of Noticed yet.';
    expect(before).toMatchObject({ available: false, reason, suggestedMode: null, modes: [{ reason }] });
    expect(before.notice).toMatchObject({ title: 'Read this', text: 'The words.', acceptedAt: null });
    await expect(list.require('noticed', 'vm_browser')).rejects.toMatchObject({
      code: 'provider_unavailable',
      detail: reason,
    });

    await notices.accept('noticed', before.notice?.hash ?? '', 'operator');
    expect(await find('noticed')).toMatchObject({
      available: true,
      notice: { acceptedAt: '1970-01-01T00:00:00.000Z' },
    });
    expect(await list.require('noticed', 'vm_browser')).toBe('noticed');
  });

  it('attack: a hash of another text, or of another provider, accepts nothing', async () => {
    const { find, notices } = start();
    const hash = (await find('noticed')).notice?.hash ?? '';
    await expect(notices.accept('noticed', `${hash}0`, 'operator')).rejects.toMatchObject({ code: 'notice_changed' });
    await expect(notices.accept('tool', hash, 'operator')).rejects.toMatchObject({ code: 'notice_changed' });
    expect((await find('noticed')).available).toBe(false);
  });
});

describe('a request for a provider', () => {
  it('names what is wrong with it', async () => {
    const { list } = start();
    await expect(list.require('nope', 'vm_browser')).rejects.toMatchObject({ code: 'unknown_provider' });
    await expect(list.require('tool', 'device_code')).rejects.toMatchObject({ code: 'mode_not_offered' });
  });

  it('that names no way gets the live view where there is one', () => {
    expect(start().list.defaultMode('tool')).toBe('vm_browser');
    expect(start().list.defaultMode('by_code')).toBe('device_code');
  });

  it('for its files gets those of its sign-in', () => {
    expect(start().list.files('tool')).toEqual({
      provider: 'tool',
      name: 'Tool',
      files: [{ path: '.tool/auth.json', format: 'json', required: ['token'] }],
    });
  });
});
