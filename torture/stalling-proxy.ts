/** A relay between one controller and the database that can stop forwarding for a while: nothing breaks, nothing gets through. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type StallingProxy = {
  stall(): void;
  resume(): void;
  close(): void;
};

/** @param path the socket that is listened on, @param target the one that is relayed to */
export async function startStallingProxy(path: string, target: string): Promise<StallingProxy> {
  const pairs = new Map<Socket, Socket>();
  let isStalled = false;

  function join(from: Socket, to: Socket): void {
    pairs.set(from, to);
    from.on('error', () => from.destroy());
    from.on('close', () => {
      pairs.delete(from);
      to.destroy();
    });
    if (!isStalled) from.pipe(to);
  }
  const server = createServer((client) => {
    const upstream = connect(target);
    join(client, upstream);
    join(upstream, client);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    stall() {
      isStalled = true;
      for (const [from, to] of pairs) from.unpipe(to).pause();
    },
    resume() {
      isStalled = false;
      for (const [from, to] of pairs) from.pipe(to);
    },
    close() {
      server.close();
      for (const socket of pairs.keys()) socket.destroy();
    },
  };
}
