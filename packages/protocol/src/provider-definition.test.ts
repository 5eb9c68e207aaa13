import { expect, it } from 'vitest';
import { providerDefinitionSchema } from './provider-definition.ts';

const TOOL = {
  id: 'tool',
  name: 'Tool',
  description: 'A tool.',
  install: { kind: 'npm', package: 'tool', version: '1.2.3', bin: 'tool' },
  login: { args: ['login'] },
  credential: { files: [{ path: '.tool/auth.json', format: 'json', required: ['token'] }] },
};

function problemsOf(change: object): string[] {
  const parsed = providerDefinitionSchema.safeParse({ ...TOOL, ...change });
  return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

it('takes a definition with the least there is, offered in the live view', () => {
  const definition = providerDefinitionSchema.parse(TOOL);
  expect(definition).toMatchObject({ modes: ['vm_browser'], login: { io: 'pipes' }, success: { when: 'exit_zero' } });
});

it('lays nothing over the login of a way but what is written there', () => {
  const ways = {
    device_code: { login: { args: ['login', '--device'] }, codePattern: '[A-Z]{4}', urlPattern: 'https:' },
  };
  const definition = providerDefinitionSchema.parse({ ...TOOL, modes: ['device_code'], ways });
  expect(definition.ways.device_code?.login).toEqual({ args: ['login', '--device'] });
});

it.each([
  ['a way without its block', { modes: ['device_code'] }, 'modes: "device_code" needs a block ways.device_code'],
  [
    'a block of a way that is not offered',
    { ways: { own_browser: {} } },
    'ways.own_browser: add "own_browser" to modes',
  ],
  ['requests that are missing', { login: { io: 'json_rpc' } }, 'login.io: "json_rpc" needs requests in login.rpc'],
  ['a success that cannot be', { success: { when: 'rpc' } }, 'success.when: "rpc" needs login.io "json_rpc"'],
  ['a bad expression', { failures: [{ pattern: '(', code: 'cli_crashed' }] }, 'failures.0.pattern: not a regular'],
  ['a reason that does not exist', { failures: [{ pattern: 'x', code: 'oops' }] }, 'failures.0.code: Invalid option'],
])('refuses %s', (_, change, problem) => expect(problemsOf(change).join('\n')).toContain(problem));
