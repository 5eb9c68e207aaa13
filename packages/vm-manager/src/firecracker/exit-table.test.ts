/** Every row of the table of Firecracker's ends, in every phase. */
import { describe, expect, it } from 'vitest';
import {
  describeFirecrackerEnd,
  FIRECRACKER_CODES,
  FIRECRACKER_PHASES,
  FIRECRACKER_SIGNALS,
  type FirecrackerPhase,
} from './exit-table.ts';

type Case = { code?: number; signal?: NodeJS.Signals; phase: FirecrackerPhase; says: RegExp; isNormal: boolean };
const everywhere = (row: Omit<Case, 'phase' | 'isNormal'>, normalIn: readonly FirecrackerPhase[] = []): Case[] =>
  FIRECRACKER_PHASES.map((phase) => ({ ...row, phase, isNormal: normalIn.includes(phase) }));

const CASES: readonly Case[] = [
  { code: 0, phase: 'configuring', says: /^exited with code 0: it ended before the VM was started$/, isNormal: false },
  { code: 0, phase: 'running', says: /^exited with code 0: the guest restarted, which is how/, isNormal: true },
  { code: 0, phase: 'ending', says: /^exited with code 0: the guest restarted, as it was asked to$/, isNormal: true },
  { code: 1, phase: 'configuring', says: /^exited with code 1: the jailer or Firecracker refused/, isNormal: false },
  {
    code: 1,
    phase: 'running',
    says: /^exited with code 1: a processor of the VM stopped: a triple fault/,
    isNormal: false,
  },
  {
    code: 1,
    phase: 'ending',
    says: /^exited with code 1: a processor of the VM stopped .* as it was ending$/,
    isNormal: true,
  },
  ...everywhere({ code: 2, says: /^exited with code 2: an error that Firecracker does not expect$/ }),
  ...everywhere({ code: 148, says: /^exited with code 148: it made a system call that its filter forbids$/ }),
  ...everywhere({ code: 149, says: /^exited with code 149: SIGBUS/ }),
  ...everywhere({ code: 150, says: /^exited with code 150: SIGSEGV/ }),
  ...everywhere({ code: 151, says: /^exited with code 151: SIGXFSZ: a file grew beyond the limit/ }),
  ...everywhere({ code: 152, says: /^exited with code 152: its settings are not valid$/ }),
  ...everywhere({ code: 153, says: /^exited with code 153: it was started with arguments that it does not take$/ }),
  ...everywhere({ code: 154, says: /^exited with code 154: SIGXCPU/ }),
  ...everywhere({ code: 156, says: /^exited with code 156: SIGHUP/ }),
  ...everywhere({ code: 157, says: /^exited with code 157: SIGILL/ }),
  ...everywhere({ signal: 'SIGKILL', says: /^killed by SIGKILL: by somebody on this machine, or because memory/ }, [
    'ending',
  ]),
  ...everywhere({ signal: 'SIGTERM', says: /^killed by SIGTERM: by somebody on this machine$/ }, ['ending']),
  ...everywhere({ signal: 'SIGINT', says: /^killed by SIGINT: by somebody on this machine$/ }, ['ending']),
  ...everywhere({ signal: 'SIGABRT', says: /^killed by SIGABRT: Firecracker panicked/ }),
];

describe("the table of Firecracker's ends", () => {
  it.each(CASES)('tells $code$signal while $phase, and whether that is normal: $isNormal', (row) => {
    const { reason, isNormal } = describeFirecrackerEnd(
      { exitCode: row.code ?? null, signal: row.signal ?? null },
      row.phase,
    );
    expect(reason).toMatch(row.says);
    expect(isNormal).toBe(row.isNormal);
  });

  it('has no row that is not looked at here', () => {
    const looked = new Set(CASES.map((row) => String(row.code ?? row.signal)));
    expect(
      [...Object.keys(FIRECRACKER_CODES), ...Object.keys(FIRECRACKER_SIGNALS)].filter((key) => !looked.has(key)),
    ).toEqual([]);
  });

  it('claims nothing of an end that Firecracker does not document, and fits into an exit fact', () => {
    for (const phase of FIRECRACKER_PHASES) {
      const unknown = describeFirecrackerEnd({ exitCode: 77, signal: null }, phase);
      expect(unknown).toEqual({
        reason: 'exited with code 77: an end that Firecracker does not document',
        isNormal: false,
      });
    }
    for (const { words } of [...Object.values(FIRECRACKER_CODES), ...Object.values(FIRECRACKER_SIGNALS)])
      for (const phase of FIRECRACKER_PHASES) expect(words[phase].length).toBeLessThan(120);
  });
});
