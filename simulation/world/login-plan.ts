/** The login plan and the credential file of the simulated CLIs. */
import { providerDefinitionSchema } from '@vestibule/protocol/provider-definition';
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { CliScript } from '../scenario.ts';

export const CREDENTIAL_PATH = '.cli/auth.json';

const definition = providerDefinitionSchema.parse({
  id: 'simulated',
  name: 'Simulated',
  description: 'A CLI that only the simulation knows.',
  install: { kind: 'bundled', folder: 'simulated', version: '1.0.0', bin: 'cli' },
  login: {},
  credential: { files: [{ path: CREDENTIAL_PATH, format: 'json', required: ['token'] }] },
});

export const toProvider = (cli: number): string => `cli_${cli}`;

export function findScript(clis: readonly CliScript[], provider: string): CliScript {
  const script = clis[Number(provider.slice('cli_'.length))];
  if (script === undefined) throw new Error(`no CLI is called ${provider}`);
  return script;
}

export function toLoginPlan(provider: string, { when, confirm }: Pick<CliScript, 'when' | 'confirm'>): LoginPlan {
  const { login, credential, ways, failures, install } = definition;
  const success = confirm === 'not_asked' ? { when } : { when, confirm: { args: ['status'], timeoutSeconds: 15 } };
  const pinnedVersion = install.version;
  return { provider, program: '/opt/cli', login, success, credential, ways, failures, pinnedVersion };
}
