/**
 * A podman of a test's own: its images, containers, locks and settings lie below one temporary folder, so that several run on one machine
 * and none touches the machine's own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand, SYSTEM_PATH, tryCommand } from './system/run-command.ts';

export type PodmanService = {
  socketPath: string;
  /** Kills the service with SIGKILL; containers go on. */
  stop(): Promise<void>;
  /** Kills the service with SIGKILL, as a crash would, and starts a new one over the same folder. */
  restart(): Promise<void>;
  /** Ends every container, unmounts and removes the folder. */
  close(): Promise<void>;
};

const START_MS = 20_000;

/** What podman needs where there is no systemd, no CAP_SYS_RESOURCE, and control groups of both versions. */
function toContainersConf(dir: string): string {
  return `[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
log_driver = "k8s-file"

[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "${dir}/tmp"
static_dir = "${dir}/static"
volume_path = "${dir}/volumes"

[network]
network_config_dir = "${dir}/networks"
`;
}

export async function startPodmanService(): Promise<PodmanService> {
  const dir = mkdtempSync(join(tmpdir(), 'vb-podman-'));
  const socketPath = join(dir, 'podman.sock');
  const conf = join(dir, 'containers.conf');
  writeFileSync(conf, toContainersConf(dir));
  // Fetching an image would have to be explained; nothing here does.
  writeFileSync(join(dir, 'registries.conf'), 'unqualified-search-registries = []\n');
  mkdirSync(join(dir, 'images'), { recursive: true });
  const environment = {
    CONTAINERS_CONF: conf,
    CONTAINERS_REGISTRIES_CONF: join(dir, 'registries.conf'),
    TMPDIR: join(dir, 'images'),
    HOME: dir,
  };
  const place = ['--root', join(dir, 'root'), '--runroot', join(dir, 'run'), '--storage-driver', 'overlay'];
  const podman = (...args: string[]) => ['podman', ...place, ...args];
  let service = await startService();

  async function startService(): Promise<ChildProcess> {
    rmSync(socketPath, { force: true });
    const [program = '', ...args] = podman('system', 'service', '--time=0', `unix://${socketPath}`);
    const child = spawn(program, args, {
      env: { PATH: SYSTEM_PATH, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
    const deadline = performance.now() + START_MS;
    while (!(await canConnect(socketPath))) {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error(`podman did not start: ${said}`);
      await delay(20);
    }
    return child;
  }
  async function killService(): Promise<void> {
    if (service.exitCode !== null || service.signalCode !== null) return;
    const ended = once(service, 'exit');
    service.kill('SIGKILL');
    await ended;
  }

  return {
    socketPath,
    stop: killService,
    async restart() {
      await killService();
      service = await startService();
    },
    async close() {
      await killService();
      await tryCommand(podman('rm', '--all', '--force', '--time', '0'), { environment, timeoutMs: 60_000 });
      // Those below first.
      for (const mount of findMounts(dir).toReversed()) await runCommand(['umount', mount]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** In the order in which they were mounted. */
function findMounts(dir: string): string[] {
  const places = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return places.filter((place) => place.startsWith(`${dir}/`));
}
