/** Tokens in the looks that each vendor gives its own, so that what recognises secrets meets the real forms. Every one is made up. */
import { randomBytes } from 'node:crypto';

export type Person = { user: string; email: string; plan: string; organization: string };

/** What one vendor issues for a person. */
export type Minted = {
  accessToken: string;
  refreshToken: string;
  /** Besides, such as an id_token. */
  more?: Readonly<Record<string, unknown>>;
};
export type Mint = (person: Person) => Minted;

export function toPerson(user: string): Person {
  return { user, email: `${user}@example.org`, plan: 'pro', organization: `org-${user}` };
}

export function createSecret(prefix: string, bytes = 24): string {
  return `${prefix}${randomBytes(bytes).toString('base64url')}`;
}

/** Letters and digits only, as GitHub and npm have them. */
export function createWord(prefix: string, length = 36): string {
  const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
  return prefix + [...randomBytes(length)].map((byte) => letters[byte % letters.length]).join('');
}

/** A JSON Web Token (RFC 7519) with a signature that nobody could have made. */
export function createJwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'fake' })}.${part(claims)}.${randomBytes(32).toString('base64url')}`;
}
