import { describe, expect, it } from 'vitest';
import { findCallbackPort, toLoginPlan } from './login-plan.ts';
import { toDefinition } from './testing-definition.ts';

const definition = toDefinition({
  login: 'callbackPort: 1455\n  environment: { A: a }\n  dialogue: [{ expect: Ready, send: go }]',
  more: `modes: [vm_browser, own_browser, device_code, token]
version: { args: [--version], pattern: '(.*)' }
ways:
  device_code:
    login: { args: [login, --device-auth], environment: {} }
    codePattern: '[A-Z]{4}'
    urlPattern: 'https://\\S+'
  token:
    kinds:
      - { id: key, name: Key, hint: From the console., input: stdin }
      - { id: web, name: Web, hint: From the web., input: stdin, login: { callbackPort: 99 } }
failures:
  - { pattern: everywhere, code: sign_in_denied }
  - { pattern: only there, code: sign_in_denied, modes: [device_code] }`,
});

describe('the login plan', () => {
  it('in a browser is the definition’s own, the same in the VM and in the person’s', () => {
    const plan = toLoginPlan(definition, 'vm_browser', '/opt/tool');
    expect(plan).toMatchObject({
      provider: 'tool',
      program: '/opt/tool',
      pinnedVersion: '1.2.3',
      login: { args: ['login'], callbackPort: 1455 },
      version: { args: ['--version'] },
    });
    expect(toLoginPlan(definition, 'own_browser', '/opt/tool')).toEqual(plan);
  });

  it('with a device code has each key that is given in the place of the whole key', () => {
    const { login } = toLoginPlan(definition, 'device_code', '/opt/tool');
    expect(login).toMatchObject({ args: ['login', '--device-auth'], environment: {}, io: 'pipes' });
    expect(login.environment).toEqual({});
    expect(login.dialogue).toEqual([{ expect: 'Ready', send: 'go' }]);
  });

  it('holds only the failures that its way can have', () => {
    const patterns = (mode: 'vm_browser' | 'device_code'): string[] =>
      toLoginPlan(definition, mode, '/opt/tool').failures.map(({ pattern }) => pattern);
    expect(patterns('vm_browser')).toEqual(['everywhere']);
    expect(patterns('device_code')).toEqual(['everywhere', 'only there']);
  });

  it('leaves a definition without other ways as it is', () => {
    const plain = toDefinition();
    expect(toLoginPlan(plain, 'vm_browser', '/opt/tool').login).toEqual(plain.login);
  });
});

describe('the callback port', () => {
  it('is taken by sign-ins with a browser, and by other ways only when they name one', () => {
    expect(
      (['vm_browser', 'own_browser', 'device_code', 'token'] as const).map((mode) =>
        findCallbackPort(definition, mode),
      ),
    ).toEqual([1455, 1455, undefined, 99]);
    expect(toLoginPlan(definition, 'device_code', '/opt/tool').login).not.toHaveProperty('callbackPort');
  });
});
