/** Finds the words for a failed run of the CLI: its output first, then its version. */
import type { FailureCode } from '@vestibule/protocol/session-failure';
import { findCause, type Cause } from './failure-classifier.ts';
import { toPublicDetail } from './public-detail.ts';
import type { Secrets } from './redaction.ts';
import type { WayRun } from './way-run.ts';
import { findWrongVersion } from './wrong-version.ts';

export type Explanation = { code: FailureCode; detail: string };

/** `words`: what it said elsewhere than in its output. Resolves with `unexplained` when nothing tells more. */
export async function explain(
  run: WayRun,
  {
    unexplained,
    words = '',
    secrets,
    cwd,
    pace,
  }: { unexplained: Explanation; words?: string; secrets: Secrets; cwd: string; pace: number },
): Promise<Explanation> {
  const { mode, plan, env, exit, wasOffered } = run;
  if (exit !== null) await run.outputEnded();
  const toCause = (text: string): Cause | null => findCause({ mode, failures: plan.failures, text, exit, wasOffered });
  const cause = (words === '' ? null : toCause(words)) ?? toCause(run.recentOutput());
  if (cause !== null) return { code: cause.code, detail: toPublicDetail(cause.detail, secrets) };
  const wrong = plan.version && (await findWrongVersion(plan, { env, cwd, pace }));
  return wrong ? { code: 'cli_wrong_version', detail: wrong } : unexplained;
}
