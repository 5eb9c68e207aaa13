import type { Provider } from '@vestibule/protocol/api';
import { MODES, type Mode } from '@vestibule/protocol/session';
import { expect, test } from 'vitest';
import { toOrderedWays, WAY_WORDS } from './way-words.ts';

const toModes = (...modes: Mode[]): Provider['modes'] =>
  modes.map((mode) => ({ mode, available: true, reason: null, hint: null }));
const order = (provider: Pick<Provider, 'modes' | 'suggestedMode'>, hasPasskey = false): Mode[] =>
  toOrderedWays(provider, hasPasskey).map(({ mode }) => mode);

test('what the server suggests comes first, the rest as the definition has it', () => {
  const modes = toModes('vm_browser', 'own_browser', 'device_code');
  expect(order({ modes, suggestedMode: 'device_code' })).toEqual(['device_code', 'vm_browser', 'own_browser']);
  expect(order({ modes, suggestedMode: null })).toEqual(['vm_browser', 'own_browser', 'device_code']);
});

test('who signs in with a passkey or a managed device is led to the own browser, also before what worked last', () => {
  const modes = toModes('vm_browser', 'device_code', 'own_browser');
  expect(order({ modes, suggestedMode: 'device_code' }, true)).toEqual(['own_browser', 'device_code', 'vm_browser']);
});

test('a way that cannot be used here now is not offered, though it was suggested', () => {
  const [browser, code] = toModes('vm_browser', 'device_code');
  const modes = [{ ...browser!, available: false }, code!];
  expect(order({ modes, suggestedMode: 'vm_browser' }, true)).toEqual(['device_code']);
});

test('only where one types into this page is it said that what one types passes through this server', () => {
  for (const mode of MODES) expect(WAY_WORDS[mode].passes).toMatch(/passes through (?:this server|it)/);
  expect(WAY_WORDS.own_browser.passes).toMatch(/^Your password stays/);
  expect(WAY_WORDS.device_code.passes).toMatch(/Nothing that you type there passes/);
});
