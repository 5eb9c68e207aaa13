/** What a VM's kernel starts from: busybox, the drivers of virtual machines, and `images/guest/initramfs-init`, which finds the root. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { toCpio, type CpioEntry } from './cpio.ts';

export type InitramfsSources = {
  /** See `GuestKernel`. */
  modulesDir: string;
  /** A static one. */
  busyboxPath: string;
  /** `images/guest/initramfs-init`. */
  initPath: string;
};

/** By file name below `kernel/`; what they depend on comes by itself. The same for QEMU (PCI) and Firecracker (MMIO). */
const MODULES = [
  ...['virtio_pci', 'virtio_mmio', 'virtio_blk', 'virtio_net', 'virtio_console', 'virtio-rng', 'overlay'],
  ...['vmw_vsock_virtio_transport', 'pvpanic-mmio', 'pvpanic-pci'],
];
/** Of busybox, what the init calls. */
const APPLETS = ['insmod', 'mount', 'reboot', 'sh', 'sleep', 'switch_root', 'usleep'];
const FOLDERS = ['bin', 'dev', 'modules', 'proc', 'root', 'sys'];

/** The whole file, compressed. The same sources make the same bytes. */
export async function makeInitramfs({ modulesDir, busyboxPath, initPath }: InitramfsSources): Promise<Buffer> {
  const modules = await readModules(modulesDir);
  const entries: CpioEntry[] = [
    ...FOLDERS.map((path) => ({ path, kind: 'folder' as const })),
    { path: 'bin/busybox', kind: 'file', content: await readFile(busyboxPath), mode: 0o755 },
    ...APPLETS.map((name) => ({ path: `bin/${name}`, kind: 'link' as const, target: 'busybox' })),
    { path: 'init', kind: 'file', content: await readFile(initPath), mode: 0o755 },
    { path: 'modules/order', kind: 'file', content: Buffer.from(toLines(modules)), mode: 0o644 },
    ...modules.map(({ file, content }) => ({ path: `modules/${file}`, kind: 'file' as const, content, mode: 0o644 })),
  ];
  return gzipSync(toCpio(entries), { level: 9 });
}

type Module = { file: string; content: Buffer };

const toLines = (modules: readonly Module[]): string => modules.map(({ file }) => `${file}\n`).join('');
/** The kernel takes both characters for the same in a module's name. */
const toModuleName = (file: string): string => basename(file, '.ko').replaceAll('-', '_');

/** In an order in which each comes after those it depends on. */
async function readModules(modulesDir: string): Promise<Module[]> {
  const known = (await readFile(join(modulesDir, 'modules.order'), 'utf8')).trim().split('\n');
  const paths = new Map(known.map((path) => [toModuleName(path), path]));
  const found = new Map<string, Module>();
  async function add(name: string): Promise<void> {
    if (found.has(name)) return;
    const path = paths.get(name);
    if (path === undefined) throw new Error(`the kernel has no module ${name}`);
    const content = await readFile(join(modulesDir, path));
    for (const needed of toDependencies(content)) await add(needed);
    found.set(name, { file: basename(path), content });
  }
  for (const module of MODULES) await add(toModuleName(module));
  return [...found.values()];
}

/** As the module itself tells: an entry `depends=a,b` of its section `.modinfo`. */
function toDependencies(module: Buffer): string[] {
  const start = module.indexOf('\0depends=');
  if (start < 0) return [];
  const from = start + '\0depends='.length;
  const text = module.toString('latin1', from, module.indexOf(0, from));
  return text === '' ? [] : text.split(',').map(toModuleName);
}
