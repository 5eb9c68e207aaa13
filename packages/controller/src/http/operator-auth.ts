/**
 * Proof that a caller is the operator: the token itself, or a cookie given for it. The cookie is `expiry.mac`, needs no storage,
 * works at every controller that knows the token, and dies with the token.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@vestibule/protocol/secret';

export const COOKIE_NAME = 'vestibule_operator';
export const COOKIE_SECONDS = 12 * 60 * 60;

export class OperatorAuth {
  readonly #token: Secret<string>;
  readonly #cookieKey: Buffer;
  readonly #now: () => number;
  /** Both sides of a comparison are hashed under it, so that neither length nor prefix can be timed. */
  readonly #compareKey = randomBytes(32);

  /** @param now wall clock in milliseconds */
  constructor(token: Secret<string>, now: () => number = Date.now) {
    this.#token = token;
    this.#cookieKey = Buffer.from(hkdfSync('sha256', token.reveal(), '', 'vestibule operator cookie v1', 32));
    this.#now = now;
  }

  isToken(candidate: string): boolean {
    return this.#equals(candidate, this.#token.reveal());
  }

  /** A cookie value that `isCookie` accepts for `COOKIE_SECONDS`. */
  issueCookie(): string {
    const expiry = String(Math.floor(this.#now() / 1000) + COOKIE_SECONDS);
    return `${expiry}.${this.#sign(expiry)}`;
  }

  isCookie(candidate: string): boolean {
    const [expiry = '', mac = '', ...rest] = candidate.split('.');
    if (rest.length > 0 || !/^\d{1,12}$/.test(expiry)) return false;
    return this.#equals(mac, this.#sign(expiry)) && Number(expiry) * 1000 > this.#now();
  }

  #sign(expiry: string): string {
    return createHmac('sha256', this.#cookieKey).update(expiry).digest('base64url');
  }

  #equals(left: string, right: string): boolean {
    const hash = (value: string): Buffer => createHmac('sha256', this.#compareKey).update(value).digest();
    return timingSafeEqual(hash(left), hash(right));
  }
}
