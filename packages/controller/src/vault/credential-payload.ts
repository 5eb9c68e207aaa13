/** The bytes that are sealed: the credential's files as canonical JSON, so that the same files are always the same bytes. */
import { credentialFilesSchema } from '@vestibule/protocol/agent-messages';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import { z } from 'zod';

const payloadSchema = z.strictObject({ version: z.literal(1), files: credentialFilesSchema });

function byPath(a: { path: string }, b: { path: string }): number {
  if (a.path === b.path) throw new TypeError('a credential holds the same file twice');
  return a.path < b.path ? -1 : 1;
}

/** Files in the order of their paths' UTF-16 code units, keys in a fixed order, no blanks. */
export function toPayload(files: CredentialFiles): Buffer {
  const ordered = files.toSorted(byPath).map(({ path, contentBase64 }) => ({ path, contentBase64 }));
  return Buffer.from(JSON.stringify({ version: 1, files: ordered }));
}

/** @throws Error without any of the content; only bytes that `toPayload` returned are expected here. */
export function fromPayload(payload: Buffer): CredentialFiles {
  try {
    return payloadSchema.parse(JSON.parse(payload.toString('utf8'))).files;
  } catch {
    // The cause would quote the content.
    throw new Error('a sealed record does not hold credential files in a format that this release knows');
  }
}
