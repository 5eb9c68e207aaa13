/** Starts a guest that only says that it ran: whether an accelerator is there is known when a kernel came up on it, never from a file. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Image } from '../images/image-store.ts';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { makeDeviceNode } from './device-node.ts';
import { toProbeArgv, type Accelerator } from './qemu-argv.ts';

/** As `images/guest/initramfs-init` says it. */
const MARK = 'vestibule: the probe ran';
const MEMORY_MIB = 160;
/** The last of what it printed, for a person. */
const MOST_SAID = 300;

/** Resolves to the milliseconds from QEMU's start until the guest's first program ran; rejects, with words, when it did not in time. */
export async function probeGuest(
  image: Image,
  accelerator: Accelerator,
  uid: number,
  limitMs: number,
): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'vestibule-qemu-'));
  try {
    const kvmPath = accelerator === 'kvm' ? join(dir, 'kvm') : null;
    if (kvmPath !== null) await makeDeviceNode('kvm', kvmPath, uid);
    const argv = toProbeArgv({
      ...{ name: 'vestibule-probe', uid, accelerator, kvmPath, memoryMib: MEMORY_MIB, cpus: 1 },
      kernelPath: image.pathOf('kernel'),
      initramfsPath: image.pathOf('initramfs'),
    });
    return await untilMark(argv, limitMs);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function untilMark(argv: readonly string[], limitMs: number): Promise<number> {
  const [program = '', ...args] = argv;
  const startedAt = performance.now();
  const child = spawn(program, args, {
    env: { PATH: SYSTEM_PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let said = '';
  let ranAfterMs: number | null = null;
  const listen = (text: string): void => {
    said = (said + text).slice(-4000);
    if (said.includes(MARK)) ranAfterMs ??= performance.now() - startedAt;
  };
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      if (ranAfterMs !== null) return resolve(ranAfterMs);
      const how = signal === null ? `QEMU exited with code ${exitCode}` : `no guest came up within ${limitMs / 1000} s`;
      reject(new Error(`${how}${toQuote(said)}`));
    });
  });
}

function toQuote(said: string): string {
  // The firmware's escape sequences, and all else that is no letter.
  const words = stripVTControlCharacters(said)
    .replaceAll(/[^ -~]+/g, ' ')
    .trim();
  return words === '' ? '' : `; it last printed: ${words.slice(-MOST_SAID)}`;
}
