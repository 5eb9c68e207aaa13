/** The fake display, spoken to as a viewer speaks RFB 3.8. */
import type { Duplex } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { createDuplexPair } from './duplex-pair.ts';
import { FakeDisplay } from './fake-display.ts';
import { PICTURE } from './fake-picture.ts';

/** noVNC's: red in the lowest byte. */
const PIXEL_FORMAT = Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]);
const POINTER = (buttons: number) => Buffer.from([5, buttons, 0, 100, 0, 100]);
const UPDATE = (incremental: 0 | 1) => Buffer.from([3, incremental, 0, 0, 0, 0, 3, 32, 1, 244]);
const FRAME_BYTES = 16 + PICTURE.width * PICTURE.height * 4;

async function read(stream: Duplex, bytes: number): Promise<Buffer> {
  for (;;) {
    const chunk = stream.read(bytes) as Buffer | null;
    if (chunk !== null) return chunk;
    await new Promise((resolve) => stream.once('readable', resolve));
  }
}

async function open(display: FakeDisplay): Promise<Duplex> {
  const [ours, theirs] = createDuplexPair();
  display.accept(theirs);
  expect((await read(ours, 12)).toString()).toBe('RFB 003.008\n');
  ours.write('RFB 003.008\n');
  expect([...(await read(ours, 2))]).toEqual([1, 1]);
  ours.write(Buffer.from([1]));
  expect((await read(ours, 4)).readUInt32BE(0)).toBe(0);
  ours.write(Buffer.from([1]));
  const init = await read(ours, 24);
  expect([init.readUInt16BE(0), init.readUInt16BE(2)]).toEqual([PICTURE.width, PICTURE.height]);
  await read(ours, init.readUInt32BE(20));
  return ours;
}

const groundOf = (frame: Buffer): number[] => [...frame.subarray(16, 19)];

it('shows a blue picture with white letters, then a green one at once', async () => {
  const display = new FakeDisplay(() => display.show('signed_in'));
  const viewer = await open(display);
  viewer.write(Buffer.concat([PIXEL_FORMAT, UPDATE(0)]));
  const waiting = await read(viewer, FRAME_BYTES);
  expect(groundOf(waiting)).toEqual([36, 52, 84]);
  expect(waiting.includes(Buffer.from([255, 255, 255, 0]))).toBe(true);
  viewer.write(UPDATE(1));
  viewer.write(POINTER(1));
  expect(groundOf(await read(viewer, FRAME_BYTES))).toEqual([22, 128, 60]);
});

it('takes a pressed button and a pressed key for input, a moved pointer and pasted text for none', async () => {
  const onInput = vi.fn<() => void>();
  const viewer = await open(new FakeDisplay(onInput));
  const paste = Buffer.from([6, 0, 0, 0, 0, 0, 0, 2, 104, 105]);
  viewer.write(Buffer.concat([POINTER(0), paste, Buffer.from([4, 0, 0, 0, 0, 0, 0, 97])]));
  await new Promise(setImmediate);
  expect(onInput).not.toHaveBeenCalled();
  viewer.write(POINTER(4));
  viewer.write(Buffer.from([4, 1, 0, 0, 0, 0, 0, 97]));
  await vi.waitFor(() => expect(onInput).toHaveBeenCalledTimes(2));
});

it('understands messages that arrive byte by byte, and drops a viewer that sends nonsense', async () => {
  const viewer = await open(new FakeDisplay(() => undefined));
  for (const byte of Buffer.concat([PIXEL_FORMAT, UPDATE(0)])) viewer.write(Buffer.from([byte]));
  expect((await read(viewer, FRAME_BYTES)).length).toBe(FRAME_BYTES);
  viewer.write(Buffer.from([99]));
  await new Promise((resolve) => viewer.resume().once('end', resolve));
});
