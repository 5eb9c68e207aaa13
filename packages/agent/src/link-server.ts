/** The unix socket that the controller dials: each link is greeted, and what it says goes to the rules of `link-claims.ts`. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { Hello } from '@vestibule/protocol/agent-messages';
import { createLink, type Link } from './link.ts';
import { createLinkClaims, type LinkClaimsOptions } from './link-claims.ts';

export type LinkServer = {
  /** Ends every link after what was sent, and listens no more. */
  close: () => Promise<void>;
};

export type LinkServerOptions = LinkClaimsOptions & { path: string; hello: Hello };

const CLOSE_WITHIN_MS = 200;

export async function listenForLinks({ path, hello, ...claims }: LinkServerOptions): Promise<LinkServer> {
  const { outbox, log } = claims;
  const links = new Map<Socket, Link>();
  const take = createLinkClaims(claims);
  const server = createServer((socket) => {
    const link = createLink(socket, (self) => ({
      onMessage: (message) => take(self, message),
      onClosed: (why) => {
        links.delete(socket);
        outbox.detach(self.send);
        log('link ended', { why });
      },
    }));
    links.set(socket, link);
    link.send(hello);
  });
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  await chmod(path, 0o600);

  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const link of links.values()) link.close('the agent ends');
      const timer = setTimeout(() => {
        for (const socket of links.keys()) socket.destroy();
      }, CLOSE_WITHIN_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}
