/**
 * A plain TCP proxy before several controllers, as a load balancer: a connection goes to the first controller that takes it, in an order
 * that the test may change. Notes from where event streams were resumed.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const RESUMED = /\r\nlast-event-id: *(\d+)\r\n/gi;

export type SwitchingProxy = {
  origin: string;
  /** New connections go to these ports, the first first; connections that are open stay. */
  prefer(ports: readonly number[]): void;
  /** The `Last-Event-ID` of each request that had one. */
  resumed: number[];
  close(): Promise<void>;
};

async function reach(ports: readonly number[]): Promise<Socket | null> {
  for (const port of ports) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      socket.destroy();
    }
  }
  return null;
}

export async function startSwitchingProxy(): Promise<SwitchingProxy> {
  let ports: readonly number[] = [];
  const resumed: number[] = [];
  const sockets = new Set<Socket>();

  async function carry(client: Socket): Promise<void> {
    client.pause().on('error', () => client.destroy());
    const server = await reach(ports);
    if (server === null) return void client.destroy();
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => from.destroy());
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    client.on('data', (chunk: Buffer) => {
      for (const [, seq] of chunk.toString('latin1').matchAll(RESUMED)) resumed.push(Number(seq));
    });
  }

  const listener = createServer((client) => void carry(client)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    origin: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    prefer: (order) => void (ports = order),
    resumed,
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** A port that nothing listens on now. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
