import { expect, test } from 'vitest';
import { decrypt, encrypt } from './aes-gcm.ts';
import { OpenError } from './open-error.ts';

/** Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), which NIST SP 800-38D refers to. */
const VECTOR = {
  key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
  nonce: 'cafebabefacedbaddecaf888',
  associatedData: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
  plaintext:
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  ciphertext:
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
  tag: '76fc6ece0f4e1768cddf8853bb2d551b',
};
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const sealed = hex(VECTOR.nonce + VECTOR.ciphertext + VECTOR.tag);

test('the published vector encrypts and decrypts', () => {
  const { key, nonce, associatedData, plaintext } = VECTOR;
  expect(encrypt(hex(key), hex(plaintext), hex(associatedData), hex(nonce))).toEqual(sealed);
  expect(decrypt(hex(key), sealed, hex(associatedData))).toEqual(hex(plaintext));
});

test('the same text is never encrypted to the same bytes', () => {
  const [key, text] = [hex(VECTOR.key), Buffer.from('text')];
  expect(encrypt(key, text, Buffer.alloc(0))).not.toEqual(encrypt(key, text, Buffer.alloc(0)));
});

test('attack: a shortened tag, or a key of another length', () => {
  const { key, associatedData } = VECTOR;
  for (const length of [0, 12, 27, 28, sealed.length - 1]) {
    expect(() => decrypt(hex(key), sealed.subarray(0, length), hex(associatedData))).toThrow(OpenError);
  }
  expect(() => decrypt(hex(key).subarray(0, 16), sealed, hex(associatedData))).toThrow(OpenError);
});
