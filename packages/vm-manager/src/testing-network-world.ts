/**
 * What surrounds a machine, in one network namespace of the test's own, so that nothing leaves this machine: an address that looks public,
 * private and shared ones, those of clouds' metadata, a name server. Each listens on TCP and UDP and tells what arrived. Needs root.
 */
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';
import { runCommand, tryCommand } from './system/run-command.ts';

export type NetworkWorld = {
  internet: string;
  /** This machine's address in the world, which is what the world sees of a VM. */
  host: string;
  /** By what each stands for. */
  near: Readonly<Record<string, string>>;
  /** An IPv6 one of the same kind. */
  near6: string;
  namespace: string;
  /** The one name that the name server at `internet` knows, as that same address. */
  name: string;
  /** Whether anything with this mark arrived at any address, by TCP or UDP. */
  hasArrived(mark: string): boolean;
  /** Resolves when it has. */
  untilArrived(mark: string): Promise<void>;
  close(): Promise<void>;
};

export const WORLD_PORTS = { web: 80, dns: 53, echo: 7007, proxy: 3128 } as const;
const METADATA_6 = 'fd00:ec2::254';

/** Sockets for each address: an answer to UDP must come from the address that was asked. */
const PROGRAM = `
  const dgram = require('node:dgram'), net = require('node:net');
  const [internet, ...others] = process.argv.slice(1);
  const tell = (kind, text) => console.log(kind + ' ' + JSON.stringify(String(text)));
  const listening = [];
  const listen = (server, port, address) => {
    listening.push(new Promise((done) => server.once('listening', done)));
    if (server.bind) server.bind(port, address);
    else server.listen(port, address);
  };
  for (const address of [internet, ...others]) {
    for (const port of [${WORLD_PORTS.web}, ${WORLD_PORTS.proxy}]) listen(net.createServer((socket) => {
      socket.on('error', () => socket.destroy()).on('data', (bytes) => {
        tell('tcp', bytes);
        const from = socket.remoteAddress;
        socket.end('HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: ' + from.length + '\\r\\n\\r\\n' + from);
      });
    }), port, address);
    const echo = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
    echo.on('message', (bytes, from) => { tell('udp', bytes); echo.send(bytes, from.port, from.address); });
    listen(echo, ${WORLD_PORTS.echo}, address);
  }
  const dns = dgram.createSocket('udp4');
  dns.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5, isA = query.readUInt16BE(end - 4) === 1;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2); head.writeUInt16BE(isA ? 1 : 0, 6); head.writeUInt16BE(0, 10);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...internet.split('.').map(Number)]);
    dns.send(Buffer.concat([head, query.subarray(12, end), ...(isA ? [answer] : [])]), from.port, from.address);
  });
  listen(dns, ${WORLD_PORTS.dns}, internet);
  Promise.all(listening).then(() => console.log('ready'));
  process.stdin.on('end', () => process.exit(0)).resume();
`;

export async function openNetworkWorld(): Promise<NetworkWorld> {
  const mark = randomBytes(4).toString('hex');
  const [namespace, device] = [`out-${mark}`, `vo${mark}`];
  const { host, internet } = findFreeLink();
  const near = {
    'the metadata address of clouds': '169.254.169.254',
    "another cloud's metadata address": '100.100.100.200',
    'a third metadata address': '192.0.0.192',
    'a private network of class A': `10.${randomInt(100, 180)}.${randomInt(256)}.7`,
    'a private network of class B': `172.${randomInt(17, 30)}.${randomInt(256)}.7`,
    'a private network of class C': `192.168.${randomInt(256)}.7`,
    'a shared network': `100.${randomInt(65, 99)}.${randomInt(256)}.7`,
    'a network for benchmarks': `198.18.${randomInt(256)}.7`,
  };
  const addresses = Object.values(near);
  // Several worlds may exist at once: theirs have the same fixed addresses, and routes with other metrics.
  const metric = randomInt(1000, 1_000_000);
  const routes = addresses.map((address) => `route add ${address}/32 dev ${device} src ${host} metric ${metric}`);
  async function removeDevices(): Promise<void> {
    // The device first: it lingers while the kernel takes a namespace away.
    await tryCommand(['ip', 'link', 'del', device]);
    await tryCommand(['ip', 'netns', 'del', namespace]);
  }
  try {
    await batch(
      ['ip'],
      [
        `netns add ${namespace}`,
        `link add ${device} type veth peer name eth0 netns ${namespace}`,
        `addr add ${host}/30 dev ${device}`,
        `addr add fd00:ec2::${mark.slice(0, 4)}:1/128 dev ${device} nodad`,
        `link set ${device} up`,
        ...routes,
        `route add ${METADATA_6}/128 dev ${device} metric ${metric}`,
      ],
    );
    await batch(
      ['ip', '-n', namespace],
      [
        'link set lo up',
        `addr add ${internet}/30 dev eth0`,
        ...addresses.map((address) => `addr add ${address}/32 dev lo`),
        `addr add ${METADATA_6}/128 dev eth0 nodad`,
        'link set eth0 up',
        `route add default via ${host}`,
        `route add fd00:ec2::${mark.slice(0, 4)}:1/128 dev eth0`,
      ],
    );
  } catch (error) {
    await removeDevices();
    throw error;
  }
  const enter = [`--net=/run/netns/${namespace}`, '--', process.execPath, '-e', PROGRAM];
  const program = spawn('/usr/bin/nsenter', [...enter, internet, METADATA_6, ...addresses], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(program, 'exit');
  const arrivals: string[] = [];
  const lines = createInterface({ input: program.stdout }).on('line', (line) => arrivals.push(line));
  await Promise.race([
    once(lines, 'line'),
    ended.then(() => {
      throw new Error('the world outside could not be made');
    }),
  ]);
  const hasArrived = (text: string): boolean => arrivals.some((line) => line.includes(text));

  return {
    ...{ internet, host, near, near6: METADATA_6, namespace, name: 'identity.example.test', hasArrived },
    untilArrived: (text) =>
      vi.waitFor(
        () => {
          if (!hasArrived(text)) throw new Error(`${text} has not arrived`);
        },
        { timeout: 15_000, interval: 20 },
      ),
    async close() {
      program.stdin.end();
      await ended;
      await removeDevices();
    },
  };
}

/** Of the networks for documentation, which are nobody's and look like the internet. */
function findFreeLink(): { host: string; internet: string } {
  const used = new Set(
    Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address)),
  );
  for (;;) {
    const base = `${randomInt(2) === 0 ? '198.51.100' : '203.0.113'}.`;
    const first = randomInt(64) * 4;
    const [host, internet] = [`${base}${first + 1}`, `${base}${first + 2}`];
    if (!used.has(host)) return { host, internet };
  }
}

function batch(program: readonly string[], commands: readonly string[]): Promise<string> {
  return runCommand([...program, '-batch', '-'], { stdin: `${commands.join('\n')}\n` });
}
