/** Where a database is and who logs in: what a pool or a single client is made of. */
import type { Secret } from '@vestibule/protocol/secret';
import type { ClientConfig } from 'pg';

/** A local socket, where the kernel says who connects: nothing in it is secret. */
export type SocketConfig = Readonly<{ host: string; port: number; user: string; database: string }>;

/** A connection string, password included. */
export type UrlConfig = Readonly<{ url: Secret<string> }>;

export type ConnectionConfig = SocketConfig | UrlConfig;

export function toClientConfig(config: ConnectionConfig): ClientConfig {
  return 'url' in config ? { connectionString: config.url.reveal(), keepAlive: true } : { ...config };
}
