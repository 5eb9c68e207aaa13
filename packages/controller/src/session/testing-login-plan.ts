/** Test support: the login plan of a CLI that writes one file. */
import { type LoginPlan, loginPlanSchema } from '@vestibule/protocol/agent-messages';

export function toTestLoginPlan(provider = 'demo', change: Partial<LoginPlan> = {}): LoginPlan {
  const plan = loginPlanSchema.parse({
    provider,
    program: '/opt/demo',
    login: { url: { from: ['output'], pattern: '^https://' } },
    success: {},
    credential: { files: [{ path: '.demo', format: 'json' }] },
  });
  return { ...plan, ...change };
}
