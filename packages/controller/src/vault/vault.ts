/**
 * Seals what a CLI wrote or offered or a person answered, and opens it again for its owner only. Knows keys and bytes; storing them is the stores'
 * work.
 */
import { randomUUID } from 'node:crypto';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import { fromPayload, toPayload } from './credential-payload.ts';
import { type AnswerOwner, type OfferOwner, open, type RecordOwner, seal } from './envelope.ts';
import { toRetireStatement } from './key-store.ts';
import type { KeyStore, KeyUse } from './key-store.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { OpenError } from './open-error.ts';

export type Sealed = {
  /** New, and bound into the ciphertext: the record must be stored under it. */
  credentialId: string;
  encryptedData: Buffer;
  /** The statement that stores the record must check that this key is `active`. */
  keyId: string;
};

export type SealedText = { sealedText: Buffer; keyId: string };

export type SealedOffer = { sealedOffer: Buffer; keyId: string };

export type StoredRecord = Sealed & { userId: string; provider: string };

/** The key at hand does not fit the database; the message is for the operator. */
export class VaultRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VaultRefusedError';
  }
}

const RESTORE = 'Restore the right master key file from your backup, or correct VESTIBULE_MASTER_KEY_FILE.';

function judge(keyId: string, use: KeyUse): void {
  const others = [...use.inUse].filter((id) => id !== keyId);
  if (others.length > 0) {
    throw new VaultRefusedError(
      `Stored logins are sealed with the key ${others.join(', ')}, but the master key file holds ${keyId}. ${RESTORE}`,
    );
  }
  if (use.states.get(keyId) === 'retired') {
    throw new VaultRefusedError(
      `The master key file holds ${keyId}, which was retired and seals nothing any more. ${RESTORE}`,
    );
  }
  const active = [...use.states].find(([id, state]) => id !== keyId && state === 'active');
  if (active !== undefined) {
    throw new VaultRefusedError(
      `This database's key is ${active[0]}, but the master key file holds ${keyId}: controllers of one database share one key. ${RESTORE} ` +
        `If that key is lost for good (nothing is sealed with it), run: ${toRetireStatement(active[0])}`,
    );
  }
}

export type Vault = ReturnType<typeof createVault>;

export function createVault(deps: { wrapper: KeyWrapper; keyStore: Pick<KeyStore, 'register'> }) {
  const { wrapper, keyStore } = deps;

  async function sealText(owner: RecordOwner, text: string): Promise<Buffer> {
    const payload = Buffer.from(text, 'utf8');
    try {
      return await seal(wrapper, owner, payload);
    } finally {
      payload.fill(0);
    }
  }

  async function openText(owner: RecordOwner, sealed: Buffer, keyId: string): Promise<string> {
    if (keyId !== wrapper.keyId) throw new OpenError();
    const payload = await open(wrapper, owner, sealed);
    try {
      return payload.toString('utf8');
    } finally {
      payload.fill(0);
    }
  }

  return {
    /** Call once at start, before anything is sealed. @throws VaultRefusedError when the key does not fit what is stored */
    async assertUsable(): Promise<void> {
      await keyStore.register(wrapper.keyId, (use) => judge(wrapper.keyId, use));
    },

    async seal(owner: { userId: string; provider: string }, files: CredentialFiles): Promise<Sealed> {
      const credentialId = randomUUID();
      const payload = toPayload(files);
      try {
        const encryptedData = await seal(wrapper, { credentialId, ...owner }, payload);
        return { credentialId, encryptedData, keyId: wrapper.keyId };
      } finally {
        payload.fill(0);
      }
    },

    /** @throws OpenError when the record is not exactly what was sealed for this owner with this key */
    async open(record: StoredRecord): Promise<CredentialFiles> {
      if (record.keyId !== wrapper.keyId) throw new OpenError();
      const { credentialId, userId, provider } = record;
      const payload = await open(wrapper, { credentialId, userId, provider }, record.encryptedData);
      try {
        return fromPayload(payload);
      } finally {
        payload.fill(0);
      }
    },

    async sealAnswer(owner: AnswerOwner, text: string): Promise<SealedText> {
      return { sealedText: await sealText(owner, text), keyId: wrapper.keyId };
    },

    /** @throws OpenError as `open` does */
    openAnswer: ({ answerId, sessionId, sealedText, keyId }: AnswerOwner & SealedText) =>
      openText({ answerId, sessionId }, sealedText, keyId),

    async sealOffer(owner: OfferOwner, text: string): Promise<SealedOffer> {
      return { sealedOffer: await sealText(owner, text), keyId: wrapper.keyId };
    },

    /** @throws OpenError as `open` does */
    openOffer: ({ sessionId, way, sealedOffer, keyId }: OfferOwner & SealedOffer) =>
      openText({ sessionId, way }, sealedOffer, keyId),
  };
}
