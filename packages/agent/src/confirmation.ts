/** Asks the CLI itself whether it is signed in: exit code 0 within the time means yes. Its output is not read. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { startChild } from './child.ts';

export type Confirmation = NonNullable<LoginPlan['success']['confirm']>;

/** Null when it confirmed, else why not, in words. */
export async function findDoubt(
  program: string,
  { args, timeoutSeconds }: Confirmation,
  options: { env: Readonly<Record<string, string>>; cwd: string },
): Promise<string | null> {
  const child = startChild(program, args, { ...options, stdio: 'ignore' });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void child.stop(0);
  }, timeoutSeconds * 1000);
  try {
    const { exitCode } = await child.exited;
    if (late) return `no answer within ${timeoutSeconds} s`;
    return exitCode === 0 ? null : `it answered with code ${exitCode}`;
  } catch {
    return 'it could not be asked';
  } finally {
    clearTimeout(timer);
  }
}
