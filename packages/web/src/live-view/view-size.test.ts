import { expect, test } from 'vitest';
import { toViewSize } from './view-size.ts';

test('the remote screen takes exactly the room it has', () => {
  expect(toViewSize(1280.6, 700.2)).toEqual({ width: 1280, height: 700, shrunk: false });
});

test('on a phone it keeps the browser’s least width and the shape of its room', () => {
  expect(toViewSize(390, 600)).toEqual({ width: 500, height: 769, shrunk: true });
});

test('no room at all is still a valid size', () => {
  expect(toViewSize(0, 0)).toMatchObject({ width: 500, shrunk: true });
});
