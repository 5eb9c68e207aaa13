import type { AgentMessage } from '@vestibule/protocol/agent-messages';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { toDeviceOffer, toTokenOffer } from './offer-maker.ts';
import { createOutbox } from './outbox.ts';

function toNewLink(outbox: ReturnType<typeof createOutbox>): AgentMessage[] {
  const heard: AgentMessage[] = [];
  outbox.attach((message) => heard.push(message));
  return heard;
}

test('a new link is told the time that is left for a device code', async () => {
  const outbox = createOutbox();
  outbox.post({ type: 'offer', offer: toDeviceOffer({ code: 'ABCD', url: 'https://id.example/device' }, 60) });
  const left: number[] = [];
  for (let link = 0; link < 3; link += 1) {
    await delay(5);
    for (const message of toNewLink(outbox)) if (message.type === 'offer') left.push(message.offer.validForMs ?? -1);
  }
  expect(left).toEqual([...left].sort((a, b) => b - a));
  expect(left[2]).toBeLessThan(59_995);
  expect(left[0]).toBeGreaterThan(0);
});

test('tells no new link of the way that was left', () => {
  const outbox = createOutbox();
  outbox.post({ type: 'offer', offer: toTokenOffer() });
  outbox.post({ type: 'output', n: 1, text: 'a' });
  outbox.forget('offer');
  expect(toNewLink(outbox)).toEqual([{ type: 'output', n: 1, text: 'a' }]);
});
