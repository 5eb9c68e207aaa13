/**
 * What the fake identity provider was asked for and has given: sign-in requests, codes, tokens. As strict as a good real one: PKCE S256 is
 * required (RFC 7636), a code and a refresh token work once, a redirect goes to a loopback address only (RFC 8252).
 */
import { createHash, randomBytes } from 'node:crypto';

export type SignInRequest = {
  clientId: string;
  redirectUri: string;
  challenge: string;
  scope: string;
  state: string | null;
};

type Holder = { user: string; scope: string };

export type IssuedTokens = { accessToken: string; refreshToken: string; scope: string };

/** Called for everything issued or refused, with the tokens themselves: tests look for them afterwards. */
export type Journal = (entry: { type: string; [field: string]: string }) => void;

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\//;

export class Grants {
  readonly #record: Journal;
  readonly #tokenPrefix: string;
  readonly #requests = new Map<string, { request: SignInRequest; user: string | null }>();
  readonly #codes = new Map<string, { request: SignInRequest; user: string }>();
  readonly #refreshTokens = new Map<string, Holder>();

  constructor(record: Journal, tokenPrefix: string) {
    this.#record = record;
    this.#tokenPrefix = tokenPrefix;
  }

  /** The id that the forms carry, or what is wrong with the request, in words. */
  begin(query: URLSearchParams): { requestId: string } | { problem: string } {
    const redirectUri = query.get('redirect_uri') ?? '';
    if (query.get('response_type') !== 'code') return { problem: 'response_type is not "code"' };
    if (query.get('code_challenge_method') !== 'S256') return { problem: 'code_challenge_method is not "S256"' };
    if (!LOOPBACK.test(redirectUri)) return { problem: 'redirect_uri is not a loopback address' };
    const requestId = this.#create('request');
    const request = {
      clientId: query.get('client_id') ?? '',
      redirectUri,
      challenge: query.get('code_challenge') ?? '',
      scope: query.get('scope') ?? '',
      state: query.get('state'),
    };
    this.#requests.set(requestId, { request, user: null });
    this.#record({ type: 'requested', clientId: request.clientId, redirectUri });
    return { requestId };
  }

  /** Null when there is no such request. */
  signIn(requestId: string, user: string): SignInRequest | null {
    const entry = this.#requests.get(requestId);
    if (!entry) return null;
    entry.user = user;
    return entry.request;
  }

  /** Where the browser goes next; null when there is no such request or nobody signed in. */
  decide(requestId: string, allowed: boolean): string | null {
    const entry = this.#requests.get(requestId);
    if (!entry?.user) return null;
    this.#requests.delete(requestId);
    const { redirectUri, state } = entry.request;
    const target = new URL(redirectUri);
    if (allowed) {
      const code = this.#create('code');
      this.#codes.set(code, { request: entry.request, user: entry.user });
      target.searchParams.set('code', code);
      this.#record({ type: 'allowed', user: entry.user, code });
    } else {
      target.searchParams.set('error', 'access_denied');
      this.#record({ type: 'denied', user: entry.user });
    }
    if (state !== null) target.searchParams.set('state', state);
    return target.href;
  }

  /** Null when the code is unknown or used, or the verifier or redirect does not fit. */
  redeemCode(form: URLSearchParams): IssuedTokens | null {
    const code = form.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (grant?.request.challenge !== challenge || grant.request.redirectUri !== form.get('redirect_uri')) {
      this.#record({ type: 'code_refused' });
      return null;
    }
    return this.#issue('authorization_code', { user: grant.user, scope: grant.request.scope });
  }

  /** Null when the refresh token is unknown or used. */
  refresh(refreshToken: string): IssuedTokens | null {
    const holder = this.#refreshTokens.get(refreshToken);
    this.#refreshTokens.delete(refreshToken);
    if (holder !== undefined) return this.#issue('refresh_token', holder);
    this.#record({ type: 'refresh_refused' });
    return null;
  }

  revoke(token: string): void {
    this.#refreshTokens.delete(token);
    this.#record({ type: 'revoked', token });
  }

  #issue(grant: string, holder: Holder): IssuedTokens {
    const accessToken = this.#create('access');
    const refreshToken = this.#create('refresh');
    this.#refreshTokens.set(refreshToken, holder);
    this.#record({ type: 'issued', grant, user: holder.user, accessToken, refreshToken });
    return { accessToken, refreshToken, scope: holder.scope };
  }

  #create(kind: string): string {
    return `${this.#tokenPrefix}_${kind}_${randomBytes(24).toString('base64url')}`;
  }
}
