import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { ChangeSignal } from './change-signal.ts';

const LONG_MS = 60_000;

describe('a change signal', () => {
  it('wakes everybody who waits for that session, and nobody else', async () => {
    const signal = new ChangeSignal(systemClock);
    const woken: string[] = [];
    const wait = (session: string, who: string): Promise<unknown> =>
      signal.wait(session, LONG_MS).then(() => woken.push(who));
    const both = Promise.all([wait('a', 'a1'), wait('a', 'a2')]);
    const other = wait('b', 'b1');
    signal.notify('a');
    await both;
    expect(woken).toEqual(['a1', 'a2']);
    signal.notify('b');
    await other;
  });

  it('resolves by itself after the time given', async () => {
    const signal = new ChangeSignal(systemClock);
    await expect(signal.wait('a', 1)).resolves.toBeUndefined();
  });

  it('wakes again who waits again', async () => {
    const signal = new ChangeSignal(systemClock);
    for (let turn = 0; turn < 3; turn += 1) {
      const waiting = signal.wait('a', LONG_MS);
      signal.notify('a');
      await expect(waiting).resolves.toBeUndefined();
    }
  });

  it('keeps who began to wait while others were being woken', async () => {
    const signal = new ChangeSignal(systemClock);
    const nested = signal.wait('a', LONG_MS).then(() => signal.wait('a', LONG_MS));
    signal.notify('a');
    await new Promise((resolve) => setImmediate(resolve));
    signal.notify('a');
    await expect(nested).resolves.toBeUndefined();
  });
});
