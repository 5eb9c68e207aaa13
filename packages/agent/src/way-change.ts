/** Whether a change of the way to sign in needs the CLI to start anew. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';

type Way = { mode: Mode; plan: LoginPlan };

/** The live view and the person's own browser show the same sign-in of the same CLI. */
export function isSameLogin(before: Way, after: Way): boolean {
  const usesLink = (mode: Mode): boolean => mode === 'vm_browser' || mode === 'own_browser';
  if (!usesLink(before.mode) || !usesLink(after.mode)) return false;
  const toLogin = ({ plan: { program, login, success, credential } }: Way): object => ({
    ...{ program, login, success, credential },
  });
  return isDeepStrictEqual(toLogin(before), toLogin(after));
}
