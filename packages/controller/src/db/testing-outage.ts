/** Test support: a relay before a test database that can be cut, as a database that goes down, and restored. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SocketConfig } from './connection-config.ts';

export type Outage = {
  /** To connect with instead of the database's own. */
  config: SocketConfig;
  /** Every connection breaks, and new ones break at once, until `restore`. */
  cut(): void;
  restore(): void;
  stop(): Promise<void>;
};

const toSocketPath = ({ host, port }: SocketConfig): string => join(host, `.s.PGSQL.${port}`);

export async function startOutageProxy(target: SocketConfig): Promise<Outage> {
  const config = { ...target, host: await mkdtemp(join(tmpdir(), 'vestibule-test-')) };
  const sockets = new Set<Socket>();
  let isCut = false;
  const listener = createServer((client) => {
    if (isCut) return void client.destroy();
    const server = connect(toSocketPath(target));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  listener.listen(toSocketPath(config));
  await once(listener, 'listening');
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    config,
    cut,
    restore: () => void (isCut = false),
    async stop() {
      cut();
      listener.close();
      await once(listener, 'close');
      await rm(config.host, { recursive: true });
    },
  };
}
