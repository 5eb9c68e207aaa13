/** Makes the offer of each way to sign in out of what was caught. Pure. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { findCallback, type Offer } from '@vestibule/protocol/offer';
import type { DeviceCode } from './device-code-catcher.ts';

const NOTHING = { url: null, codeUrl: null, callback: null, accepts: [], deviceCode: null, validForMs: null };
const MAX_URL_CHARS = 8192;

export type CaughtLinks = { url: string; codeUrl: string | null };

/** The same in the live view and in the person's own browser, so that the one can take the place of the other at any time. */
export function toBrowserOffer(
  mode: 'vm_browser' | 'own_browser',
  { url, codeUrl }: CaughtLinks,
  ways: LoginPlan['ways'],
): Offer {
  const callback = findCallback(url);
  const fitting = ways.own_browser?.accepts ?? (callback === null ? ['code'] : ['callback']);
  const accepts = fitting.filter((kind) => kind === 'code' || callback !== null);
  const short = (link: string | null): string | null => (link === null || link.length > MAX_URL_CHARS ? null : link);
  return { ...NOTHING, mode, url: short(url), codeUrl: short(codeUrl), callback, accepts };
}

export function toDeviceOffer({ code, url }: DeviceCode, validSeconds: number): Offer {
  return { ...NOTHING, accepts: [], mode: 'device_code', url, deviceCode: code, validForMs: validSeconds * 1000 };
}

export function toTokenOffer(): Offer {
  return { ...NOTHING, mode: 'token', accepts: ['token'] };
}
