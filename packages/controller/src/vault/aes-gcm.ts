/** AES-256-GCM as one buffer: nonce (12 bytes), ciphertext, tag (16 bytes). */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { OpenError } from './open-error.ts';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param nonce only for known vectors: a nonce used twice with one key gives both texts away. */
export function encrypt(
  key: Buffer,
  plaintext: Buffer,
  associatedData: Buffer,
  nonce: Buffer = randomBytes(NONCE_BYTES),
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws OpenError */
export function decrypt(key: Buffer, sealed: Buffer, associatedData: Buffer): Buffer {
  if (key.length !== KEY_BYTES || sealed.length < NONCE_BYTES + TAG_BYTES) throw new OpenError();
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const start = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch {
    throw new OpenError();
  }
}
