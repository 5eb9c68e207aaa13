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

export type IssuedTokens = { accessToken: string; refreshToken: string; scope: string };

/** Called for everything issued or refused, with the tokens themselves: tests look for them afterwards. */
export type Record = (entry: { type: string; [field: string]: string }) => void;

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\//;

export class Grants {
  readonly #record: Record;
  readonly #tokenPrefix: string;
  readonly #requests = new Map<string, { request: SignInRequest; user: string | null }>();
  readonly #codes = new Map<string, SignInRequest>();
  readonly #refreshTokens = new Map<string, string>();

  constructor(record: Record, tokenPrefix: string) {
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
      this.#codes.set(code, entry.request);
      target.searchParams.set('code', code);
    } else target.searchParams.set('error', 'access_denied');
    if (state !== null) target.searchParams.set('state', state);
    this.#record({ type: allowed ? 'allowed' : 'denied', user: entry.user });
    return target.href;
  }

  /** Null when the code is unknown or used, or the verifier or redirect does not fit. */
  redeemCode(form: URLSearchParams): IssuedTokens | null {
    const code = form.get('code') ?? '';
    const request = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (request?.challenge !== challenge || request.redirectUri !== form.get('redirect_uri')) {
      this.#record({ type: 'code_refused' });
      return null;
    }
    return this.#issue('authorization_code', request.scope);
  }

  /** Null when the refresh token is unknown or used. */
  refresh(refreshToken: string): IssuedTokens | null {
    const scope = this.#refreshTokens.get(refreshToken);
    this.#refreshTokens.delete(refreshToken);
    if (scope !== undefined) return this.#issue('refresh_token', scope);
    this.#record({ type: 'refresh_refused' });
    return null;
  }

  revoke(token: string): void {
    this.#refreshTokens.delete(token);
    this.#record({ type: 'revoked', token });
  }

  #issue(grant: string, scope: string): IssuedTokens {
    const tokens = { accessToken: this.#create('access'), refreshToken: this.#create('refresh'), scope };
    this.#refreshTokens.set(tokens.refreshToken, scope);
    this.#record({ type: 'issued', grant, accessToken: tokens.accessToken, refreshToken: tokens.refreshToken });
    return tokens;
  }

  #create(kind: string): string {
    return `${this.#tokenPrefix}_${kind}_${randomBytes(24).toString('base64url')}`;
  }
}
