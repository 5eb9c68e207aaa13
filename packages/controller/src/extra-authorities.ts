/** Reads the file of certificate authorities that browser VMs trust besides the system's. Takes from it nothing but certificates. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates, PEM. Throws an error whose message says what is wrong with the file. */
export function readExtraAuthorities(path: string): string {
  const certificates = readText(path).match(CERTIFICATE) ?? [];
  if (certificates.length === 0)
    throw new Error(`the file ${path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
  for (const [index, certificate] of certificates.entries())
    if (!isCertificate(certificate)) throw new Error(`certificate ${index + 1} in the file ${path} is damaged`);
  return `${certificates.join('\n')}\n`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`the file ${path} cannot be read (${reason})`, { cause: error });
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
