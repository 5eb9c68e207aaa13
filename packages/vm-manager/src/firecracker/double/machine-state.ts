/** What Firecracker's API may do when: a machine is configured, then started once. Every request has its fault, in Firecracker's words. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { posix } from 'node:path';
import type { z } from 'zod';
import type { ApiRequest } from './api-server.ts';
import * as schemas from './api-schemas.ts';
import { VERSION } from './double-settings.ts';

type Drive = z.infer<typeof schemas.driveSchema>;
export type MachineParts = {
  drives: ReadonlyMap<string, Drive>;
  vsock: z.infer<typeof schemas.vsockSchema> | null;
  boot: z.infer<typeof schemas.bootSourceSchema> | null;
};
export type MachineActions = { start(parts: MachineParts): void; sendCtrlAltDel(): void };

const AFTER = 'The requested operation is not supported after starting the microVM.';
const BEFORE = 'The requested operation is not supported before starting the microVM.';
const MOST_VCPUS = 32;
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** In the jail, which is the folder this runs in. */
export const inJail = (path: string): string => `.${posix.resolve('/', path)}`;

export function createMachineState(id: string, actions: MachineActions): (request: ApiRequest) => unknown {
  const drives = new Map<string, Drive>();
  const interfaces = new Set<string>();
  let boot: MachineParts['boot'] = null;
  let vsock: MachineParts['vsock'] = null;
  let machine: unknown = { vcpu_count: 1, mem_size_mib: 128, smt: false, track_dirty_pages: false, huge_pages: 'None' };
  let isRunning = false;

  function act(body: string): null {
    const { action_type: action } = schemas.parseBody(schemas.actionSchema, body);
    if (action === 'InstanceStart') {
      if (isRunning) throw new Error(AFTER);
      if (boot === null) throw new Error('Start microvm error: Cannot start microvm without kernel configuration.');
      checkKernel(boot.kernel_image_path);
      actions.start({ drives, vsock, boot });
      isRunning = true;
    } else if (action === 'SendCtrlAltDel') {
      if (!isRunning) throw new Error(BEFORE);
      actions.sendCtrlAltDel();
    }
    return null;
  }

  function configure(kind: string, name: string | undefined, body: string): null {
    if (isRunning) throw new Error(AFTER);
    switch (kind) {
      case 'machine-config':
        machine = checkMachine(schemas.parseBody(schemas.machineConfigSchema, body));
        return null;
      case 'boot-source':
        boot = checkBoot(schemas.parseBody(schemas.bootSourceSchema, body));
        return null;
      case 'drives': {
        const drive = schemas.parseBody(schemas.driveSchema, body);
        checkName(name, drive.drive_id);
        drives.set(drive.drive_id, checkDrive(drive));
        return null;
      }
      case 'network-interfaces': {
        const card = schemas.parseBody(schemas.networkInterfaceSchema, body);
        checkName(name, card.iface_id);
        checkTap(card.host_dev_name);
        interfaces.add(card.iface_id);
        return null;
      }
      case 'vsock':
        vsock = schemas.parseBody(schemas.vsockSchema, body);
        return null;
      case 'entropy':
        schemas.parseBody(schemas.entropySchema, body);
        return null;
      case 'serial':
        schemas.parseBody(schemas.serialSchema, body);
        return null;
      case 'metrics':
        open(
          'Metrics error',
          schemas.parseBody(schemas.metricsSchema, body).metrics_path,
          constants.O_WRONLY | constants.O_CREAT,
        );
        return null;
      case 'logger':
        schemas.parseBody(schemas.loggerSchema, body);
        return null;
      default:
        throw new Error(`Invalid request method and/or path: PUT ${kind}.`);
    }
  }

  return ({ method, path, body }) => {
    const [kind = '', name] = path.replace(/^\//, '').split('/');
    if (method === 'GET' && path === '/')
      return { id, state: isRunning ? 'Running' : 'Not started', vmm_version: VERSION, app_name: 'Firecracker' };
    if (method === 'GET' && kind === 'version') return { firecracker_version: VERSION };
    if (method === 'GET' && kind === 'machine-config') return machine;
    if (method === 'PUT' && kind === 'actions') return act(body);
    if (method === 'PUT') return configure(kind, name, body);
    throw new Error(`Invalid request method and/or path: ${method} ${kind}.`);
  };
}

function checkName(fromPath: string | undefined, fromBody: string): void {
  if (fromPath === undefined || fromPath === '') throw new Error('The ID cannot be empty.');
  if (!/^\w+$/.test(fromPath))
    throw new Error('API Resource IDs can only contain alphanumeric characters and underscores.');
  if (fromPath !== fromBody) throw new Error('The id from the path does not match the id from the body!');
}

function checkMachine<T extends z.infer<typeof schemas.machineConfigSchema>>(config: T): T {
  const { vcpu_count: cpus, mem_size_mib: mib } = config;
  if (cpus < 1 || cpus > MOST_VCPUS || (config.smt && cpus > 1 && cpus % 2 === 1))
    throw new Error(
      'Machine config error: The vCPU number is invalid! The vCPU number can only be 1 or an even number when SMT is enabled.',
    );
  if (mib < 1)
    throw new Error(
      'Machine config error: The memory size (MiB) is either 0, or not a multiple of the configured page size.',
    );
  return config;
}

function checkBoot<T extends z.infer<typeof schemas.bootSourceSchema>>(boot: T): T {
  open('Boot source error: The kernel file cannot be opened', boot.kernel_image_path, constants.O_RDONLY);
  if (typeof boot.initrd_path === 'string')
    open(
      'Boot source error: The initrd file cannot be opened due to invalid path or invalid permissions',
      boot.initrd_path,
      constants.O_RDONLY,
    );
  return boot;
}

function checkDrive(drive: Drive): Drive {
  if (typeof drive.path_on_host !== 'string' || typeof drive.is_read_only !== 'boolean')
    throw new Error('Drive config error: Unable to create the virtio block device: InvalidBlockConfig');
  const flags = drive.is_read_only ? constants.O_RDONLY : constants.O_RDWR;
  open(
    'Drive config error: Unable to create the virtio block device: Virtio backend error: Error manipulating the backing file',
    drive.path_on_host,
    flags,
  );
  return drive;
}

/** The namespace's own devices; this process is in it. */
function checkTap(name: string): void {
  const found = spawnSync('ip', ['-o', 'link', 'show', 'dev', name], { encoding: 'utf8' });
  if (found.status !== 0)
    throw new Error(
      `Network config error: Could not create the network device: Open tap device failed: Couldn't open /dev/net/tun: ${name}`,
    );
}

function checkKernel(path: string): void {
  const file = openSync(inJail(path), constants.O_RDONLY);
  try {
    const start = Buffer.alloc(ELF.length);
    readSync(file, start);
    if (!start.equals(ELF))
      throw new Error(
        'Start microvm error: Cannot load kernel due to invalid memory configuration or invalid kernel image: Kernel Loader: failed to load ELF kernel image',
      );
  } finally {
    closeSync(file);
  }
}

function open(what: string, path: string, flags: number): void {
  try {
    closeSync(openSync(inJail(path), flags, 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const words = code === 'ENOENT' ? 'No such file or directory (os error 2)' : 'Permission denied (os error 13)';
    throw new Error(`${what}: ${words} ${path}`, { cause: error });
  }
}
