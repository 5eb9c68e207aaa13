/** A cold start split into stages that follow each other, each ended by a moment of a run; what went on beside an earlier one takes no time. */
import type { Moment, ProductRun } from './product-run.ts';

/** `create`: up to the machine's supervisor; `boot`: up to the agent's first moment; `agent`: up to its link and the claim. */
export const STAGE_ENDS = {
  create: 'vm_created',
  boot: 'agent_started',
  agent: 'agent_linked',
  display: 'display_ready',
  browser: 'browser_ready',
  page: 'click',
} as const satisfies Record<string, Moment>;
export type ColdStartStage = keyof typeof STAGE_ENDS;
export const COLD_START_STAGES = Object.keys(STAGE_ENDS) as ColdStartStage[];

/** Milliseconds of each; their sum is the time to the click. */
export function toColdStart(run: ProductRun): Record<ColdStartStage, number> {
  let reached = 0;
  const entries = COLD_START_STAGES.map((stage) => {
    const end = Math.max(reached, run[STAGE_ENDS[stage]] ?? reached);
    const took = end - reached;
    reached = end;
    return [stage, took];
  });
  return Object.fromEntries(entries) as Record<ColdStartStage, number>;
}
