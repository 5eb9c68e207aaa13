import { isIP } from 'node:net';

/** Whether an address or host name, as in a URL or a `Host` header without port, is this machine's own loopback. */
export function isLoopbackHost(name: string): boolean {
  const bare = name.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}
