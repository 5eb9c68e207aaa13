import { expect, test } from 'vitest';
import type { ChildExit } from './child.ts';
import type { CredentialReading } from './credential-file.ts';
import { judge } from './verdict.ts';

const complete: CredentialReading = { path: 'a', state: 'complete', bytes: Buffer.from('a'), document: 'a' };
const absent: CredentialReading = { path: 'b', state: 'absent' };
const blank: CredentialReading = { path: 'b', state: 'incomplete', problem: 'blank_field', detail: 'token in b' };
const ended = (exitCode: number): ChildExit => ({ exitCode, signal: null });
const killed: ChildExit = { exitCode: null, signal: 'SIGKILL' };
const base = { when: 'exit_zero', exit: null, readings: [complete], settled: true } as const;

test('completes when the CLI ended with 0 and every file is complete', () => {
  expect(judge({ ...base, exit: ended(0) })).toMatchObject({
    kind: 'complete',
    evidence: ['files_complete', 'cli_exit_zero'],
  });
});

test('waits for the CLI to end, although the files are complete', () => {
  expect(judge(base)).toEqual({ kind: 'wait' });
});

test('completes while the CLI runs, where its files suffice and have settled', () => {
  expect(judge({ ...base, when: 'files' })).toMatchObject({ kind: 'complete', evidence: ['files_complete'] });
  expect(judge({ ...base, when: 'files', settled: false })).toEqual({ kind: 'wait' });
  expect(judge({ ...base, when: 'files', readings: [complete, absent] })).toEqual({ kind: 'wait' });
});

test.each([
  [ended(1), '1'],
  [ended(41), '41'],
  [killed, 'SIGKILL'],
])('fails when the CLI ended with %j, although its files are complete', (exit, detail) => {
  for (const when of ['exit_zero', 'files'] as const) {
    expect(judge({ ...base, when, exit })).toMatchObject({ kind: 'fail', code: 'cli_exited', detail });
  }
});

test('a partial file is no error while the CLI runs, and one when it has ended', () => {
  expect(judge({ ...base, readings: [complete, blank] })).toEqual({ kind: 'wait' });
  expect(judge({ ...base, readings: [complete, blank], exit: ended(0) })).toMatchObject({
    kind: 'fail',
    code: 'credential_blank',
    detail: 'token in b',
  });
});

test.each([
  ['unreadable', 'credential_unreadable'],
  ['not_a_file', 'credential_unreadable'],
  ['too_large', 'credential_too_large'],
] as const)('names a file that is %s', (problem, code) => {
  const reading: CredentialReading = { path: 'b', state: 'incomplete', problem, detail: 'b' };
  expect(judge({ ...base, readings: [reading], exit: ended(0) })).toMatchObject({ kind: 'fail', code });
});

test('fails when the CLI ended with 0 and wrote nothing', () => {
  expect(judge({ ...base, readings: [absent], exit: ended(0) })).toMatchObject({ code: 'cli_exited', detail: '0' });
});

test("completes by a CLI's own word over JSON-RPC, with complete files, and by neither alone", () => {
  const rpc = { ...base, when: 'rpc', isRpcDone: true } as const;
  expect(judge(rpc)).toMatchObject({ kind: 'complete', evidence: ['files_complete', 'cli_rpc_ok'] });
  expect(judge({ ...rpc, exit: ended(0) })).toMatchObject({ evidence: ['files_complete', 'cli_rpc_ok'] });
  expect(judge({ ...rpc, readings: [complete, absent] })).toEqual({ kind: 'wait' });
  expect(judge({ ...rpc, isRpcDone: false })).toEqual({ kind: 'wait' });
  expect(judge({ ...rpc, isRpcDone: false, exit: ended(0) })).toMatchObject({ kind: 'fail', code: 'cli_exited' });
  expect(judge({ ...rpc, exit: ended(1) })).toMatchObject({ kind: 'fail', code: 'cli_exited', detail: '1' });
});

test('waits no longer when nothing more is to come', () => {
  for (const when of ['files', 'rpc'] as const) {
    const last = { ...base, when, isRpcDone: true, isFinal: true };
    expect(judge({ ...last, readings: [complete, blank] })).toMatchObject({ kind: 'fail', code: 'credential_blank' });
    expect(judge({ ...last, readings: [absent] })).toMatchObject({ kind: 'fail', code: 'cli_exited' });
    expect(judge(last)).toMatchObject({ kind: 'complete' });
  }
});
