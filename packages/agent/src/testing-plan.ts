/** A login plan for a small program that stands for a CLI; it keeps its login in `.tool/auth.json`. */
import { loginPlanSchema, type LoginPlan } from '@vestibule/protocol/agent-messages';

export const CREDENTIAL_PATH = '.tool/auth.json';

export function createPlan(
  program: string,
  parts: { login?: object; success?: object; credential?: object } = {},
): LoginPlan {
  return loginPlanSchema.parse({
    provider: 'tool',
    program,
    login: { ...parts.login },
    success: { ...parts.success },
    credential: { files: [{ path: CREDENTIAL_PATH, format: 'json', required: ['token'] }], ...parts.credential },
  });
}
