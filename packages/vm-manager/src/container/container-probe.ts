/** Runs one container with the very settings of a VM, as a VM's supervisor would, and has it tell over its control channel what it finds inside. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { BROWSER_POLICY_FILE } from '../vm/browser-policy.ts';
import { GUEST } from '../vm/guest.ts';
import { connectToVmSocket } from '../vm/vm-channel.ts';
import { mountRunFolder, unmountRunFolder } from '../vm/run-folder.ts';
import { toVmEtc } from '../vm/vm-etc.ts';
import { mountHome, unmountHome } from '../vm/vm-home.ts';
import { LABELS, type ContainerSources } from './container-body.ts';
import { createContainer } from './container-creation.ts';
import { openWire, prepareWire } from './container-wire.ts';
import type { Engine } from './engine.ts';

const PROBE_MS = 90_000;
const AGAIN_MS = 50;
const PREFIX = 'vestibule_probe';

/** Beside it in the VM: nothing. Says what it found to whoever connects, and ends. */
const PROGRAM = `
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const tell = (work) => { try { return work() } catch (error) { return 'failed: ' + (error.stderr || error.message) } };
const first = (...paths) => { for (const path of paths) if (fs.existsSync(path)) return fs.readFileSync(path, 'utf8').trim(); return '' };
const begun = process.hrtime.bigint();
tell(() => execFileSync(process.execPath, ['-e', '0']));
const found = {
  nodeMs: Number(process.hrtime.bigint() - begun) / 1e6,
  sandbox: tell(() => execFileSync('unshare', ['--user', '--map-root-user', '--pid', '--fork', '--net', 'chroot', '/', 'echo', 'yes'],
    { stdio: ['ignore', 'pipe', 'pipe'] }).toString().trim()),
  homeFileSystem: tell(() => execFileSync('stat', ['-f', '-c', '%T', process.env.HOME]).toString().trim()),
  memoryLimit: first('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'),
  pidsLimit: first('/sys/fs/cgroup/pids.max', '/sys/fs/cgroup/pids/pids.max'),
};
require('node:net').createServer((socket) => socket.end(JSON.stringify(found), () => process.exit(0))).listen(process.env.VESTIBULE_AGENT_SOCKET);
`;

const factsSchema = z.object({
  /** Of starting Node once. */
  nodeMs: z.number(),
  /** `yes` when namespaces and a root of its own can be made in it, as Chromium's sandbox does. */
  sandbox: z.string(),
  homeFileSystem: z.string(),
  /** As the kernel tells them; empty where they cannot be seen. */
  memoryLimit: z.string(),
  pidsLimit: z.string(),
});
export type ProbeFacts = z.infer<typeof factsSchema>;

export type ProbeQuery = Pick<
  ContainerSources,
  'installationId' | 'image' | 'ociRuntime' | 'limits' | 'chromiumPath' | 'overlays' | 'uid'
> & { engine: Engine };

/** Rejects with the engine's words when it cannot be made, and with what it printed when it says nothing. Leaves nothing. */
export async function probeContainer(query: ProbeQuery): Promise<ProbeFacts> {
  const { engine, installationId, uid } = query;
  await removeForsaken(engine, installationId);
  const name = `${PREFIX}_${installationId}_${process.pid}_${randomBytes(4).toString('hex')}`;
  const dir = await mkdtemp(join(tmpdir(), 'vestibule-probe-'));
  const sources: ContainerSources = {
    ...query,
    ...{
      vmId: name,
      runDir: join(dir, 'run'),
      wireDir: join(dir, 'wire'),
      homeDir: join(dir, 'home'),
      etcDir: join(dir, 'etc'),
    },
    ...{ hasAuthorities: false, layerDir: null, command: [GUEST.node, '-e', PROGRAM] },
    environment: { PATH: '/usr/bin:/bin:/usr/sbin', HOME: GUEST.home, VESTIBULE_AGENT_SOCKET: GUEST.agentSocket },
  };
  try {
    await prepare(sources, uid);
    return await run(engine, sources);
  } finally {
    await engine.removeContainer(name).catch(() => undefined);
    await unmountHome(sources.homeDir);
    await unmountRunFolder(sources.runDir);
    await rm(dir, { recursive: true, force: true });
  }
}

async function prepare({ runDir, wireDir, homeDir, etcDir, limits }: ContainerSources, uid: number): Promise<void> {
  await Promise.all([mkdir(runDir, { mode: 0o700 }), mkdir(etcDir, { mode: 0o755 })]);
  await Promise.all([
    mountRunFolder(runDir, uid),
    ...Object.entries({ ...toVmEtc([], uid), [BROWSER_POLICY_FILE]: '{}\n' }).map(([name, content]) =>
      writeFile(join(etcDir, name), content, { mode: 0o644 }),
    ),
    prepareWire(wireDir),
    mountHome(homeDir, uid, limits.diskMib),
  ]);
}

async function run(engine: Engine, sources: ContainerSources): Promise<ProbeFacts> {
  let printed = '';
  const wire = openWire(sources.wireDir, (chunk) => (printed += chunk.toString()));
  try {
    await createContainer(engine, sources);
    await engine.startContainer(sources.vmId);
    wire.say('start');
    const deadline = performance.now() + PROBE_MS;
    for (;;) {
      const socket = await connectToVmSocket(join(sources.runDir, 'agent.sock')).catch(() => null);
      if (socket !== null) return factsSchema.parse(JSON.parse(await text(socket)));
      const state = await engine.inspectContainer(sources.vmId);
      if (state?.Running !== true)
        throw new Error(`it ended with code ${state?.ExitCode ?? 'unknown'}: ${printed.trim()}`);
      if (performance.now() > deadline) throw new Error(`it said nothing for ${PROBE_MS / 1000} s: ${printed.trim()}`);
      await delay(AGAIN_MS);
    }
  } finally {
    wire.close();
  }
}

/** Probes of processes that are no more. */
async function removeForsaken(engine: Engine, installationId: string): Promise<void> {
  for (const name of await engine.listContainers(`${LABELS.installation}=${installationId}`)) {
    const pid = new RegExp(`^${PREFIX}_.*_(\\d+)_[0-9a-f]+$`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await engine.removeContainer(name);
  }
}
