/** What a supervisor is told to start, one kind for each kind of machine; written to `spec.json`, so plain data. */
import type { FirecrackerRequest } from '../firecracker/api-requests.ts';

/** A tree of processes that bubblewrap puts into namespaces. */
export type SandboxLaunch = {
  kind: 'sandbox';
  argv: string[];
  /** See `findFirstProcess`. */
  namespaceDepth: number;
  /** Folders of control groups that it is started in, and the memory that they allow; none where there are none. */
  cgroups: string[];
  memoryMib: number;
  /** What the VM is given to end by itself when it was asked to, before it is killed. */
  stopGraceMs: number;
};

/** A container that exists and was not started. */
export type ContainerLaunch = {
  kind: 'container';
  /** Of the container engine. */
  socketPath: string;
  /** The container's. */
  name: string;
  /** The named network namespace whose device it gets; null for none. */
  network: string | null;
  /** For words only. */
  memoryMib: number;
  stopGraceMs: number;
};

/** A Firecracker in its jail. */
export type FirecrackerLaunch = {
  kind: 'firecracker';
  /** See `toJailerArgv`. */
  argv: string[];
  jailRoot: string;
  /** Whom the jail belongs to. */
  uid: number;
  /** What Firecracker is told, in order; the last starts the VM. */
  requests: FirecrackerRequest[];
  stopGraceMs: number;
};

/** A QEMU, in a jail of its own; see `qemu/qemu-argv.ts`. */
export type QemuLaunch = {
  kind: 'qemu';
  argv: string[];
  /** Folders of control groups that it is started in. */
  cgroups: string[];
  stopGraceMs: number;
};

export type Launch = SandboxLaunch | ContainerLaunch | FirecrackerLaunch | QemuLaunch;
