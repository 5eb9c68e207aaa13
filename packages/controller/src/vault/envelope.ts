/**
 * Envelope encryption of one record. Each record has a key of its own, wrapped by the key wrapper, and is bound to its owner: a
 * credential opens under no other credential id, user or provider, an answer under no other answer id or session, an offer under no other
 * session or way.
 *
 * Layout: format (1 byte, = 1) | length of the wrapped key (2 bytes, big endian) | wrapped key | AES-256-GCM of the payload.
 * The wrapped key stands outside what the payload's tag covers, so that rotation can wrap it anew without touching the payload.
 */
import { randomBytes } from 'node:crypto';
import { KEY_BYTES, decrypt, encrypt } from './aes-gcm.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { OpenError } from './open-error.ts';

const FORMAT = 1;
const HEADER_BYTES = 3;
const MAX_WRAPPED_BYTES = 0xffff;
const CREDENTIAL_CONTEXT = 'vestibule provider credential';
const ANSWER_CONTEXT = 'vestibule session answer';
const OFFER_CONTEXT = 'vestibule session offer';

export type CredentialOwner = { credentialId: string; userId: string; provider: string };
export type AnswerOwner = { answerId: string; sessionId: string };
export type OfferOwner = { sessionId: string; way: number };
export type RecordOwner = CredentialOwner | AnswerOwner | OfferOwner;

function toParts(owner: RecordOwner): string[] {
  if ('answerId' in owner) return [ANSWER_CONTEXT, owner.answerId, owner.sessionId];
  if ('way' in owner) return [OFFER_CONTEXT, owner.sessionId, String(owner.way)];
  return [CREDENTIAL_CONTEXT, owner.credentialId, owner.userId, owner.provider];
}

/** Length before each part, so that no two owners have the same bytes. @throws TypeError on text that UTF-8 cannot carry. */
export function toAssociatedData(owner: RecordOwner): Buffer {
  const encoded = toParts(owner).flatMap((part) => {
    if (/\p{Surrogate}/u.test(part)) throw new TypeError('an id holds half of a surrogate pair');
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat([Buffer.of(FORMAT), ...encoded]);
}

export async function seal(wrapper: KeyWrapper, owner: RecordOwner, payload: Buffer): Promise<Buffer> {
  const associatedData = toAssociatedData(owner);
  const key = randomBytes(KEY_BYTES);
  try {
    const wrapped = await wrapper.wrapKey(key);
    if (wrapped.length === 0 || wrapped.length > MAX_WRAPPED_BYTES)
      throw new RangeError('the wrapped key has no possible length');
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(FORMAT);
    header.writeUInt16BE(wrapped.length, 1);
    return Buffer.concat([header, wrapped, encrypt(key, payload, associatedData)]);
  } finally {
    key.fill(0);
  }
}

/** @throws OpenError, and what the wrapper throws when its key's keeper cannot be asked */
export async function open(wrapper: KeyWrapper, owner: RecordOwner, sealed: Buffer): Promise<Buffer> {
  if (sealed.length < HEADER_BYTES || sealed.readUInt8() !== FORMAT) throw new OpenError();
  const end = HEADER_BYTES + sealed.readUInt16BE(1);
  if (sealed.length < end) throw new OpenError();
  const key = await wrapper.unwrapKey(sealed.subarray(HEADER_BYTES, end));
  try {
    return decrypt(key, sealed.subarray(end), toAssociatedData(owner));
  } finally {
    key.fill(0);
  }
}
