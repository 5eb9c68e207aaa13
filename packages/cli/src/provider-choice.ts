/** The provider that the person named and the way to sign in, or in words why it cannot be. */
import type { Provider, ProvidersAnswer } from '@vestibule/protocol/api';
import type { Mode } from '@vestibule/protocol/session';
import { CliError } from './cli-error.ts';
import { MODE_WORDS } from './step-words.ts';

/** Ways that a terminal can do by itself, best first. */
const OWN_WAYS: readonly Mode[] = ['own_browser', 'device_code', 'token'];

/** By its id. Null when the server lists none, though it may know the name as an alias. */
export function findProvider({ providers }: ProvidersAnswer, name: string): Provider | null {
  return providers.find(({ id }) => id === name) ?? null;
}

/** Throws `CliError` with what to do first. */
export function requireUsable(provider: Provider): void {
  const { id, name, notice, available, reason } = provider;
  if (notice !== null && notice.acceptedAt === null)
    throw new CliError(
      'not_offered',
      `${name} is offered only after the operator has read and accepted its notice, once: vestibule providers accept ${id}`,
    );
  if (!available) throw new CliError('not_offered', reason ?? `${name} cannot be used on this server now.`);
}

export function toUnknownProvider({ providers }: ProvidersAnswer, name: string): CliError {
  const ids = providers.map(({ id }) => id).join(', ');
  return new CliError('not_offered', `The server knows no provider called ${name}. It offers: ${ids || 'none'}.`);
}

/** The way asked for, else the first that a terminal can do. Throws `CliError`. */
export function chooseMode({ name, modes }: Provider, asked: Mode | undefined): Mode {
  const usable = modes.filter(({ available }) => available).map(({ mode }) => mode);
  const mode = asked ?? OWN_WAYS.find((own) => usable.includes(own));
  if (mode !== undefined && usable.includes(mode)) return mode;
  const ways = usable.map((other) => `${other} (${MODE_WORDS[other]})`).join('; ');
  const others = ways === '' ? 'There is no other way now.' : `There is: ${ways}.`;
  if (mode === undefined) throw new CliError('not_offered', `${name} has no way to sign in from a terminal. ${others}`);
  const reason = modes.find((known) => known.mode === mode)?.reason;
  throw new CliError(
    'not_offered',
    `${name} cannot be signed in to ${MODE_WORDS[mode]}${reason ? ` (${reason})` : ''}. ${others}`,
  );
}
