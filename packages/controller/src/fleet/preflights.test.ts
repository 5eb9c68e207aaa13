import { expect, it } from 'vitest';
import type { Requirement } from '@vestibule/protocol/api';
import { createPreflights } from './preflights.ts';

const IMAGE: Requirement = { id: 'image', title: 'There is no image', hint: 'Build one.', severity: 'missing' };
const SLOW: Requirement = { id: 'emulation', title: 'It is slow', hint: 'Use KVM.', severity: 'notice' };

/** `costMs`: how long a look takes. */
function start(found: Requirement[], costMs: number) {
  const state = { nowMs: 0, looks: 0, found };
  const lines: string[] = [];
  const preflights = createPreflights({
    async preflight() {
      state.looks += 1;
      state.nowMs += costMs;
      return state.found;
    },
    clock: { nowMs: () => state.nowMs },
    log: {
      info: (...words: unknown[]) => void lines.push(`info ${String(words.at(-1))}`),
      warn: (...words: unknown[]) => void lines.push(`warn ${String(words.at(-1))}`),
    },
  });
  return { preflights, state, lines };
}

it('looks at once, and says what is missing, once', async () => {
  const { preflights, state, lines } = start([SLOW, IMAGE], 100);
  await preflights.first;
  state.nowMs += 20_000;
  expect(await preflights.read()).toEqual([SLOW, IMAGE]);
  expect(state.looks).toBe(2);
  expect(lines).toEqual(['warn no sign-in can run: There is no image']);
});

it('says when nothing is missing any more', async () => {
  const { preflights, state, lines } = start([IMAGE], 100);
  await preflights.first;
  [state.nowMs, state.found] = [20_000, [SLOW]];
  expect(await preflights.read()).toEqual([SLOW]);
  expect(lines.at(-1)).toBe('info nothing is missing any more: sign-ins can run');
});

it('keeps a look for ten seconds, one that was dear for longer, and shares one that is under way', async () => {
  const { preflights, state } = start([], 5_000);
  await Promise.all([preflights.first, preflights.read(), preflights.read()]);
  state.nowMs += 90_000;
  await preflights.read();
  expect(state.looks).toBe(1);
  state.nowMs += 20_000;
  await preflights.read();
  expect(state.looks).toBe(2);
});
