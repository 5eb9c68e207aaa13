/** A test fixture: two ends of one real connection, as a VM's display is. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export async function createSocketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const left = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [right] = (await accepted) as [Socket];
  server.close();
  for (const end of [left, right]) end.on('error', () => undefined);
  return [left, right];
}
