import { expect, onTestFinished, test, vi } from 'vitest';
import { MissingProgramError, startLoginProcess } from './login-process.ts';
import { createFolder, writeProgram } from './testing-folder.ts';

async function start(io: 'pipes' | 'pty', script: string) {
  const folder = createFolder();
  let output = '';
  const process = await startLoginProcess({
    program: writeProgram(folder, script),
    args: ['one arg', '$HOME'],
    io,
    env: { PATH: '/usr/bin:/bin', HOME: folder },
    cwd: folder,
    createOutput: () => (chunk) => (output += chunk.toString()),
  });
  onTestFinished(process.stop);
  /** Resolves once the output has `text`. */
  const seen = (text: string): Promise<boolean> => vi.waitUntil(() => output.includes(text), 5000);
  return { process, seen };
}

test.each(['pipes', 'pty'] as const)('passes arguments, lines and the exit code over %s', async (io) => {
  const { process, seen } = await start(io, 'echo "got [$1] [$2]"; read -r line; echo "read [$line]"; exit 3');
  await seen('got [one arg] [$HOME]');
  expect(process.writeLine('a code#state')).toBe(true);
  await seen('read [a code#state]');
  await expect(process.exited).resolves.toEqual({ exitCode: 3, signal: null });
  expect(process.writeLine('too late')).toBe(false);
});

test('gives the CLI a terminal on a PTY, wide enough that no URL wraps, and none on pipes', async () => {
  const script = 'test -t 0 && echo "terminal $(stty size)" || echo "no terminal"';
  expect(await (await start('pty', script)).seen('terminal 50 4000')).toBe(true);
  expect(await (await start('pipes', script)).seen('no terminal')).toBe(true);
});

test('keeps the input open, so that a CLI that reads does not see its end', async () => {
  const { process, seen } = await start('pipes', 'echo ready; read -r line; echo "end $?"');
  await seen('ready');
  process.writeLine('');
  expect(await seen('end 0')).toBe(true);
});

test.each(['pipes', 'pty'] as const)('ends the CLI and what it started, over %s', async (io) => {
  const { process, seen } = await start(io, 'sleep 1000 & trap "" TERM; echo "child $!"; wait; wait; sleep 1000');
  await seen('child ');
  await process.stop();
  await expect(process.exited).resolves.toMatchObject({ signal: 'SIGKILL' });
});

test.each(['pipes', 'pty'] as const)('says that the program is missing, over %s', async (io) => {
  const options = { args: [], io, env: {}, cwd: '/', createOutput: () => () => undefined };
  await expect(startLoginProcess({ ...options, program: '/nowhere/cli' })).rejects.toThrow(MissingProgramError);
});
