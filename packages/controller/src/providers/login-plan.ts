/** What the agent is told to do: a definition, merged for one way to sign in. Pure. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import type { Mode } from '@vestibule/protocol/session';

type Login = ProviderDefinition['login'];

/** `program`: absolute path of the CLI inside the VM. */
export function toLoginPlan(definition: ProviderDefinition, mode: Mode, program: string): LoginPlan {
  const { id, success, credential, ways, version, install, failures } = definition;
  return {
    provider: id,
    program,
    login: toLogin(definition, mode),
    success,
    credential,
    ways,
    ...(version === undefined ? {} : { version }),
    pinnedVersion: install.version,
    failures: failures.filter(({ modes }) => modes?.includes(mode) ?? true),
  };
}

/**
 * `login` with what is otherwise for the way laid over it. Only a sign-in with a browser has a callback: the other ways use the port only
 * when their own `login` names it. What is otherwise for a token is known with its kind, and the agent lays it over.
 */
function toLogin({ login, ways }: ProviderDefinition, mode: Mode): Login {
  if (mode === 'vm_browser' || mode === 'own_browser') return login;
  const { callbackPort: _, ...withoutPort } = login;
  return mode === 'device_code' ? { ...withoutPort, ...toGiven(ways.device_code?.login ?? {}) } : withoutPort;
}

/** A key that is there without a value replaces nothing. */
function toGiven(other: { [Key in keyof Login]?: Login[Key] | undefined }): Partial<Login> {
  return Object.fromEntries(Object.entries(other).filter(([, value]) => value !== undefined)) as Partial<Login>;
}

/** The port that the CLI always listens on when it signs in this way, or undefined. */
export function findCallbackPort(definition: ProviderDefinition, mode: Mode): number | undefined {
  const ofLogin = toLogin(definition, mode).callbackPort;
  if (mode !== 'token') return ofLogin;
  return definition.ways.token?.kinds.find(({ login }) => login?.callbackPort !== undefined)?.login?.callbackPort;
}
