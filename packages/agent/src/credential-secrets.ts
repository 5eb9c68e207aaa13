/** The values of a credential's document that are secrets: what the CLI writes after it was signed in may hold them. */
import { findInnerDocument } from '@vestibule/protocol/credential-document';
import type { Secrets } from './redaction.ts';

/** Shorter values are names, kinds and scopes. */
const MIN_CHARS = 16;
const MAX_DEPTH = 8;

export function addCredentialSecrets(secrets: Secrets, document: unknown, depth = 0): void {
  if (typeof document === 'string') {
    for (const line of document.split(/\s+/)) if (isSecret(line)) secrets.add(line, MIN_CHARS);
    addCredentialSecrets(secrets, findInnerDocument(document), depth + 1);
    return;
  }
  if (typeof document !== 'object' || document === null || depth > MAX_DEPTH) return;
  for (const value of Object.values(document)) addCredentialSecrets(secrets, value, depth + 1);
}

/** Not an address of a page or a person, nor a time. */
function isSecret(value: string): boolean {
  return !/^https?:|@|^\d{4}-\d\d-\d\dT/.test(value);
}
