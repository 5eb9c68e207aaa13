import { randomBytes } from 'node:crypto';
import { Secret } from '@vestibule/protocol/secret';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { open, seal, toAssociatedData } from './envelope.ts';
import type { RecordOwner } from './envelope.ts';
import { createLocalKey } from './local-key.ts';
import { OpenError } from './open-error.ts';

const wrapper = createLocalKey(new Secret(Buffer.alloc(32, 7)));
const owner: RecordOwner = {
  credentialId: '5f0c6c1e-8f0e-4a55-9d3b-3f8f4f0c2a11',
  userId: 'ann',
  provider: 'wrangler',
};
const payload = Buffer.from('{"token":"canary"}');

const id = fc.string({ unit: 'binary' });
const owners = fc.record({ credentialId: id, userId: id, provider: id });

/** Sealed by the first release; a later one must open it. */
const FIRST_RELEASE =
  'AQA8SJzUNbuVJpL0ISeBBcOMCE24hOHx0z6s8v1VzBUt5Vwn38vD0PyKSfYgpoWoBBoCBuVMA3+DErVvIMK1CoAYOyypfu/l+Ys5pTp2Xc+Kqx+ElwGs1OhLqrCkAJg9FO1WSoiCDL0glPGgyA==';

test('a record of the first release opens to what was sealed', async () => {
  expect(await open(wrapper, owner, Buffer.from(FIRST_RELEASE, 'base64'))).toEqual(payload);
});

test('the associated data has the documented layout', () => {
  const text = toAssociatedData({ credentialId: 'c', userId: 'ü', provider: '' });
  expect(text.toString('latin1')).toBe(
    '\x01\0\0\0\x1dvestibule provider credential\0\0\0\x01c\0\0\0\x02\xc3\xbc\0\0\0\0',
  );
});

test('property: what was sealed for an owner opens for that owner', async () => {
  await fc.assert(
    fc.asyncProperty(owners, fc.uint8Array({ maxLength: 4096 }), async (someone, bytes) => {
      const sealed = await seal(wrapper, someone, Buffer.from(bytes));
      expect(await open(wrapper, someone, sealed)).toEqual(Buffer.from(bytes));
    }),
  );
});

test('property: owners that differ in anything differ in their associated data', () => {
  fc.assert(
    fc.property(owners, owners, (a, b) => {
      const isSame = a.credentialId === b.credentialId && a.userId === b.userId && a.provider === b.provider;
      expect(toAssociatedData(a).equals(toAssociatedData(b))).toBe(isSame);
    }),
  );
});

test('property: the same text divided otherwise over the ids gives other associated data', () => {
  fc.assert(
    fc.property(id, fc.string({ unit: 'binary', minLength: 1 }), (a, b) => {
      const apart = toAssociatedData({ credentialId: a, userId: b, provider: '' });
      expect(apart).not.toEqual(toAssociatedData({ credentialId: a + b, userId: '', provider: '' }));
      expect(apart).not.toEqual(toAssociatedData({ credentialId: a, userId: '', provider: b }));
    }),
  );
});

test('attack: half a surrogate pair, which UTF-8 would make the same as another id', async () => {
  await expect(seal(wrapper, { ...owner, userId: 'a\ud800' }, payload)).rejects.toThrow(TypeError);
});

test('attack: every byte of a record is changed, one at a time', async () => {
  const sealed = await seal(wrapper, owner, payload);
  for (let index = 0; index < sealed.length; index += 1) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ mask, index);
      await expect(open(wrapper, owner, changed), `byte ${index} ^ ${mask}`).rejects.toStrictEqual(new OpenError());
    }
  }
});

test('attack: a record is cut off anywhere, or something is appended', async () => {
  const sealed = await seal(wrapper, owner, payload);
  for (let length = 0; length < sealed.length; length += 1) {
    await expect(open(wrapper, owner, sealed.subarray(0, length))).rejects.toStrictEqual(new OpenError());
  }
  await expect(open(wrapper, owner, Buffer.concat([sealed, Buffer.of(0)]))).rejects.toStrictEqual(new OpenError());
});

test.each([
  ['credential', { credentialId: '00000000-0000-4000-8000-000000000000' }],
  ['user', { userId: 'bob' }],
  ['provider', { provider: 'codex' }],
])("attack: a record is moved to another %s's row", async (_name, other) => {
  const sealed = await seal(wrapper, owner, payload);
  await expect(open(wrapper, { ...owner, ...other }, sealed)).rejects.toStrictEqual(new OpenError());
});

test("attack: one record's wrapped key is put before another's payload", async () => {
  const [one, two] = [await seal(wrapper, owner, payload), await seal(wrapper, owner, payload)];
  const end = 3 + one.readUInt16BE(1);
  const mixed = Buffer.concat([one.subarray(0, end), two.subarray(end)]);
  await expect(open(wrapper, owner, mixed)).rejects.toStrictEqual(new OpenError());
});

test('another master key opens nothing', async () => {
  const other = createLocalKey(new Secret(randomBytes(32)));
  await expect(open(other, owner, await seal(wrapper, owner, payload))).rejects.toStrictEqual(new OpenError());
  expect(other.keyId).not.toBe(wrapper.keyId);
});

test('a keeper of the key that is away is not taken for a wrong record', async () => {
  const away = { ...wrapper, unwrapKey: () => Promise.reject(new Error('the KMS is away')) };
  await expect(open(away, owner, await seal(wrapper, owner, payload))).rejects.toThrow('the KMS is away');
});

test('no record shows what is in it', async () => {
  expect((await seal(wrapper, owner, payload)).includes('canary')).toBe(false);
});
