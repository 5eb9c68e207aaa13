/** What the files of a complete login say of themselves: account, organization, plan, expiry. Pure. */
import { findReferred } from './credential-document.ts';
import type { CredentialSpec, FieldReference } from './provider-definition.ts';

export type CredentialFacts = {
  account: string | null;
  organization: string | null;
  accountPlan: string | null;
  /** ISO 8601, of the access token. */
  expiresAt: string | null;
};

/** `findDocument` gives the document of a file of the home, `undefined` when there is none. */
export function findFacts(spec: CredentialSpec, findDocument: (reference: FieldReference) => unknown): CredentialFacts {
  const text = (reference: FieldReference | undefined, maxChars: number): string | null => {
    const value = reference && findReferred(findDocument(reference), reference);
    return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, maxChars) : null;
  };
  return {
    account: text(spec.account, 300),
    organization: text(spec.organization, 300),
    accountPlan: text(spec.plan, 100),
    expiresAt: findExpiry(spec.expiresAt, findDocument),
  };
}

/** Null when the file does not say, or says something that is no time. */
function findExpiry(
  reference: CredentialSpec['expiresAt'],
  findDocument: (reference: FieldReference) => unknown,
): string | null {
  const value = reference && findReferred(findDocument(reference), reference);
  if (value instanceof Date) return toIso(value.getTime());
  if (reference === undefined || (typeof value !== 'string' && typeof value !== 'number') || value === '') return null;
  switch (reference.unit) {
    case 'seconds':
      return toIso(Number(value) * 1000);
    case 'milliseconds':
      return toIso(Number(value));
    case 'iso8601':
      return toIso(Date.parse(String(value)));
  }
}

function toIso(epochMs: number): string | null {
  const date = new Date(epochMs);
  const inRange = date.getUTCFullYear() >= 1970 && date.getUTCFullYear() <= 9999;
  return inRange ? date.toISOString() : null;
}
