/** A certificate authority of a test's own, made anew each time, and one certificate of its for many host names. Needs openssl. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '@vestibule/vm-manager/system/run-command';

export type CertificateAuthority = {
  /** Its own certificate (PEM): whoever trusts it trusts the names. */
  caFile: string;
  /** The machine's authorities and this one, for programs that take the place of all. */
  bundleFile: string;
  keyFile: string;
  certFile: string;
};

const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

export async function createCertificateAuthority(
  folder: string,
  names: readonly string[],
): Promise<CertificateAuthority> {
  const at = (name: string): string => join(folder, name);
  const [caFile, caKey, keyFile, certFile] = [at('ca.pem'), at('ca.key'), at('hosts.key'), at('hosts.pem')];
  const create = (key: string, cert: string, ...more: string[]): Promise<string> =>
    runCommand(['openssl', 'req', '-x509', ...NEW_KEY, '-keyout', key, '-out', cert, ...more]);
  await create(caKey, caFile, '-subj', '/CN=Vestibule test authority');
  const altNames = names.map((name) => `DNS:${name}`).join(',');
  const extensions = [
    `subjectAltName=${altNames}`,
    'basicConstraints=critical,CA:FALSE',
    'extendedKeyUsage=serverAuth',
  ];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  await create(keyFile, certFile, '-subj', '/CN=Vestibule test hosts', '-CA', caFile, '-CAkey', caKey, ...added);
  const bundleFile = at('bundle.pem');
  writeFileSync(bundleFile, readFileSync(SYSTEM_BUNDLE, 'utf8') + readFileSync(caFile, 'utf8'));
  return { caFile, bundleFile, keyFile, certFile };
}
