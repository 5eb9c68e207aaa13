/**
 * The stack without Vestibule: Xtigervnc, openbox and Chromium, with the agent's own switches and the VM's managed policy, as an
 * unprivileged user, opening the same sign-in page from a server that already runs. What the product's time is compared with.
 *
 * The policy is bound in a mount namespace made before the clock starts; entering it costs Chromium about 2 ms.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stopGroup } from '../../packages/agent/src/child.ts';
import { toChromiumArguments } from '../../packages/agent/src/chromium-arguments.ts';
import {
  DISPLAY_PROGRAM,
  toAuthority,
  toDisplayArguments,
  WINDOW_MANAGER_PROGRAM,
} from '../../packages/agent/src/display.ts';
import { OPENBOX_CONFIG } from '../../packages/agent/src/openbox-config.ts';
import { findProductFolder } from '../../packages/controller/src/product-folder.ts';
import { clickIntoField } from './click.ts';
import { nowMs } from './measures.ts';
import { RfbViewer } from './rfb-viewer.ts';

/** Milliseconds from the start of X. */
export type BareRun = { x: number; painted: number; click: number; missedClicks: number };

export type BareStack = { run(): Promise<BareRun>; close(): Promise<void> };

const CHROMIUM = '/usr/lib/chromium/chromium';
/** Any uid that is nobody's. */
const UID = 29_572;
const isRoot = process.geteuid?.() === 0;
const identity = isRoot ? { uid: UID, gid: UID } : {};

async function servePage(): Promise<{ url: string; close(): void }> {
  const module = new URL('../../providers/demo/pages.mjs', import.meta.url).href;
  const { toSignInPage } = (await import(module)) as { toSignInPage(options: { request: string }): string };
  const page = toSignInPage({ request: 'bench' });
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Holds a mount namespace with the policy; resolves with the argv that enters it and becomes the user. */
async function holdPolicy(): Promise<{ enter: string[]; close(): Promise<void> }> {
  const { policyFile } = findProductFolder();
  const preferences = '/etc/chromium/master_preferences';
  const binds = ['--tmpfs', '/etc/chromium', '--ro-bind-try', preferences, preferences];
  const policy = ['--ro-bind', policyFile, '/etc/chromium/policies/managed/vestibule.json'];
  const sandbox = ['--die-with-parent', '--json-status-fd', '3', '--dev-bind', '/', '/', ...binds, ...policy];
  const holder = spawn('bwrap', [...sandbox, '--', 'sleep', 'infinity'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const [line] = (await once(createInterface({ input: holder.stdio[3] as Readable }), 'line')) as [string];
  const pid = (JSON.parse(line) as { 'child-pid': number })['child-pid'];
  const become = isRoot ? ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', '--'] : [];
  const user = isRoot ? [] : [`--user=/proc/${pid}/ns/user`, '--preserve-credentials'];
  return {
    enter: ['nsenter', ...user, `--mount=/proc/${pid}/ns/mnt`, '--', ...become],
    async close() {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    },
  };
}

function makeFolder(): string {
  // Memory, as in the VM.
  const dir = mkdtempSync('/dev/shm/vestibule-bare-');
  writeFileSync(join(dir, 'Xauthority'), toAuthority(randomBytes(16)), { mode: 0o600 });
  writeFileSync(join(dir, 'openbox.xml'), OPENBOX_CONFIG, { mode: 0o600 });
  mkdirSync(join(dir, 'profile'), { mode: 0o700 });
  if (isRoot) for (const path of ['', 'Xauthority', 'openbox.xml', 'profile']) chownSync(join(dir, path), UID, UID);
  return dir;
}

export async function createBareStack(): Promise<BareStack> {
  const page = await servePage();
  const policy = await holdPolicy();

  async function runIn(dir: string, children: ChildProcess[]): Promise<BareRun> {
    const [authority, rfbSocket] = [join(dir, 'Xauthority'), join(dir, 'rfb.sock')];
    const start = (argv: readonly string[], env: Record<string, string>, options: SpawnOptions = {}): ChildProcess => {
      const all = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: dir, ...env };
      const child = spawn(argv[0]!, argv.slice(1), { cwd: dir, env: all, detached: true, stdio: 'ignore', ...options });
      children.push(child);
      return child;
    };
    const startedAt = nowMs();
    const display = start(
      [DISPLAY_PROGRAM, ...toDisplayArguments(authority, rfbSocket)],
      {},
      {
        ...identity,
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      },
    );
    const [number] = (await once(display.stdio[3] as Readable, 'data')) as [Buffer];
    const x = nowMs() - startedAt;
    const env = { DISPLAY: `:${Number.parseInt(number.toString(), 10)}`, XAUTHORITY: authority };
    const openbox = ['--sm-disable', '--config-file', join(dir, 'openbox.xml')];
    start([WINDOW_MANAGER_PROGRAM, ...openbox], env, identity);
    start([...policy.enter, CHROMIUM, ...toChromiumArguments(join(dir, 'profile'), page.url)], env);
    const viewer = await RfbViewer.open(connect(rfbSocket));
    const { paintedAtMs, clickedAtMs, missedClicks } = await clickIntoField(viewer);
    return { x, painted: paintedAtMs - startedAt, click: clickedAtMs - startedAt, missedClicks };
  }

  return {
    async run() {
      const dir = makeFolder();
      const children: ChildProcess[] = [];
      try {
        return await runIn(dir, children);
      } finally {
        for (const child of children.toReversed()) {
          const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
          await stopGroup(child.pid, exited, 2000);
        }
        rmSync(dir, { recursive: true, force: true });
      }
    },
    async close() {
      await policy.close();
      page.close();
    },
  };
}
