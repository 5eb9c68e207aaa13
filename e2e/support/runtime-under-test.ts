/** The runtime that these tests of machines are about, as `e2e/vm/main.ts` set it up; what differs between runtimes is said here. */
import type { BuiltRuntime } from '@vestibule/protocol/vm';
import { readHomeFile } from './browser-vm.ts';
import { type MachineKills, MACHINE_KILLS } from './machine-kills.ts';
import { PATIENCE } from './patience.ts';

export type RuntimeUnderTest = {
  kind: BuiltRuntime;
  /** Settings of a server that uses it. */
  env: Readonly<Record<string, string>>;
  /** See `PATIENCE`. */
  patience: number;
  /** Null where the moments of a machine's death are another test's. */
  kills: MachineKills | null;
  /** Null where this machine cannot look into the home of a VM. */
  readHomeFile: typeof readHomeFile | null;
  /** How a machine ends that was told to. */
  normalEnd: { code: number; reason: RegExp };
};

type Traits = Pick<RuntimeUnderTest, 'kills' | 'readHomeFile' | 'normalEnd'>;

/** An agent that is told to end does so with code 1. */
const AGENTS_OWN_END = { code: 1, reason: /^exited with code 1$/ };

const TRAITS: Readonly<Record<Exclude<BuiltRuntime, 'fake'>, Traits>> = {
  process: { kills: MACHINE_KILLS.process, readHomeFile, normalEnd: AGENTS_OWN_END },
  container: { kills: MACHINE_KILLS.container, readHomeFile, normalEnd: AGENTS_OWN_END },
  qemu: { kills: MACHINE_KILLS.qemu, readHomeFile: null, normalEnd: AGENTS_OWN_END },
  firecracker: { kills: null, readHomeFile: null, normalEnd: { code: 0, reason: /^exited with code 0: the guest / } },
};

export const PROCESS = toRuntime('process', {});

export function findRuntimeUnderTest(): RuntimeUnderTest {
  const kinds = Object.keys(TRAITS) as (keyof typeof TRAITS)[];
  const kind = kinds.find((name) => name === process.env['E2E_RUNTIME']);
  if (kind === undefined) throw new Error('start these tests with npm run e2e:vm -- --runtime NAME');
  return toRuntime(kind, JSON.parse(process.env['E2E_SETTINGS'] ?? '{}') as Record<string, string>);
}

function toRuntime(kind: keyof typeof TRAITS, env: Record<string, string>): RuntimeUnderTest {
  return { kind, env: { VESTIBULE_RUNTIME: kind, ...env }, patience: PATIENCE, ...TRAITS[kind] };
}
