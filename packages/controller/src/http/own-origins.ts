/**
 * The names this server is known by. A `Host` that is not among them is another site's name pointed at us (DNS rebinding);
 * an `Origin` that is not among them is another site's page.
 */
export type OwnOrigins = {
  /** `port` is the one the connection came in on. */
  hasHost(hostHeader: string | undefined, port: number | undefined): boolean;
  hasOrigin(origin: string | undefined, port: number | undefined): boolean;
  /** Where a page served under this `Host` opens its WebSockets. */
  toSocketOrigin(hostHeader: string): string;
};

export function createOwnOrigins(options: {
  host: string;
  publicUrl: string | null;
  /** Where other controllers reach this one. */
  peerUrl: string | null;
}): OwnOrigins {
  const bound = options.host.includes(':') ? `[${options.host}]` : options.host;
  const names = ['127.0.0.1', 'localhost', '[::1]', bound.toLowerCase()];
  const publicHost = options.publicUrl === null ? null : new URL(options.publicUrl).host;
  const peerHost = options.peerUrl === null ? null : new URL(options.peerUrl).host;

  function isLocal(host: string, port: number | undefined): boolean {
    return port !== undefined && names.some((name) => host === `${name}:${port}` || (port === 80 && host === name));
  }

  return {
    hasHost(hostHeader, port) {
      const host = hostHeader?.toLowerCase();
      return host !== undefined && (host === publicHost || host === peerHost || isLocal(host, port));
    },
    hasOrigin(origin, port) {
      if (origin === undefined) return false;
      if (origin === options.publicUrl || origin === options.peerUrl) return true;
      return origin.startsWith('http://') && isLocal(origin.slice('http://'.length), port);
    },
    toSocketOrigin(hostHeader) {
      const host = hostHeader.toLowerCase();
      return host === publicHost ? (options.publicUrl ?? '').replace(/^http/, 'ws') : `ws://${host}`;
    },
  };
}
