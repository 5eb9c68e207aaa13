import { expect, it } from 'vitest';
import type { BuildEvent } from './build-event.ts';
import { createBuildReport } from './build-report.ts';

const EVENTS: readonly BuildEvent[] = [
  { type: 'stage_started', stage: 'base' },
  ...[1, 19, 20, 21, 55, 99].map((percent): BuildEvent => ({
    type: 'stage_progressed',
    stage: 'base',
    percent,
    words: 'unpacking x',
  })),
  { type: 'stage_finished', stage: 'base', seconds: 12.34, isCached: false },
  { type: 'stage_started', stage: 'node' },
  { type: 'stage_finished', stage: 'node', seconds: 0, isCached: true },
  { type: 'warning', words: 'another version' },
];

function run(isJson: boolean, isTTY: boolean): { out: string; err: string } {
  const said = { out: '', err: '' };
  const out = { write: (text: string) => (said.out += text), isTTY, columns: 40 };
  const report = createBuildReport(isJson, out, { write: (text: string) => (said.err += text) });
  for (const event of EVENTS) report.tell(event);
  return said;
}

it('says in a log how far a stage is now and then, and how it ended', () => {
  expect(run(false, false)).toEqual({
    out: '  Debian packages: 20 %\n  Debian packages: 55 %\n  Debian packages: 99 %\n  Debian packages: 12.3 s\n  Node: unchanged\n',
    err: 'another version\n',
  });
});

it('says everything to a program, a line each', () => {
  const { out, err } = run(true, true);
  expect(
    out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  ).toEqual(EVENTS);
  expect(err).toBe('');
});

it('shows on a terminal one line that changes, never wider than the terminal', () => {
  const { out } = run(false, true);
  const drawn = out.replaceAll('\r\u001b[K', '\n').split('\n');
  expect(drawn).toContain('Debian packages 55 % (unpacking x)');
  expect(Math.max(...drawn.map((line) => line.length))).toBeLessThan(40);
});
