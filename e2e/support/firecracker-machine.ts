/**
 * Firecracker for end-to-end tests: the real one, where VESTIBULE_FIRECRACKER and VESTIBULE_JAILER name its programs (and VESTIBULE_IMAGES_DIR an
 * image), else the double, with the product's own agent as its guest. Tests say which of the two it was.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoubleSettingsInput, MachineFate } from '@vestibule/vm-manager/firecracker/double/double-settings';
import { makeDoubleImage } from '@vestibule/vm-manager/firecracker/double/testing-double-image';
import { installFirecrackerDouble } from '@vestibule/vm-manager/firecracker/double/testing-install-double';
import { toJail } from '@vestibule/vm-manager/firecracker/jail';
import { connectToVmSocket } from '@vestibule/vm-manager/vm/vm-channel';
import { readBuildId } from '../../packages/controller/src/fleet/agent-build.ts';
import { findProductFolder } from '../../packages/controller/src/product-folder.ts';

export type FirecrackerMachine = {
  isDouble: boolean;
  /** For the Vestibule that uses it. */
  env: Record<string, string>;
  /** How the double's next machines behave; nothing on the real one. */
  configure(changes: Omit<DoubleSettingsInput, 'thisIsNotFirecracker' | 'guest'>): void;
  /** The VM ends now: with code 1 in the double, by SIGKILL in the real one, which cannot be told to. */
  end(dataDir: string, vmId: string): Promise<void>;
  close(): void;
};

const TRIPLE_FAULT: MachineFate = 'triple_fault';

export async function openFirecrackerMachine(): Promise<FirecrackerMachine> {
  const { VESTIBULE_FIRECRACKER: firecracker, VESTIBULE_JAILER: jailer, VESTIBULE_IMAGES_DIR: images } = process.env;
  const isDouble = firecracker === undefined || jailer === undefined;
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-firecracker-'));
  const product = findProductFolder();
  const double = isDouble
    ? await installFirecrackerDouble(dir, { agentDir: product.agentDir, nodePath: process.execPath })
    : null;
  const firecrackerPath = double?.firecrackerPath ?? firecracker ?? '';
  const jailerPath = double?.jailerPath ?? jailer ?? '';
  const imagesDir = isDouble ? join(dir, 'images') : (images ?? '');
  if (isDouble) {
    mkdirSync(imagesDir);
    makeDoubleImage(imagesDir, readBuildId(product.agentDir));
  }
  const jailOf = (dataDir: string, vmId: string) => toJail(join(dataDir, 'jails'), firecrackerPath, vmId);

  return {
    isDouble,
    env: {
      VESTIBULE_RUNTIME: 'firecracker',
      VESTIBULE_FIRECRACKER: firecrackerPath,
      VESTIBULE_JAILER: jailerPath,
      VESTIBULE_IMAGES_DIR: imagesDir,
    },
    configure: (changes) => double?.configure(changes),
    async end(dataDir, vmId) {
      const { id, root } = jailOf(dataDir, vmId);
      if (!isDouble) return killFirecracker(id);
      (await connectToVmSocket(join(root, 'double.sock'))).end(JSON.stringify(TRIPLE_FAULT));
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Firecracker is `/firecracker --id <jail id> …` in its jail. */
function killFirecracker(jailId: string): void {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const argv = readText(`/proc/${name}/cmdline`).split('\0');
    if (argv[0] === '/firecracker' && argv.includes(jailId)) process.kill(Number(name), 'SIGKILL');
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
