import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SessionRow, VmRow } from '../session/session-row.ts';
import { createFindBlocker } from './callback-port.ts';
import { loadProviders } from './provider-registry.ts';
import { toDefinitionText } from './testing-definition.ts';

const folder = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const [id, port] of [
  ['fixed', 8976],
  ['fixed_too', 8976],
  ['other_port', 8977],
  ['random_port', null],
] as const) {
  writeFileSync(
    join(folder, `${id}.yaml`),
    toDefinitionText({ id, login: port === null ? '' : `callbackPort: ${port}` }),
  );
}
const registry = loadProviders([folder]);

const VM: VmRow = {
  vmId: 'vm_a_1',
  hostId: 'host_a',
  runtime: 'process',
  slot: 0,
  state: 'claimed',
  epoch: 1,
  createdAt: new Date(0),
  destroyAt: null,
  exitCode: null,
  exitReason: null,
  exitedAt: null,
};

function toRow(sessionId: string, provider: string, vm: VmRow | null): SessionRow {
  return {
    sessionId,
    provider,
    vm,
    mode: 'vm_browser',
    status: 'started',
    createdAt: new Date(Number(sessionId)),
  } as SessionRow;
}

describe('the callback port', () => {
  const mine = toRow('2', 'fixed', null);

  it.each([
    ['the same program', 'fixed', true],
    ['another program with the same port', 'fixed_too', true],
    ['a program with another port', 'other_port', false],
    ['a program that takes any port', 'random_port', false],
    ['a program that is no longer offered', 'unknown', false],
  ])('is waited for while a sign-in with a VM runs %s: %s %s', (_what, provider, isHeld) => {
    const words = createFindBlocker(registry, true)(mine, [mine, toRow('1', provider, VM)]);
    if (isHeld) expect(words).toContain('port 8976');
    else expect(words).toBeNull();
  });

  it('is not waited for by, nor because of, a sign-in that has no callback', () => {
    const byCode = (row: SessionRow): SessionRow => ({ ...row, mode: 'device_code' });
    const holder = toRow('1', 'fixed', VM);
    const findBlocker = createFindBlocker(registry, true);
    expect(findBlocker(byCode(mine), [mine, holder])).toBeNull();
    expect(findBlocker(mine, [mine, byCode(holder)])).toBeNull();
  });

  it('is not waited for where every VM has a loopback of its own', () => {
    expect(createFindBlocker(registry, false)(mine, [mine, toRow('1', 'fixed', VM)])).toBeNull();
  });

  it('does not hold up the sign-in that has it', () => {
    const holder = toRow('1', 'fixed', VM);
    expect(createFindBlocker(registry, true)(holder, [holder])).toBeNull();
  });
});
