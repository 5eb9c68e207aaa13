/**
 * What KVM and the kernel's tap are to Firecracker, the double's root part is to its Firecracker: runs the guest. The guest is the machine's
 * one agent in a sandbox of the runtime `process`, behind a pair of devices of which the outer one is in the tap's place, so that what it sends
 * takes the way a real guest's packets take. It is told what the drives say, as the guest's init would read it.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toSandboxArgv } from '../../process/sandbox.ts';
import { findFirstProcess } from '../../supervisor/guest-processes.ts';
import { findProcessIdentity, signalProcess } from '../../system/process-identity.ts';
import { SYSTEM_PATH } from '../../system/run-command.ts';
import { GUEST } from '../../vm/guest.ts';
import { TAP } from '../../vm/vm-network.ts';
import type { DoubleSettings } from './double-settings.ts';
import { readConfigDrive } from './config-drive-reader.ts';
import { GUEST_DIR, type FromVmm, type ToVmm } from './guest-words.ts';

export type DoubleKvm = { root: string; uid: number; networkNamespace: string | null; settings: DoubleSettings };

const STATUS_FD = 3;
const LOOK_AGAIN_MS = 20;

/** Serves the Firecracker that is `vmm`, until either ends. */
export function createDoubleKvm(vmm: ChildProcess, options: DoubleKvm): void {
  let guest: ChildProcess | null = null;
  const tell = (word: ToVmm): void => void (vmm.connected && vmm.send(word));

  function run(word: FromVmm): void {
    if (word.type === 'start') {
      guest = startGuest(word, options);
      guest.once('exit', (code, signal) => tell({ type: 'agent_exited', code: code ?? (signal === null ? 1 : 137) }));
      tell({ type: 'agent_started' });
    } else askToEnd();
  }
  /** What the guest's init does when it is told to stop. */
  function askToEnd(): void {
    const sandbox = guest?.pid === undefined ? null : findProcessIdentity(guest.pid);
    const first = sandbox === null ? null : findFirstProcess(sandbox, 2);
    if (first !== null) signalProcess(first, 'SIGTERM');
    else if (guest?.exitCode === null) setTimeout(askToEnd, LOOK_AGAIN_MS).unref();
  }
  vmm.on('message', (word: FromVmm) => {
    try {
      run(word);
    } catch (error) {
      tell({ type: 'failed', words: error instanceof Error ? error.message : String(error) });
    }
  });
}

function startGuest(
  word: Extract<FromVmm, { type: 'start' }>,
  { root, uid, networkNamespace, settings }: DoubleKvm,
): ChildProcess {
  const dir = join(root, GUEST_DIR);
  const [runDir, etcDir, layerDir] = [join(dir, 'run'), join(dir, 'etc'), join(dir, 'layer')];
  for (const folder of [dir, runDir, etcDir]) mkdirSync(folder, { mode: 0o755 });
  chownSync(runDir, uid, uid);
  const config = readConfigDrive(join(root, word.configDrive));
  for (const [name, content] of config.etc) writeFileSync(join(etcDir, name), content, { mode: 0o644 });
  if (word.layerDrive !== null) unpackLayer(join(root, word.layerDrive), layerDir);
  const network = networkNamespace === null ? null : plugNetwork(networkNamespace, config.address, config.gateway);
  const argv = toSandboxArgv(
    {
      ...{ runDir, etcDir, agentDir: settings.guest.agentDir, nodePath: settings.guest.nodePath },
      vmId: config.environment['VESTIBULE_VM_ID'] ?? '',
      chromiumPath: config.environment['VESTIBULE_CHROMIUM'] ?? '',
      ...{ hasAuthorities: config.hasAuthorities, diskMib: config.diskMib },
      proxy: toProxy(config.environment['HTTPS_PROXY']),
      ownLimits: null,
      layerDir: word.layerDrive === null ? null : layerDir,
      statusFd: STATUS_FD,
    },
    { uid, networkNamespace: network },
    [GUEST.node, `${GUEST.agentDir}/agent.mjs`],
  );
  const [program = '', ...args] = argv;
  // What the guest prints is what a serial console would.
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env: { PATH: SYSTEM_PATH } });
  child.stdio[STATUS_FD]?.on('data', () => undefined);
  return child;
}

/** The guest's own namespace, which lives as long as its holder, joined to the VM's in the place of the tap. */
function plugNetwork(outer: string, address: string, gateway: string): string {
  const holder = spawn('unshare', ['--net', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
  const inner = `/proc/${holder.pid}/ns/net`;
  untilApart(holder.pid ?? 0);
  const inOuter = (...argv: string[]): void => runNow(['nsenter', `--net=${outer}`, '--', ...argv]);
  const inInner = (...argv: string[]): void => runNow(['nsenter', `--net=${inner}`, '--', ...argv]);
  inOuter('ip', 'link', 'del', TAP.device);
  inOuter('ip', 'link', 'add', TAP.device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid));
  inOuter('ip', 'addr', 'add', `${TAP.gateway}/${TAP.prefix}`, 'dev', TAP.device);
  inOuter('ip', 'link', 'set', TAP.device, 'up');
  inInner('ip', 'link', 'set', 'lo', 'up');
  inInner('ip', 'addr', 'add', address, 'dev', 'eth0');
  inInner('ip', 'link', 'set', 'eth0', 'up');
  inInner('ip', 'route', 'add', 'default', 'via', gateway);
  return inner;
}

/** `unshare` needs a moment to have a namespace of its own. */
function untilApart(pid: number): void {
  const own = spawnSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }).stdout;
  for (let tries = 0; tries < 200; tries += 1) {
    const its = spawnSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' }).stdout;
    if (its !== '' && its !== own) return;
  }
  throw new Error('the guest got no network of its own');
}

function toProxy(url: string | undefined): { host: string; port: number } | null {
  if (url === undefined) return null;
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** The tool reads the file system without mounting it. */
function unpackLayer(drive: string, to: string): void {
  mkdirSync(to, { mode: 0o755 });
  runNow(['debugfs', '-R', `rdump / ${to}`, drive]);
}

function runNow(argv: readonly string[]): void {
  const [program = '', ...args] = argv;
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${argv.join(' ')}: ${result.error?.message ?? result.stderr.trim()}`);
}
