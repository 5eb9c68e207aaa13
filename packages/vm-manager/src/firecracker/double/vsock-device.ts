/**
 * The double's vsock: one socket on which the host asks for a port of the guest (`CONNECT <port>`, then `OK <host port>`), and connections of the
 * guest to `<socket>_<port>`. In the guest, ports lead to its own sockets as the guest's init has it: it takes every connection and drops it at
 * once when nobody listens behind. What is no request is dropped without a word.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DoubleSettings } from './double-settings.ts';

const FIRST_HOST_PORT = 1_073_741_824;
/** As the real one, which reads into a buffer of that size. */
const LONGEST_REQUEST = 32;

export type VsockDevice = {
  server: Server;
  /** What the guest listens on from now on: each port leads to a socket. */
  setGuestPorts(ports: ReadonlyMap<number, string>): void;
};

/** `onGuestSaid`: told the beginning of what the guest says on a port, before the host hears it; false drops the connection. */
export function createVsockDevice(
  settings: DoubleSettings,
  onGuestSaid: (port: number, text: string) => boolean,
): VsockDevice {
  let ports: ReadonlyMap<number, string> = new Map();
  let nextHostPort = FIRST_HOST_PORT;

  async function accept(host: Socket, port: number): Promise<void> {
    const path = ports.get(port);
    const scripted = settings.vsockAnswers;
    if (scripted !== undefined) {
      await delay(scripted.delayMs);
      if (scripted.text !== '') return void host.write(scripted.text);
    }
    if (path === undefined) return void host.destroy();
    host.write(`OK ${(nextHostPort += 1)}\n`);
    const guest = connect(path);
    guest.on('error', () => host.destroy());
    host.on('error', () => guest.destroy());
    guest.once('connect', () => join(host, guest, port));
  }

  function join(host: Socket, guest: Socket, port: number): void {
    let said = '';
    host.pipe(guest);
    guest.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(-100_000);
      if (onGuestSaid(port, said)) host.write(chunk);
      else host.destroy();
    });
    guest.on('end', () => host.end());
    guest.on('close', () => host.destroy());
    host.on('close', () => guest.destroy());
  }

  const server = createServer({ allowHalfOpen: true }, (host) => {
    host.on('error', () => host.destroy());
    let request = '';
    const onData = (chunk: Buffer): void => {
      request += chunk.toString('latin1');
      const end = request.indexOf('\n');
      if (end < 0 && request.length < LONGEST_REQUEST) return;
      host.off('data', onData).pause();
      const port = /^connect\s+(\d{1,10})\s*$/i.exec(request.slice(0, end < 0 ? 0 : end))?.[1];
      if (port === undefined) return void host.destroy();
      const rest = request.slice(end + 1);
      if (rest !== '') host.unshift(Buffer.from(rest, 'latin1'));
      accept(host, Number(port)).catch(() => host.destroy());
    };
    host.on('data', onData);
  });
  return { server, setGuestPorts: (map) => (ports = map) };
}
