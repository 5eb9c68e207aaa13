/**
 * What the runtime lacks, as it was found last. The first look is at the start, and also measures the pace of its guests; a later one
 * happens when somebody asks, so that what was installed meanwhile counts without a restart. Each change is told in the log.
 */
import type { Requirement } from '@vestibule/protocol/api';
import type { Clock } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Asking the system for every page view would be wasteful, and more so where it starts a probe guest. */
const KEPT_MS = 10_000;
const KEPT_FOR_EACH_MS_OF_LOOKING = 20;

export type PreflightsDeps = {
  preflight: () => Promise<Requirement[]>;
  clock: Pick<Clock, 'nowMs'>;
  log: Pick<Logger, 'info' | 'warn'>;
};

export function createPreflights({ preflight, clock, log }: PreflightsDeps) {
  let kept: { requirements: Promise<Requirement[]>; untilMs: number } | null = null;
  let told = new Set<string>();

  async function look(): Promise<Requirement[]> {
    const startedAtMs = clock.nowMs();
    const requirements = await preflight();
    const now = clock.nowMs();
    if (kept !== null) kept.untilMs = now + Math.max(KEPT_MS, (now - startedAtMs) * KEPT_FOR_EACH_MS_OF_LOOKING);
    tell(requirements.filter(({ severity }) => severity === 'missing'));
    return requirements;
  }

  function tell(missing: readonly Requirement[]): void {
    const ids = new Set(missing.map(({ id }) => id));
    for (const { id, title, hint } of missing)
      if (!told.has(id)) log.warn({ requirement: id, hint }, `no sign-in can run: ${title}`);
    if (told.size > 0 && ids.size === 0) log.info('nothing is missing any more: sign-ins can run');
    told = ids;
  }

  function read(): Promise<Requirement[]> {
    if (kept === null || clock.nowMs() > kept.untilMs) {
      kept = { requirements: Promise.resolve([]), untilMs: Infinity };
      kept.requirements = look();
    }
    return kept.requirements;
  }

  return { read, first: read() };
}
