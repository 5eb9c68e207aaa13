/** The recorded questions of a CLI version and their answers, in order: each answer is sent once, when its question has appeared. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';

export type Dialogue = { onText: (text: string) => void };

/** Unmatched output kept for a question that arrives in pieces; longer than any question a definition may hold is likely to be. */
const KEPT_CHARS = 16 * 1024;

export function createDialogue(steps: LoginPlan['login']['dialogue'], send: (text: string) => void): Dialogue {
  const remaining = [...steps];
  let seen = '';
  return {
    onText(text) {
      if (remaining.length === 0) return;
      seen += text;
      for (let step = remaining[0]; step; step = remaining[0]) {
        const at = seen.indexOf(step.expect);
        if (at === -1) break;
        seen = seen.slice(at + step.expect.length);
        remaining.shift();
        send(step.send);
      }
      seen = seen.slice(-KEPT_CHARS);
    },
  };
}
