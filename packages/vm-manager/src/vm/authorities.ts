/**
 * Extra certificate authorities that the programs in a VM trust, for networks in which a proxy reads along: as files for its /etc and as
 * variables (the browser is told by its policy, `browser-policy.ts`). Pure, but for reading the system's own authorities.
 */
import { readFile } from 'node:fs/promises';

/** What Debian's ca-certificates makes; a system without it has none that a file could tell. */
const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g;

/** In the folder that holds the VM's part of /etc. */
export const AUTHORITY_FILES = {
  extra: 'extra-authorities.pem',
  all: 'all-authorities.pem',
} as const;

/** The files by name; none without extra authorities. `extra`: PEM. */
export async function toAuthorityFiles(extra: string | null): Promise<Record<string, string>> {
  if (extra === null) return {};
  const system = await readFile(SYSTEM_BUNDLE, 'utf8').catch(() => '');
  return {
    [AUTHORITY_FILES.extra]: extra,
    [AUTHORITY_FILES.all]: `${system}\n${extra}\n`,
  };
}

/** Of each certificate in a PEM text. */
export function toDerBase64(pem: string): string[] {
  return [...pem.matchAll(CERTIFICATE)].map(([, body = '']) => body.replaceAll(/\s/g, ''));
}

/** `dir`: where the files are inside the VM. Node adds to its own, OpenSSL and Codex take a file in the place of theirs. */
export function toAuthorityEnvironment(dir: string): Record<string, string> {
  return {
    NODE_EXTRA_CA_CERTS: `${dir}/${AUTHORITY_FILES.extra}`,
    SSL_CERT_FILE: `${dir}/${AUTHORITY_FILES.all}`,
    CODEX_CA_CERTIFICATE: `${dir}/${AUTHORITY_FILES.all}`,
  };
}
