/**
 * The end of every build: each program that an image promises is run inside, as the person of a VM; then the agent itself, which starts
 * display, window manager and browser as in a VM, until the browser has painted its page and a viewer saw it.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { GUEST } from '../vm/guest.ts';
import { CHROMIUM, runInRoom, startInRoom, type ImageRoom } from './image-room.ts';
import { findScreenColour } from './screen-colour.ts';
import { connectWhenThere } from './socket-wait.ts';

type Tool = { name: string; argv: readonly string[]; version: RegExp };

const AGENT = join(GUEST.agentDir, 'agent.mjs');
const TRY_PTY = `const pty = require('module').createRequire('${AGENT}')('@lydell/node-pty').spawn('/bin/echo', ['pty works'], {});
pty.onData((text) => process.stdout.write(text)); pty.onExit(({ exitCode }) => process.exit(exitCode));`;

const TOOLS: readonly Tool[] = [
  { name: 'node', argv: [GUEST.node, '--version'], version: /^v(\S+)/ },
  { name: 'chromium', argv: [CHROMIUM, '--version'], version: /^Chromium (\S+)/m },
  { name: 'Xtigervnc', argv: ['/usr/bin/Xtigervnc', '-version'], version: /^Xvnc TigerVNC (\S+)/m },
  { name: 'openbox', argv: ['/usr/bin/openbox', '--version'], version: /^Openbox (\S+)/m },
  { name: 'socat', argv: ['/usr/bin/socat', '-V'], version: /^socat version (\S+)/m },
  { name: 'ip', argv: ['/usr/bin/ip', '-V'], version: /iproute2-([^\s,]+)/ },
  { name: 'busybox', argv: ['/bin/busybox'], version: /^BusyBox v(\S+)/m },
  { name: 'setpriv', argv: ['/usr/bin/setpriv', '--version'], version: /(\d[\d.]+)/ },
  { name: 'text font', argv: ['/usr/bin/fc-match', 'sans-serif'], version: /"(DejaVu Sans|Noto Sans)"/ },
  { name: 'emoji font', argv: ['/usr/bin/fc-match', 'emoji'], version: /"(Noto Color Emoji)"/ },
  {
    name: 'font cache',
    argv: ['/usr/bin/fc-cache', '--verbose'],
    version: /(?:^|\n)\/usr\/share\/fonts: (skipping, existing cache is valid)/,
  },
  { name: 'terminal', argv: [GUEST.node, '--eval', TRY_PTY], version: /(pty works)/ },
];

/** What each tool says of itself. Rejects with all that did not run. */
export async function checkTools(
  room: ImageRoom,
  onProgress: (words: string) => void,
): Promise<Record<string, string>> {
  const found = new Map<string, string>();
  const problems: string[] = [];
  for (const { name, argv, version } of TOOLS) {
    onProgress(name);
    const { exitCode, output } = await runInRoom(room, argv);
    const told = version.exec(output)?.[1];
    if (exitCode === 0 && told !== undefined) found.set(name, told);
    else problems.push(`${name} (${argv[0]}) ended with ${exitCode}: ${output.slice(-400) || 'it said nothing'}`);
  }
  if (problems.length > 0)
    throw new Error(`not all that an image promises runs inside of it:\n  ${problems.join('\n  ')}`);
  return Object.fromEntries(found);
}

const TIME_LIMIT_MS = 90_000;
/** Of the page that the agent's browser waits on. */
const PAGE_COLOUR = '#f5f6f8';
const helloSchema = z.object({ type: z.literal('hello'), buildId: z.string() });

/** Rejects unless the agent says that it is of this build and a viewer of its screen sees the browser's page. */
export async function checkAgent(room: ImageRoom, buildId: string): Promise<void> {
  const agent = startInRoom(room, [GUEST.node, AGENT]);
  let said = '';
  for (const stream of [agent.stdout, agent.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  const ended = new Promise<never>((_, reject) => {
    agent.once('error', reject);
    agent.once('close', (code) => reject(new Error(`it ended with ${code}`)));
  });
  const late = AbortSignal.timeout(TIME_LIMIT_MS);
  try {
    await Promise.race([ended, greetAgent(join(room.runDir, 'agent.sock'), buildId, late)]);
    await Promise.race([ended, findScreenColour(join(room.runDir, 'rfb.sock'), PAGE_COLOUR, late)]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the agent inside of the image does not work: ${why}\n${said.trim()}`, { cause: error });
  } finally {
    ended.catch(() => undefined);
    const isGone = agent.exitCode !== null || agent.signalCode !== null;
    if (!isGone) {
      agent.kill('SIGKILL');
      await new Promise((resolve) => agent.once('close', resolve));
    }
  }
}

/** The first line that an agent says, before anybody claims its VM. */
async function greetAgent(socketPath: string, buildId: string, late: AbortSignal): Promise<void> {
  const socket = await connectWhenThere(socketPath, late);
  const giveUp = (): void => void socket.destroy();
  late.addEventListener('abort', giveUp);
  try {
    let text = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.includes('\n')) break;
    }
    const hello = helloSchema.parse(JSON.parse(text.split('\n')[0] ?? ''));
    if (hello.buildId !== buildId) throw new Error('it is of another build than its file');
  } finally {
    late.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}
