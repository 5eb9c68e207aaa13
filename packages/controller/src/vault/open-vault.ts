/** From the settings to a vault that is safe to use: the key file is made only while the database has no key and no sealed record. */
import { createKeyStore } from './key-store.ts';
import type { KeyStoreDeps } from './key-store.ts';
import { createLocalKey } from './local-key.ts';
import { loadLocalKeyFile } from './local-key-file.ts';
import { createVault } from './vault.ts';
import type { Vault } from './vault.ts';

/** @throws KeyFileError, VaultRefusedError: the controller must not start */
export async function openVault(deps: KeyStoreDeps & { masterKeyFile: string }): Promise<Vault> {
  const keyStore = createKeyStore({ pool: deps.pool });
  const masterKey = await loadLocalKeyFile(deps.masterKeyFile, await keyStore.isUnused());
  const vault = createVault({ wrapper: createLocalKey(masterKey), keyStore });
  await vault.assertUsable();
  return vault;
}
