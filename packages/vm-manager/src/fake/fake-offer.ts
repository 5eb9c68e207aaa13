/** What a `fake` VM offers for each way to sign in: links that lead nowhere, with a callback and a state as real ones have. */
import { randomBytes } from 'node:crypto';
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { findCallback, type Offer } from '@vestibule/protocol/offer';
import type { Mode } from '@vestibule/protocol/session';
import type { FakeScript } from './fake-script.ts';

const SIGN_IN = 'https://sign-in.example.test/authorize';
const DEVICE = 'https://sign-in.example.test/device';
/** When the plan names none; nobody listens there. */
const CALLBACK_PORT = 41_455;
const CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

export function toFakeOffer(mode: Mode, plan: LoginPlan, script: Pick<FakeScript, 'deviceCodeSeconds'>): Offer {
  const nothing = { mode, url: null, codeUrl: null, callback: null, deviceCode: null, validForMs: null } as const;
  if (mode === 'token') return { ...nothing, accepts: ['token'] };
  if (mode === 'device_code') {
    const validForMs = (script.deviceCodeSeconds ?? plan.ways.device_code?.validSeconds ?? 900) * 1000;
    return { ...nothing, url: DEVICE, accepts: [], deviceCode: toDeviceCode(), validForMs };
  }
  const state = randomBytes(16).toString('hex');
  const way = plan.ways.own_browser;
  const url = toLink(state, `http://127.0.0.1:${plan.login.callbackPort ?? CALLBACK_PORT}/callback`);
  const codeUrl = way?.codeUrlPattern === undefined ? null : toLink(state, 'https://sign-in.example.test/code');
  return { ...nothing, url, codeUrl, callback: findCallback(url), accepts: way?.accepts ?? ['callback'] };
}

function toLink(state: string, redirectUri: string): string {
  const query = { response_type: 'code', client_id: 'fake', redirect_uri: redirectUri, state };
  return `${SIGN_IN}?${String(new URLSearchParams(query))}`;
}

function toDeviceCode(): string {
  const letters = Array.from(randomBytes(8), (byte) => CODE_LETTERS[byte % CODE_LETTERS.length]);
  return `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`;
}
