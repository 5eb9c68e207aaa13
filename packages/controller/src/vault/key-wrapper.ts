/** The seam to whoever keeps the key that wraps all others: a local file now, a KMS later. */
export type KeyWrapper = {
  /** Names this key for ever; recorded with each record. Not secret. */
  readonly keyId: string;
  wrapKey(key: Buffer): Promise<Buffer>;
  /**
   * MUST throw `OpenError` for anything that `wrapKey` of this very key did not return. Any other error means that the keeper of the
   * key could not be asked. Returns a buffer of its own, which the caller overwrites after use.
   */
  unwrapKey(wrapped: Buffer): Promise<Buffer>;
};
