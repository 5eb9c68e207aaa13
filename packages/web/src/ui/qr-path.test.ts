import { expect, test } from 'vitest';
import { toQrPath } from './qr-path.ts';

test('a link becomes squares inside a quiet zone of four modules, which cameras need on a dark page', () => {
  const { path, size } = toQrPath('https://sign-in.example.test/device') ?? { path: '', size: 0 };
  const places = [...path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(places.length).toBeGreaterThan(200);
  expect(Math.min(...places.flat())).toBe(4);
  expect(Math.max(...places.flat())).toBe(size - 5);
  expect(places[0]).toEqual([4, 4]);
});

test('a text that no code can hold has none', () => {
  expect(toQrPath('x'.repeat(8_000))).toBeNull();
});
