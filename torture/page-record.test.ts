/** A page's record finds what is wrong with what it was told, and nothing in a true story. */
import { expect, it } from 'vitest';
import type { SessionPush } from '@vestibule/protocol/api';
import type { Status } from '@vestibule/protocol/session';
import { PageRecord } from './page-record.ts';

const toPush = (status: Status, seq: number, steps: number[]): SessionPush =>
  ({ session: { status, seq }, steps: steps.map((step) => ({ seq: step })) }) as unknown as SessionPush;

function tell(...pushes: SessionPush[]): { record: PageRecord; problems: string[] } {
  const problems: string[] = [];
  const record = new PageRecord((problem) => problems.push(problem));
  for (const push of pushes) record.take(push);
  return { record, problems };
}

it('finds nothing wrong with steps in order, told once, over several connections', () => {
  const told = tell(
    toPush('started', 2, [1, 2]),
    toPush('started', 2, []),
    toPush('completed', 4, [3, 4]),
    toPush('completed', 5, [5]),
  );
  told.record.end();
  expect(told.problems).toEqual([]);
  expect(told.record).toMatchObject({ seq: 5, outcome: 'completed', isOver: true });
});

it.each([
  ['a step that is missing', 'gap', [toPush('started', 1, [1]), toPush('started', 3, [3])]],
  ['a state whose steps are missing', 'gap', [toPush('started', 1, [1]), toPush('started', 2, [])]],
  ['a step told twice', 'repeat', [toPush('started', 2, [1, 2]), toPush('started', 2, [2])]],
  ['an outcome that changes', 'reversal', [toPush('failed', 1, [1]), toPush('completed', 2, [2])]],
  ['an outcome that is taken back', 'reversal', [toPush('completed', 1, [1]), toPush('started', 2, [2])]],
])('finds %s', (_what, problem, pushes) => {
  expect(tell(...pushes).problems).toEqual([problem]);
});

it('finds an end without an outcome', () => {
  const told = tell(toPush('started', 1, [1]));
  told.record.end();
  expect(told.problems).toEqual(['gap']);
});
