/**
 * Which accelerator VMs of this machine get: KVM when a guest really ran on it, else translation (TCG), with the pace that a guest was
 * measured to have. What was found is kept until the machine is booted anew.
 */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Image } from '../images/image-store.ts';
import { createSingleFlight } from '../single-flight.ts';
import { writeFact } from '../system/fact-file.ts';
import { probeGuest } from './probe-guest.ts';

const findingSchema = z.object({
  accelerator: z.enum(['kvm', 'tcg']),
  /** See `Runtime.pace`. */
  pace: z.number().min(1),
  /** Why it is not KVM, in words; null when it is, or was not wanted. */
  kvmProblem: z.string().nullable(),
});
export type AcceleratorFinding = z.infer<typeof findingSchema>;

const keptSchema = z.object({ bootId: z.string(), imageId: z.string(), wish: z.string(), finding: findingSchema });

export type AcceleratorsOptions = { imagesDir: string; wish: 'auto' | 'tcg'; /** That no VM has. */ uid: number };

const KVM_MS = 5000;
const TCG_MS = 90_000;
/** What the probe's guest takes where the processor runs it itself. */
const REFERENCE_MS = 100;
const MAX_PACE = 60;

export function createAccelerators({ imagesDir, wish, uid }: AcceleratorsOptions) {
  const path = join(imagesDir, 'qemu-probe.json');
  const probes = createSingleFlight<AcceleratorFinding>();
  let last: AcceleratorFinding | null = null;

  async function findKept(imageId: string, bootId: string): Promise<AcceleratorFinding | null> {
    const text = await readFile(path, 'utf8').catch(() => '{}');
    const kept = keptSchema.safeParse(JSON.parse(text)).data;
    const isOurs = kept?.bootId === bootId && kept.imageId === imageId && kept.wish === wish;
    return isOurs ? kept.finding : null;
  }

  async function probe(image: Image): Promise<AcceleratorFinding> {
    const kvmProblem = wish === 'tcg' ? null : await findKvmProblem(image, uid);
    if (wish === 'auto' && kvmProblem === null) return { accelerator: 'kvm', pace: 1, kvmProblem };
    const bootMs = await probeGuest(image, 'tcg', uid, TCG_MS);
    const pace = Math.min(MAX_PACE, Math.max(1, Math.round(bootMs / REFERENCE_MS)));
    return { accelerator: 'tcg', pace, kvmProblem };
  }

  return {
    /** Rejects, with words, when no guest runs at all. */
    find: (image: Image): Promise<AcceleratorFinding> =>
      probes.run(image.manifest.imageId, async () => {
        const { imageId } = image.manifest;
        const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
        const kept = await findKept(imageId, bootId);
        last = kept ?? (await probe(image));
        if (kept === null) writeFact(path, `${JSON.stringify({ bootId, imageId, wish, finding: last })}\n`);
        return last;
      }),
    /** The pace that was found last; 1 before. */
    pace: (): number => last?.pace ?? 1,
  };
}

async function findKvmProblem(image: Image, uid: number): Promise<string | null> {
  try {
    await access('/dev/kvm');
  } catch {
    return 'this machine has no /dev/kvm';
  }
  return probeGuest(image, 'kvm', uid, KVM_MS).then(
    () => null,
    (error: unknown) => `/dev/kvm is there, but ${error instanceof Error ? error.message : String(error)}`,
  );
}
