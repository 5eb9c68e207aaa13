/** Binds the server to its address, and says in words why it cannot. */
import type { AddressInfo } from 'node:net';
import type { Api } from './api.ts';
import { findPortHolder } from './port-holder.ts';
import type { PortHolder } from './port-holder.ts';

export type ListenFailure = 'port_in_use' | 'port_not_allowed' | 'address_unknown';

const FAILURES: Readonly<Record<string, ListenFailure>> = {
  EADDRINUSE: 'port_in_use',
  EACCES: 'port_not_allowed',
  EADDRNOTAVAIL: 'address_unknown',
  ENOTFOUND: 'address_unknown',
};

export class ListenError extends Error {
  readonly kind: ListenFailure;
  /** Who holds the port, when that can be known. */
  readonly holder: PortHolder | null;

  constructor(kind: ListenFailure, address: { host: string; port: number }, holder: PortHolder | null, cause: unknown) {
    super(toWords(kind, address, holder), { cause });
    this.name = 'ListenError';
    this.kind = kind;
    this.holder = holder;
  }
}

/** Resolves with the port; it differs from `port` only when that is 0. Throws `ListenError`. */
export async function listen(api: Api, address: { host: string; port: number }): Promise<number> {
  try {
    await api.listen({ host: address.host, port: address.port });
  } catch (error) {
    const kind = error instanceof Error && 'code' in error ? FAILURES[String(error.code)] : undefined;
    if (kind === undefined) throw error;
    const holder = kind === 'port_in_use' ? await findPortHolder(address.port) : null;
    throw new ListenError(kind, address, holder, error);
  }
  return (api.server.address() as AddressInfo).port;
}

function toWords(
  kind: ListenFailure,
  { host, port }: { host: string; port: number },
  holder: PortHolder | null,
): string {
  switch (kind) {
    case 'port_in_use': {
      const by = holder === null ? 'another program' : `${holder.program} (process ${holder.pid})`;
      return `Port ${port} on ${host} is already used by ${by}. Stop it, or choose another port: VESTIBULE_PORT=${port + 1}.`;
    }
    case 'port_not_allowed':
      return `This user may not listen on port ${port}. Choose one above 1023: VESTIBULE_PORT=7080.`;
    case 'address_unknown':
      return `${host} is not an address of this machine. Set VESTIBULE_HOST to one that is, or to 127.0.0.1.`;
  }
}
