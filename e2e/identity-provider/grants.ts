/**
 * What the fake identity provider was asked for and has given: sign-in requests, codes, tokens. As strict as a good real one: PKCE S256 is
 * required where the vendor's CLI does it (RFC 7636), a code and a refresh token work once, a redirect goes to a loopback address
 * (RFC 8252) or to the vendor's own page that shows the code.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Mint, Minted, Person } from './tokens.ts';
import { toPerson } from './tokens.ts';

export type SignInRequest = {
  clientId: string;
  redirectUri: string;
  /** Null: without PKCE. */
  challenge: string | null;
  scope: string;
  state: string | null;
};

/** What a request is for besides a redirect: a code on another device, a login that a program waits for. */
export type Approval = { clientId: string; scope: string; decided: (user: string | null) => void; next: string };

type Holder = { user: string; scope: string };
type Pending = { request: SignInRequest; user: string | null } | { approval: Approval; user: string | null };

export type IssuedTokens = Minted & { scope: string; person: Person };

/** Called for everything issued or refused, with the tokens themselves: tests look for them afterwards. */
export type Journal = (entry: { type: string; [field: string]: string }) => void;

export type RequestRules = {
  pkce: 'required' | 'optional';
  /** Where else than to a loopback address the browser may be led. */
  pages?: readonly string[];
};

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\//;

export class Grants {
  readonly #record: Journal;
  readonly #tokenPrefix: string;
  readonly #requests = new Map<string, Pending>();
  readonly #codes = new Map<string, { request: SignInRequest; user: string }>();
  readonly #refreshTokens = new Map<string, Holder>();
  readonly #accessTokens = new Map<string, string>();

  constructor(record: Journal, tokenPrefix: string) {
    this.#record = record;
    this.#tokenPrefix = tokenPrefix;
  }

  /** The id that the forms carry, or what is wrong with the request, in words. */
  begin(query: URLSearchParams, rules: RequestRules): { requestId: string } | { problem: string } {
    const redirectUri = query.get('redirect_uri') ?? '';
    const challenge = query.get('code_challenge');
    if (query.get('response_type') !== 'code') return { problem: 'response_type is not "code"' };
    if (challenge === null ? rules.pkce === 'required' : query.get('code_challenge_method') !== 'S256')
      return { problem: 'code_challenge_method is not "S256"' };
    if (!LOOPBACK.test(redirectUri) && rules.pages?.includes(redirectUri) !== true)
      return { problem: 'redirect_uri is not a loopback address' };
    return this.beginRequest({
      clientId: query.get('client_id') ?? '',
      redirectUri,
      challenge,
      scope: query.get('scope') ?? '',
      state: query.get('state'),
    });
  }

  beginRequest(request: SignInRequest): { requestId: string } {
    this.#record({ type: 'requested', clientId: request.clientId, redirectUri: request.redirectUri });
    return this.#hold({ request, user: null });
  }

  beginApproval(approval: Approval): { requestId: string } {
    this.#record({ type: 'requested', clientId: approval.clientId, redirectUri: '' });
    return this.#hold({ approval, user: null });
  }

  /** What is asked for; null when there is no such request. */
  signIn(requestId: string, user: string): { clientId: string; scope: string } | null {
    const entry = this.#requests.get(requestId);
    if (!entry) return null;
    entry.user = user;
    return 'request' in entry ? entry.request : entry.approval;
  }

  /** Where the browser goes next; null when there is no such request or nobody signed in. */
  decide(requestId: string, allowed: boolean): string | null {
    const entry = this.#requests.get(requestId);
    if (!entry?.user) return null;
    this.#requests.delete(requestId);
    if ('approval' in entry) {
      this.#record({ type: allowed ? 'allowed' : 'denied', user: entry.user });
      entry.approval.decided(allowed ? entry.user : null);
      return entry.approval.next;
    }
    const { redirectUri, state } = entry.request;
    const target = new URL(redirectUri);
    if (allowed) {
      target.searchParams.set('code', this.createCode(entry.request, entry.user));
    } else {
      target.searchParams.set('error', 'access_denied');
      target.searchParams.set('error_description', 'The person denied the request');
      this.#record({ type: 'denied', user: entry.user });
    }
    if (state !== null) target.searchParams.set('state', state);
    return target.href;
  }

  /** A code that works once. */
  createCode(request: SignInRequest, user: string): string {
    const code = this.#create('code');
    this.#codes.set(code, { request, user });
    this.#record({ type: 'allowed', user, code });
    return code;
  }

  /** Null when the code is unknown or used, or the verifier or redirect does not fit. */
  redeemCode(fields: URLSearchParams, mint: Mint): IssuedTokens | null {
    const code = fields.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    const verifier = fields.get('code_verifier');
    const challenge = verifier === null ? null : createHash('sha256').update(verifier).digest('base64url');
    if (grant?.request.challenge !== challenge || grant.request.redirectUri !== fields.get('redirect_uri')) {
      this.#record({ type: 'code_refused' });
      return null;
    }
    return this.issue('authorization_code', { user: grant.user, scope: grant.request.scope }, mint);
  }

  /** Null when the refresh token is unknown or used. */
  refresh(refreshToken: string, mint: Mint): IssuedTokens | null {
    const holder = this.#refreshTokens.get(refreshToken);
    this.#refreshTokens.delete(refreshToken);
    if (holder !== undefined) return this.issue('refresh_token', holder, mint);
    this.#record({ type: 'refresh_refused' });
    return null;
  }

  revoke(token: string): void {
    this.#refreshTokens.delete(token);
    this.#accessTokens.delete(token);
    this.#record({ type: 'revoked', token });
  }

  issue(grant: string, holder: Holder, mint: Mint): IssuedTokens {
    const person = toPerson(holder.user);
    const minted = mint(person);
    const { accessToken, refreshToken } = minted;
    this.#refreshTokens.set(refreshToken, holder);
    this.#accessTokens.set(accessToken, holder.user);
    this.#record({ type: 'issued', grant, user: holder.user, accessToken, refreshToken });
    return { ...minted, scope: holder.scope, person };
  }

  /** Takes a token that somebody has from elsewhere, such as an API key. */
  accept(accessToken: string, user: string): void {
    this.#accessTokens.set(accessToken, user);
  }

  /** Whose access token it is; null when it is nobody's. */
  findPerson(accessToken: string | null): Person | null {
    const user = accessToken === null ? undefined : this.#accessTokens.get(accessToken);
    return user === undefined ? null : toPerson(user);
  }

  #hold(pending: Pending): { requestId: string } {
    const requestId = this.#create('request');
    this.#requests.set(requestId, pending);
    return { requestId };
  }

  /** Plain tokens, for vendors whose looks do not matter. */
  mintPlain: Mint = () => ({ accessToken: this.#create('access'), refreshToken: this.#create('refresh') });

  #create(kind: string): string {
    return `${this.#tokenPrefix}_${kind}_${randomBytes(24).toString('base64url')}`;
  }
}
