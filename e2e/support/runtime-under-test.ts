/** The runtime that these tests of machines are about, as `e2e/vm/main.ts` set it up; what differs between runtimes is said here. */
import { BUILT_RUNTIMES, type BuiltRuntime } from '@vestibule/protocol/vm';
import { readHomeFile } from './browser-vm.ts';
import { type MachineKills, MACHINE_KILLS } from './machine-kills.ts';
import { PATIENCE } from './patience.ts';

export type RuntimeUnderTest = {
  kind: BuiltRuntime;
  /** Settings of a server that uses it. */
  env: Readonly<Record<string, string>>;
  /** See `PATIENCE`. */
  patience: number;
  kills: MachineKills;
  /** Null where this machine cannot look into the home of a VM. */
  readHomeFile: typeof readHomeFile | null;
};

const HOMES_ARE_SEEN: readonly BuiltRuntime[] = ['process', 'container'];

export const PROCESS: RuntimeUnderTest = toRuntime('process', {});

export function findRuntimeUnderTest(): RuntimeUnderTest {
  const kind = BUILT_RUNTIMES.find((name) => name === process.env['E2E_RUNTIME']);
  if (kind === undefined || kind === 'fake') throw new Error('start these tests with npm run e2e:vm -- --runtime NAME');
  return toRuntime(kind, JSON.parse(process.env['E2E_SETTINGS'] ?? '{}') as Record<string, string>);
}

function toRuntime(kind: Exclude<BuiltRuntime, 'fake'>, env: Record<string, string>): RuntimeUnderTest {
  const hasHome = HOMES_ARE_SEEN.includes(kind);
  return {
    kind,
    env: { VESTIBULE_RUNTIME: kind, ...env },
    patience: PATIENCE,
    kills: MACHINE_KILLS[kind],
    readHomeFile: hasHome ? readHomeFile : null,
  };
}
