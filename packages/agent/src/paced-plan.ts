/** A login plan with the CLI's times for a machine that is so many times slower than usual; what the provider's clock counts stays. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';

export function toPacedPlan(plan: LoginPlan, pace: number): LoginPlan {
  const { login, success } = plan;
  const slow = <T extends { timeoutSeconds: number }>(part: T): T => ({
    ...part,
    timeoutSeconds: Math.ceil(part.timeoutSeconds * pace),
  });
  return {
    ...plan,
    login: { ...login, url: slow(login.url) },
    success: {
      ...success,
      ...(success.confirm && { confirm: slow(success.confirm) }),
      ...(success.use && { use: slow(success.use) }),
    },
  };
}
