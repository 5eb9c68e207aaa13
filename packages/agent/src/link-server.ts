/**
 * The unix socket that the controller dials, and which of its links counts: the claimed one with the highest epoch. Each link is greeted,
 * must claim before anything else, and fences the older one; a claim for another session is refused.
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { LINK_VERSION, type ControllerMessage, type Hello } from '@vestibule/protocol/agent-messages';
import { createLink, type Link } from './link.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';

export type Claim = Extract<ControllerMessage, { type: 'claim' }>;
export type Command = Exclude<ControllerMessage, { type: 'claim' }>;

export type LinkServer = {
  /** Ends every link after what was sent, and listens no more. */
  close: () => Promise<void>;
};

export type LinkServerOptions = {
  path: string;
  hello: Hello;
  outbox: Outbox;
  /** Called at the first claim only; later ones resume the same session. */
  onClaim: (claim: Claim) => void;
  /** Called for messages of the link that counts, in order. */
  onCommand: (command: Command) => void;
  log: Log;
};

const CLOSE_WITHIN_MS = 200;

export async function listenForLinks({
  path,
  hello,
  outbox,
  onClaim,
  onCommand,
  log,
}: LinkServerOptions): Promise<LinkServer> {
  const links = new Map<Socket, Link>();
  let sessionId: string | null = null;
  let newest: { link: Link; epoch: number } | null = null;

  const findRefusal = (claim: Claim): string | null => {
    if (claim.version !== LINK_VERSION) return `it speaks version ${claim.version}, not ${LINK_VERSION}`;
    if (sessionId !== null && claim.sessionId !== sessionId) return 'it claimed another session';
    if (newest && claim.epoch <= newest.epoch) return `its epoch ${claim.epoch} is not newer than ${newest.epoch}`;
    return null;
  };
  const accept = (link: Link, claim: Claim): void => {
    const refusal = findRefusal(claim);
    if (refusal !== null) {
      log('claim refused', { why: refusal });
      link.close(refusal);
      return;
    }
    newest?.link.close('a newer link took over');
    newest = { link, epoch: claim.epoch };
    log('link claimed', { epoch: claim.epoch, again: sessionId !== null });
    outbox.attach(link.send);
    if (sessionId !== null) return;
    sessionId = claim.sessionId;
    onClaim(claim);
  };
  const onMessage = (link: Link, message: ControllerMessage): void => {
    if (message.type === 'claim') accept(link, message);
    else if (newest?.link === link) onCommand(message);
    else link.close('it spoke before its claim');
  };

  const server = createServer((socket) => {
    const link = createLink(socket, (self) => ({
      onMessage: (message) => onMessage(self, message),
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
