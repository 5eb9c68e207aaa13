/** A login plan for a small program that stands for a CLI; it keeps its login in `.tool/auth.json`. */
import { loginPlanSchema, type LoginPlan } from '@vestibule/protocol/agent-messages';

export const CREDENTIAL_PATH = '.tool/auth.json';

export type PlanParts = {
  login?: object;
  success?: object;
  credential?: object;
  ways?: object;
  failures?: object[];
  version?: object;
  pinnedVersion?: string;
};

export function createPlan(program: string, parts: PlanParts = {}): LoginPlan {
  const { login, success, credential, ...others } = parts;
  return loginPlanSchema.parse({
    ...others,
    provider: 'tool',
    program,
    login: { ...login },
    success: { ...success },
    credential: { files: [{ path: CREDENTIAL_PATH, format: 'json', required: ['token'] }], ...credential },
  });
}
