/** The client of QEMU's machine protocol, over a stream that says what QEMU says. */
import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { createDuplexPair } from '../fake/duplex-pair.ts';
import { createQmpClient, type QmpEvent } from './qmp-client.ts';

const GREETING = '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}\r\n';

function open() {
  const [near, far] = createDuplexPair();
  const events: QmpEvent[] = [];
  const client = createQmpClient(near, (event) => events.push(event));
  return { far, events, client };
}

it('executes commands in order, past the greeting and events in between', async () => {
  const { far, events, client } = open();
  const answers = Promise.all([client.execute('qmp_capabilities'), client.execute('quit')]);
  const [asked] = (await once(far, 'data')) as [Buffer];
  expect(String(asked)).toBe('{"execute":"qmp_capabilities"}\n');
  far.write(`${GREETING}{"return": {}}\r\n`);
  far.write('{"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 2}}\r\n');
  far.write('{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"return": {"a": 1}}\r\n');
  expect(await answers).toEqual([{}, { a: 1 }]);
  expect(events).toEqual([{ event: 'SHUTDOWN', data: { guest: true, reason: 'guest-reset' } }]);
});

it("rejects with QEMU's words", async () => {
  const { far, client } = open();
  const refused = client.execute('cont');
  far.write('{"error": {"class": "GenericError", "desc": "Resetting the Virtual Machine is required"}}\r\n');
  await expect(refused).rejects.toThrow('QEMU refused: Resetting the Virtual Machine is required');
});

it('rejects what was not answered when QEMU ends', async () => {
  const { far, client } = open();
  const lost = client.execute('quit');
  far.end('{"event": "SHUTD');
  await expect(lost).rejects.toThrow('QEMU ended before it answered');
});

it('hears of a guest that opens and closes a port', async () => {
  const { far, events } = open();
  far.write('{"event": "VSERPORT_CHANGE", "data": {"open": true, "id": "vestibule.channels"}}\r\n');
  await vi.waitFor(() =>
    expect(events).toEqual([{ event: 'VSERPORT_CHANGE', data: { open: true, id: 'vestibule.channels' } }]),
  );
});
