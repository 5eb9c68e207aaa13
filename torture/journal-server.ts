/**
 * Where scripted CLIs are told what to do and say what they do, before they do it. It listens on a socket in the folder of the browser's
 * stand-in, which every VM sees: the product has no part in it.
 */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Behaviour } from './behaviours.ts';
import type { Journal } from './journal.ts';

type Said = { type: 'started'; vmId: string } | { type: 'about_to'; index: number };

export type JournalServerOptions = { path: string; journal: Journal; nextBehaviour: () => Behaviour };

export async function startJournalServer(options: JournalServerOptions): Promise<{ close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    const hear = createListener(options);
    createInterface({ input: socket })
      .on('line', (line) => socket.write(`${JSON.stringify(hear(JSON.parse(line) as Said))}\n`))
      .on('error', () => undefined);
  });
  server.listen(options.path);
  await once(server, 'listening');
  // CLIs are other users.
  chmodSync(options.path, 0o666);
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One CLI's; returns what it is answered. */
function createListener({ journal, nextBehaviour }: JournalServerOptions): (said: Said) => object {
  let vmId = '';
  let behaviour: Behaviour | null = null;
  return (said) => {
    if (said.type === 'started') {
      vmId = said.vmId;
      behaviour = nextBehaviour();
      journal.note({ type: 'cli_started', vmId, behaviour: behaviour.name });
      return { steps: behaviour.steps };
    }
    const step = behaviour?.steps[said.index];
    if (step?.do === 'write') {
      const { do: _, ...write } = step;
      journal.note({ type: 'cli_writes', vmId, write });
    }
    if (step?.do === 'exit') journal.note({ type: 'cli_exits', vmId, exitCode: step.code });
    return {};
  };
}
