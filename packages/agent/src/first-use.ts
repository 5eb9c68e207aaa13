/**
 * A first harmless use of the login by the CLI itself: whether the provider accepted it. That it did not says nothing about the login. A
 * controller that settles does not wait for it.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { askCli } from './cli-question.ts';
import { createDeferred } from './deferred.ts';

export type FirstUse = {
  /** True when the CLI ended with 0 in time and nobody was in a hurry. */
  tryOut: (
    program: string,
    use: NonNullable<LoginPlan['success']['use']>,
    around: { env: Readonly<Record<string, string>>; cwd: string },
  ) => Promise<boolean>;
  /** Runs `act`; meanwhile no use is waited for. */
  withoutWaiting: <T>(act: () => Promise<T>) => Promise<T>;
};

export function createFirstUse(): FirstUse {
  let hurry = createDeferred<void>();
  let hurried = 0;
  return {
    async tryOut(program, use, { env, cwd }) {
      if (hurried > 0) return false;
      const { exitCode } = await askCli({
        ...{ program, args: use.args, env: { ...env, ...use.environment }, cwd },
        ...{ timeoutMs: use.timeoutSeconds * 1000, until: hurry.promise },
      });
      return exitCode === 0;
    },
    async withoutWaiting(act) {
      hurried += 1;
      hurry.resolve();
      hurry = createDeferred<void>();
      try {
        return await act();
      } finally {
        hurried -= 1;
      }
    },
  };
}
