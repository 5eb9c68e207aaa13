/** Runs the agent's bundle as the first process of a sandbox, much as the runtime `process` does, for the agent's own tests. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { onTestFinished } from 'vitest';
import { computeBuildId } from './build-id.ts';
import type { ChildExit } from './child.ts';

export type AgentBuild = { dir: string; buildId: string };

export type Guest = {
  runDir: string;
  exited: Promise<ChildExit>;
  /** What it wrote to its log so far. */
  log: () => string;
  killBrowser: () => void;
  listeningTcpPorts: () => number[];
};

/** Any uid that is nobody's. */
const GUEST_UID = 29_571;
const POLICY = fileURLToPath(new URL('../../../images/chromium-policy.json', import.meta.url));
const PROGRAMS = {
  '/usr/bin/bwrap': 'bubblewrap',
  '/usr/bin/Xtigervnc': 'tigervnc-standalone-server',
  '/usr/bin/openbox': 'openbox',
  '/usr/lib/chromium/chromium': 'chromium',
};

/** The packages that are missing. */
export function findMissingPrograms(): string[] {
  return Object.entries(PROGRAMS).flatMap(([path, name]) => (existsSync(path) ? [] : [name]));
}

/** Bundles the agent, and lays `cli` beside it. The caller removes the folder. */
export async function buildAgent(cli: string): Promise<AgentBuild> {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-agent-'));
  const outfile = join(dir, 'agent', 'agent.mjs');
  await bundle({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@lydell/node-pty'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  cpSync(process.execPath, join(dir, 'node'));
  mkdirSync(join(dir, 'layer'));
  writeFileSync(join(dir, 'layer', 'cli'), cli);
  execFileSync('chmod', ['-R', 'a+rX', dir]);
  chmodSync(join(dir, 'layer', 'cli'), 0o755);
  return { dir, buildId: computeBuildId(`file://${outfile}`) };
}

/** The guest has no network but its own loopback, and ends with the test. */
export async function startGuest(build: AgentBuild, { without }: { without?: string } = {}): Promise<Guest> {
  const runDir = mkdtempSync(join(tmpdir(), 'vestibule-run-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(runDir, GUEST_UID, GUEST_UID);
  const identity = isRoot ? { uid: GUEST_UID, gid: GUEST_UID } : {};
  const child = spawn('bwrap', toArguments(build.dir, runDir, without), {
    ...identity,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(runDir, { recursive: true, force: true });
  });
  return {
    runDir,
    exited,
    log: () => text,
    killBrowser: () => process.kill(findBrowser(child.pid), 'SIGKILL'),
    listeningTcpPorts: () => readListeningPorts(findBrowser(child.pid)),
  };
}

function toArguments(buildDir: string, runDir: string, without: string | undefined): string[] {
  return [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--clearenv', '--ro-bind', '/', '/'],
    ...[
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      '--tmpfs',
      '/dev/shm',
      '--tmpfs',
      '/tmp',
      '--tmpfs',
      '/home',
      '--tmpfs',
      '/run',
    ],
    ...['--tmpfs', '/opt', '--ro-bind', buildDir, '/opt/vestibule', '--bind', runDir, '/run/vestibule'],
    ...['--tmpfs', '/etc/chromium', '--ro-bind', POLICY, '/etc/chromium/policies/managed/vestibule.json'],
    ...(without === undefined ? [] : ['--ro-bind', '/dev/null', without]),
    ...['--dir', '/home/person', '--setenv', 'HOME', '/home/person', '--setenv', 'PATH', '/usr/bin:/bin'],
    ...['--setenv', 'VESTIBULE_VM_ID', 'vm_test', '--setenv', 'VESTIBULE_AGENT_SOCKET', '/run/vestibule/agent.sock'],
    ...['--setenv', 'VESTIBULE_RFB_SOCKET', '/run/vestibule/rfb.sock', '--chdir', '/home/person'],
    ...['/opt/vestibule/node', '/opt/vestibule/agent/agent.mjs'],
  ];
}

/** The browser's main process among the descendants of the guest's outermost one. */
function findBrowser(root: number | undefined): number {
  const parents = new Map<number, number>();
  for (const pid of readdirSync('/proc')
    .map(Number)
    .filter((id) => id > 0)) {
    try {
      parents.set(pid, Number(/^\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const descends = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === root || descends(parents.get(pid)));
  const browsers = [...parents.keys()].filter((pid) => descends(pid) && isProgram(pid, '/chromium'));
  // Its helpers are its descendants.
  const main = browsers.find((pid) => !browsers.includes(parents.get(pid) ?? 0));
  if (main === undefined) throw new Error('the guest runs no browser');
  return main;
}

function isProgram(pid: number, end: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).endsWith(end);
  } catch {
    return false;
  }
}

/** As the process sees its network: the local ports in state LISTEN (0A). */
function readListeningPorts(pid: number): number[] {
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1),
  );
  return rows.flatMap((row) => {
    const [, local = '', , state] = row.trim().split(/\s+/);
    return state === '0A' ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [];
  });
}
