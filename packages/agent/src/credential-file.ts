/**
 * Reads the files that are the credential, as they are now: regular files below the home, never through a symbolic link, with a limit
 * that is checked before anything is read. Knows nothing of when a sign-in is over.
 */
import type { FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { MAX_CREDENTIAL_BYTES, type AgentMessage } from '@vestibule/protocol/agent-messages';
import { findBlankField, type CredentialFileSpec } from '@vestibule/protocol/credential-document';
import { parseDocument } from './credential-document.ts';

export type CredentialProblem = Extract<AgentMessage, { type: 'credential_incomplete' }>['problem'];

export type CredentialReading = { path: string } & (
  | { state: 'absent' }
  | { state: 'incomplete'; problem: CredentialProblem; detail: string }
  | { state: 'complete'; bytes: Buffer; document: unknown }
);

/** One reading for each file, in the order given. Together they may hold `maxBytes`. */
export async function readCredentialFiles(
  home: string,
  specs: readonly CredentialFileSpec[],
  maxBytes = MAX_CREDENTIAL_BYTES,
): Promise<CredentialReading[]> {
  const readings: CredentialReading[] = [];
  let room = maxBytes;
  for (const spec of specs) {
    const reading = await readOne(home, spec, room);
    if (reading.state === 'complete') room -= reading.bytes.length;
    readings.push(reading);
  }
  return readings;
}

async function readOne(home: string, spec: CredentialFileSpec, room: number): Promise<CredentialReading> {
  const { path } = spec;
  const incomplete = (problem: CredentialProblem, detail: string): CredentialReading => ({
    path,
    state: 'incomplete',
    problem,
    detail,
  });
  let file: FileHandle;
  try {
    await assertInside(home, path);
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    file = await open(join(home, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { path, state: 'absent' };
    if (code === 'ELOOP' || code === 'ENXIO') return incomplete('not_a_file', `${path} is not a regular file`);
    return incomplete('unreadable', `${path} could not be opened (${code})`);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return incomplete('not_a_file', `${path} is not a regular file`);
    if (stat.size > room) return incomplete('too_large', `${path} holds ${stat.size} bytes`);
    const bytes = await readAtMost(file, room);
    if (bytes === null) return incomplete('too_large', `${path} grew beyond ${room} bytes`);
    return toReading(spec, bytes);
  } finally {
    await file.close();
  }
}

function toReading(spec: CredentialFileSpec, bytes: Buffer): CredentialReading {
  const { path } = spec;
  try {
    const document = parseDocument(spec.format, bytes);
    const blank = findBlankField(spec, document);
    if (blank === null) return { path, state: 'complete', bytes, document };
    return { path, state: 'incomplete', problem: 'blank_field', detail: `${blank} in ${path}` };
  } catch (error) {
    const detail = `${path} is ${error instanceof Error ? error.message : 'unreadable'}`;
    return { path, state: 'incomplete', problem: 'unreadable', detail };
  }
}

/** Null when the file holds more than `limit` bytes: it may have grown since its size was looked at. */
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const { bytesRead } = await file.read(chunk, 0, chunk.length, size);
    if (bytesRead === 0) return Buffer.concat(chunks);
    size += bytesRead;
    if (size > limit) return null;
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

/** A folder on the way may be a link, but not one that leads out of the home. */
async function assertInside(home: string, path: string): Promise<void> {
  const realHome = await realpath(home);
  const folder = await realpath(dirname(join(home, path)));
  if (folder === realHome || folder.startsWith(realHome + sep)) return;
  throw Object.assign(new Error(`${path} leads out of the home folder`), { code: 'ELOOP' });
}
