/** The ways to sign in, in words for persons, and in the order in which they are offered. */
import type { Provider } from '@vestibule/protocol/api';
import type { Mode } from '@vestibule/protocol/session';

type WayWords = {
  name: string;
  /** What one does, in one line. */
  line: string;
  /** Of what one types, what passes through this server. */
  passes: string;
};

export const WAY_WORDS: Record<Mode, WayWords> = {
  vm_browser: {
    name: 'In a browser on this server',
    line: 'It is shown in this page. You click and type in it as in your own.',
    passes: 'What you type in the browser on this server passes through it, your password included.',
  },
  own_browser: {
    name: 'In your own browser',
    line: 'With your own passwords, passkeys and security keys. At the end you paste an address or a code into this page.',
    passes: 'Your password stays in your own browser. The address or code that you paste passes through this server.',
  },
  device_code: {
    name: 'With a code, on any device',
    line: 'You open a link on a phone or computer and type a short code there. Nothing has to be brought back.',
    passes:
      'Your password stays on the device where you sign in. Nothing that you type there passes through this server.',
  },
  token: {
    name: 'With a key or token that you have',
    line: 'You paste it into this page. No browser is needed.',
    passes: 'The key or token that you paste passes through this server.',
  },
};

export type Way = Pick<Provider['modes'][number], 'mode' | 'hint'>;

/**
 * What can be used here now, the most likely to work first: for a person with a passkey, security key or managed device the own browser,
 * then what the server suggests, then as the definition has them.
 */
export function toOrderedWays(provider: Pick<Provider, 'modes' | 'suggestedMode'>, hasPasskey: boolean): Way[] {
  const toRank = ({ mode }: Way): number => {
    if (hasPasskey && mode === 'own_browser') return 0;
    return mode === provider.suggestedMode ? 1 : 2;
  };
  return provider.modes.filter(({ available }) => available).toSorted((a, b) => toRank(a) - toRank(b));
}

/** The ways beside the present one. */
export function toOtherWays(provider: Provider | null, present: Mode): Way[] {
  return provider === null ? [] : toOrderedWays(provider, false).filter(({ mode }) => mode !== present);
}
