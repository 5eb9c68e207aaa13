/**
 * The kernel of VMs: Debian's for clouds, as QEMU boots it (bzImage) and as Firecracker does (the ELF file that is packed inside), with its
 * drivers, most of which are modules.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runCommand } from '../system/run-command.ts';

export type GuestKernel = {
  /** As it names itself: `6.1.0-56-cloud-amd64`. */
  release: string;
  /** Of the Debian package. */
  version: string;
  bzImagePath: string;
  vmlinuxPath: string;
  /** `modules.order` is in it, the modules below its `kernel/`. */
  modulesDir: string;
};

const UNPACK_MS = 5 * 60_000;
const ELF = Buffer.from('\x7fELF', 'latin1');

/** How the packed kernel may be compressed, by its first bytes; gzip is this program's own. */
const UNPACKERS: readonly { magic: string; argv: readonly string[] }[] = [
  { magic: '02214c18', argv: ['lz4', '-d', '-q', '-f'] },
  { magic: '28b52ffd', argv: ['zstd', '-d', '-q', '-f', '-o'] },
];

/** `archive`: the Debian package, as a file. Everything lies in `workDir`. */
export async function makeKernel(archive: string, workDir: string): Promise<GuestKernel> {
  const tree = join(workDir, 'kernel');
  await mkdir(tree, { recursive: true });
  await runCommand(['dpkg-deb', '-x', archive, tree], { timeoutMs: UNPACK_MS });
  const version = (await runCommand(['dpkg-deb', '-f', archive, 'Version'], { timeoutMs: UNPACK_MS })).trim();
  const [release] = await readdir(join(tree, 'lib/modules'));
  if (release === undefined) throw new Error(`the kernel package ${version} has no modules`);
  const bzImagePath = join(tree, 'boot', `vmlinuz-${release}`);
  const vmlinuxPath = join(workDir, 'vmlinux');
  await writeFile(vmlinuxPath, await unpackVmlinux(await readFile(bzImagePath), workDir));
  return { release, version, bzImagePath, vmlinuxPath, modulesDir: join(tree, 'lib/modules', release) };
}

/**
 * Where the payload lies is told by the header of Linux's boot protocol (Documentation/arch/x86/boot.rst, 2.08 and later): behind the
 * 16-bit part, whose sectors are counted at 0x1f1, from an offset at 0x248, as long as said at 0x24c.
 */
export async function unpackVmlinux(bzImage: Buffer, workDir: string): Promise<Buffer> {
  if (bzImage.toString('latin1', 0x202, 0x206) !== 'HdrS' || bzImage.readUInt16LE(0x206) < 0x208)
    throw new Error('not a bzImage with a known payload');
  const start = (bzImage.readUInt8(0x1f1) + 1) * 512 + bzImage.readUInt32LE(0x248);
  const payload = bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c));
  const vmlinux = await unpack(payload, workDir);
  if (!vmlinux.subarray(0, 4).equals(ELF)) throw new Error('what the bzImage holds is not an ELF file');
  return vmlinux;
}

async function unpack(payload: Buffer, workDir: string): Promise<Buffer> {
  if (payload.readUInt16BE(0) === 0x1f8b) return gunzipSync(payload);
  const unpacker = UNPACKERS.find(({ magic }) => payload.toString('hex', 0, 4) === magic);
  if (unpacker === undefined)
    throw new Error(`the kernel is compressed in an unknown way (it begins ${payload.toString('hex', 0, 6)})`);
  const [packed, unpacked] = [join(workDir, 'vmlinux.packed'), join(workDir, 'vmlinux.unpacked')];
  // Behind all but gzip the kernel's build puts the unpacked size, four bytes.
  await writeFile(packed, payload.subarray(0, -4));
  const [program = '', ...flags] = unpacker.argv;
  const files = flags.at(-1) === '-o' ? [unpacked, packed] : [packed, unpacked];
  await runCommand([program, ...flags, ...files], { timeoutMs: UNPACK_MS });
  return readFile(unpacked);
}
