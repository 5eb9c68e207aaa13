/** Makes the hand-over message out of complete credential files: the exact bytes, their hash, and what the files say of account and expiry. */
import { createHash, randomUUID } from 'node:crypto';
import { toHandoverBytes, type Handover, type LoginPlan } from '@vestibule/protocol/agent-messages';
import { findField } from './credential-document.ts';
import type { CompleteReading } from './verdict.ts';

export function toHandover(
  plan: LoginPlan['credential'],
  readings: readonly CompleteReading[],
  evidence: Handover['evidence'],
): Handover {
  const files = readings.map(({ path, bytes }) => ({ path, contentBase64: bytes.toString('base64') }));
  return {
    type: 'handover',
    handoverId: randomUUID(),
    contentHash: createHash('sha256').update(toHandoverBytes(files)).digest('hex'),
    files,
    account: findAccount(plan, readings),
    expiresAt: findExpiry(plan, readings),
    evidence,
  };
}

function findAccount({ account }: LoginPlan['credential'], readings: readonly CompleteReading[]): string | null {
  const value = account && findField(documentOf(readings, account.file), account.field);
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 300) : null;
}

/** Null when the file does not say, or says something that is no time. */
function findExpiry({ expiresAt }: LoginPlan['credential'], readings: readonly CompleteReading[]): string | null {
  const value = expiresAt && findField(documentOf(readings, expiresAt.file), expiresAt.field);
  if (value instanceof Date) return toIso(value.getTime());
  if (expiresAt === undefined || (typeof value !== 'string' && typeof value !== 'number') || value === '') return null;
  switch (expiresAt.unit) {
    case 'seconds':
      return toIso(Number(value) * 1000);
    case 'milliseconds':
      return toIso(Number(value));
    case 'iso8601':
      return toIso(Date.parse(String(value)));
  }
}

function documentOf(readings: readonly CompleteReading[], path: string): unknown {
  return readings.find((reading) => reading.path === path)?.document;
}

function toIso(epochMs: number): string | null {
  const date = new Date(epochMs);
  const inRange = date.getUTCFullYear() >= 1970 && date.getUTCFullYear() <= 9999;
  return inRange ? date.toISOString() : null;
}
