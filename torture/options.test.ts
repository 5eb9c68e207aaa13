import { expect, it } from 'vitest';
import { readOptions } from './options.ts';

it('takes kills, minutes with fractions and a seed, and has a default for each', () => {
  const argv = ['--kills', '25', '--minutes', '0.5', '--seed', '3'];
  expect(readOptions(argv)).toEqual({ kills: 25, minutes: 0.5, seed: 3 });
  expect(readOptions([])).toMatchObject({ kills: 500, minutes: 8 });
  expect(readOptions(['--help'])).toBeNull();
});

it.each([
  ['--kills', '0'],
  ['--kills', 'many'],
  ['--minutes', '0'],
  ['--minutes', '-1'],
  ['--seed', '1.5'],
  ['--sead', '1'],
])('refuses %s %s', (...argv) => {
  expect(() => readOptions(argv)).toThrow(argv[0]?.slice(2));
});
