/**
 * Makes the hand-over message out of complete credential files: the exact bytes, their hash, and what they, or files beside them, say of
 * account, plan and expiry.
 */
import { createHash, randomUUID } from 'node:crypto';
import { toHandoverBytes, type Handover, type LoginPlan } from '@vestibule/protocol/agent-messages';
import { findFacts } from '@vestibule/protocol/credential-facts';
import type { FindDocument } from './referred-documents.ts';
import type { CompleteReading } from './verdict.ts';

export function toHandover(
  plan: LoginPlan['credential'],
  readings: readonly CompleteReading[],
  evidence: Handover['evidence'],
  findDocument: FindDocument = ({ file }) => readings.find(({ path }) => path === file)?.document,
): Handover {
  const files = readings.map(({ path, bytes }) => ({ path, contentBase64: bytes.toString('base64') }));
  return {
    type: 'handover',
    handoverId: randomUUID(),
    contentHash: createHash('sha256').update(toHandoverBytes(files)).digest('hex'),
    files,
    ...findFacts(plan, findDocument),
    evidence,
  };
}
