/** Whether the CLI is another version than the one that was pinned: asked after a failure that nothing else explains. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { askCli } from './cli-question.ts';

const ANSWER_WITHIN_MS = 10_000;

/** `1.2.3 instead of 1.2.4`; null when it is the pinned one, or does not say. */
export async function findWrongVersion(
  { program, version, pinnedVersion }: Pick<LoginPlan, 'program' | 'version' | 'pinnedVersion'>,
  { env, cwd, pace }: { env: Readonly<Record<string, string>>; cwd: string; pace: number },
): Promise<string | null> {
  if (version === undefined || pinnedVersion === '') return null;
  const { text } = await askCli({ program, args: version.args, env, cwd, timeoutMs: ANSWER_WITHIN_MS * pace });
  const match = new RegExp(version.pattern, 'm').exec(text);
  const found = match?.[1] ?? match?.[0];
  // A Debian version may say more than the program does.
  if (found === undefined || found === pinnedVersion || pinnedVersion.startsWith(`${found}+`)) return null;
  return pinnedVersion.startsWith(`${found}-`) ? null : `${found.slice(0, 60)} instead of ${pinnedVersion}`;
}
