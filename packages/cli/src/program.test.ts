import { expect, test } from 'vitest';
import { CommanderError } from 'commander';
import { createProgram, type GlobalFlags } from './program.ts';

/** What a command line leads to: its global flags, or the words with which it is refused. */
async function parse(...argv: string[]): Promise<GlobalFlags | string> {
  let flags: GlobalFlags | null = null;
  const program = createProgram(async (given) => {
    flags = given;
  });
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
  return flags ?? 'nothing was run';
}

test('every command can be told the server, its token and JSON, before or after its name', async () => {
  const commands = [
    ['connect', 'codex'],
    ['import', 'codex'],
    ['providers', 'list'],
    ['providers', 'check', 'a.yaml', 'b.yaml'],
    ['providers', 'try', 'a.yaml'],
    ['providers', 'accept', 'codex'],
    ['sessions'],
    ['sessions', 'log', '0198c1f0-0000-7000-8000-000000000001'],
    ['credentials'],
    ['doctor'],
    ['doctor', 'container'],
  ];
  const flags = ['--json', '--server', 'https://a.test', '--token-file', '/t'];
  const expected = { json: true, server: 'https://a.test', tokenFile: '/t' };
  for (const command of commands) {
    expect(await parse(...flags, ...command)).toEqual(expected);
    expect(await parse(...command, ...flags)).toEqual(expected);
  }
});

test('what cannot be meant is refused in words', async () => {
  expect(await parse('conect', 'codex')).toMatch(/unknown command/);
  expect(await parse('connect')).toMatch(/missing required argument 'provider'/);
  expect(await parse('connect', 'codex', '--mode', 'telepathy')).toMatch(/Allowed choices are vm_browser, own_browser/);
  expect(await parse('connect', 'codex', '--user', 'a b')).toMatch(/letters, digits/);
  expect(await parse('providers', 'check')).toMatch(/missing required argument/);
  expect(await parse('doctor', 'incus')).toMatch(/Allowed choices are process, container, qemu, firecracker, fake/);
  expect(await parse('sessions', '--colour')).toMatch(/unknown option/);
});
