/** What a token that the person gives makes of the login plan: its kind's parts laid over, the token in its place. Pure. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { TokenKind } from '@vestibule/protocol/provider-definition';

export type TokenPlan = {
  plan: LoginPlan;
  /** Goes to the CLI's input, as a line, which then ends; null when it stands in the prepared files. */
  line: string | null;
  /** Whether the CLI is run at all. */
  runsCli: boolean;
};

/** Words for the person when this is no token of that kind, else null. */
export function findTokenProblem(kind: TokenKind | undefined, token: string): string | null {
  if (kind === undefined) return 'This program does not know that kind of key or token.';
  if (token === '') return 'Nothing was given. Paste the key or token.';
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(token)) return `${kind.name}: that is more than one line. Copy it once more.`;
  if (kind.pattern !== undefined && !new RegExp(kind.pattern).test(token))
    return `That does not have the form of this: ${kind.name}. ${kind.hint}`.slice(0, 300);
  return null;
}

export function toTokenPlan(plan: LoginPlan, kind: TokenKind, token: string): TokenPlan {
  const runsCli = kind.input === 'stdin' || kind.login !== undefined;
  const login: LoginPlan['login'] = { ...plan.login, ...withoutUndefined(kind.login ?? {}) };
  const files = kind.files.map(({ path, content }) => ({
    path,
    content: content.replaceAll('${token}', () => toText(path, token)),
  }));
  return {
    plan: {
      ...plan,
      login: { ...login, files: [...login.files, ...files] },
      success: kind.success ?? toSuccess(plan.success, login.io, runsCli),
      credential: kind.credential ?? plan.credential,
    },
    line: kind.input === 'stdin' ? token : null,
    runsCli,
  };
}

/** The condition of the other ways, as far as it can be met. */
function toSuccess(
  success: LoginPlan['success'],
  io: LoginPlan['login']['io'],
  runsCli: boolean,
): LoginPlan['success'] {
  if (!runsCli) return { ...success, when: 'files' };
  return success.when === 'rpc' && io !== 'json_rpc' ? { ...success, when: 'exit_zero' } : success;
}

/** As it stands between double quotes in that file. */
function toText(path: string, token: string): string {
  return /\.(?:json|toml|ya?ml)$/.test(path) ? JSON.stringify(token).slice(1, -1) : token;
}

function withoutUndefined<T extends object>(parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(parts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
