import { expect, it } from 'vitest';
import { createRandomness } from './randomness.ts';

const draw = (seed: number, name: string): number[] => {
  const random = createRandomness(seed).fork(name);
  return Array.from({ length: 5 }, () => random.between(0, 1_000_000));
};

it('follows from its seed, and each stream from its name', () => {
  expect(draw(1, 'hand')).toEqual(draw(1, 'hand'));
  expect(draw(1, 'hand')).not.toEqual(draw(2, 'hand'));
  expect(draw(1, 'hand')).not.toEqual(draw(1, 'people'));
});

it('chooses by weight, and never what has none', () => {
  const random = createRandomness(7);
  const counts = { often: 0, seldom: 0, never: 0 };
  for (let turn = 0; turn < 10_000; turn += 1) counts[random.weigh({ often: 9, seldom: 1, never: 0 })] += 1;
  expect(counts.never).toBe(0);
  expect(counts.often / counts.seldom).toBeGreaterThan(7);
  expect(counts.often / counts.seldom).toBeLessThan(12);
});
