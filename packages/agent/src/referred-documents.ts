/**
 * The documents that a definition's references name: of the credential's own files, or of files beside them, read as safely as those. A file
 * that is not there, or cannot be read, has none.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { toReferredFormat } from '@vestibule/protocol/credential-document';
import type { FieldReference } from '@vestibule/protocol/provider-definition';
import { parseDocument } from './credential-document.ts';
import type { readCredentialFiles } from './credential-file.ts';
import type { CompleteReading } from './verdict.ts';

export type FindDocument = (reference: FieldReference) => unknown;

export async function readReferredDocuments(
  read: typeof readCredentialFiles,
  home: string,
  credential: LoginPlan['credential'],
  readings: readonly CompleteReading[],
): Promise<FindDocument> {
  const { account, organization, plan, expiresAt, files } = credential;
  const documents = new Map<string, unknown>();
  for (const reference of [account, organization, plan, expiresAt]) {
    if (reference === undefined) continue;
    const format = toReferredFormat(reference, files);
    const key = toKey(reference, format);
    if (documents.has(key)) continue;
    const own = readings.find(({ path }) => path === reference.file);
    if (own) documents.set(key, isOwnFormat(reference, format, files) ? own.document : parse(format, own.bytes));
    else {
      const [beside] = await read(home, [{ path: reference.file, format, required: [] }]);
      documents.set(key, beside?.state === 'complete' ? beside.document : undefined);
    }
  }
  return (reference) => documents.get(toKey(reference, toReferredFormat(reference, files)));
}

function toKey({ file }: FieldReference, format: string): string {
  return `${format} ${file}`;
}

function isOwnFormat({ file }: FieldReference, format: string, files: LoginPlan['credential']['files']): boolean {
  return files.some((spec) => spec.path === file && spec.format === format);
}

function parse(format: Parameters<typeof parseDocument>[0], bytes: Buffer): unknown {
  try {
    return parseDocument(format, bytes);
  } catch {
    return undefined;
  }
}
