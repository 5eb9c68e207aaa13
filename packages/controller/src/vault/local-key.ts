/** A key wrapper whose key is in this process's memory. */
import { createHmac } from 'node:crypto';
import type { Secret } from '@vestibule/protocol/secret';
import { KEY_BYTES, decrypt, encrypt } from './aes-gcm.ts';
import type { KeyWrapper } from './key-wrapper.ts';

const WRAP_CONTEXT = Buffer.from('vestibule wrapped key v1');

/** Follows from the key alone, so that another key is always noticed. */
function toKeyId(key: Buffer): string {
  return `local:${createHmac('sha256', key).update('vestibule key id v1').digest('hex').slice(0, 32)}`;
}

/** @param masterKey 32 bytes. */
export function createLocalKey(masterKey: Secret<Buffer>): KeyWrapper {
  if (masterKey.reveal().length !== KEY_BYTES) throw new RangeError(`a master key has ${KEY_BYTES} bytes`);
  return {
    keyId: toKeyId(masterKey.reveal()),
    wrapKey: async (key) => encrypt(masterKey.reveal(), key, WRAP_CONTEXT),
    unwrapKey: async (wrapped) => decrypt(masterKey.reveal(), wrapped, WRAP_CONTEXT),
  };
}
