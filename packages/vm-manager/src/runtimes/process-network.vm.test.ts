/** A VM's own network, as root: the way out by NAT and DNS, and the walls to other VMs and to this machine. */
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand, tryCommand } from '../system/run-command.ts';
import type { Runtime } from '../runtime.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openProcessBench } from '../testing-process-bench.ts';

const isRoot = process.geteuid?.() === 0;
const bench = await openProcessBench();
const OUTSIDE = {
  namespace: `out-${bench.installationId}`,
  device: `vo${bench.installationId}`,
  host: '10.198.7.1',
  address: '10.198.7.2',
};
const isAble = isRoot && (await requireAbilities(bench.open(), ['bubblewrap', 'network']));
if (!isRoot) console.warn('skipped: VMs have networks of their own only when root starts them');

const ENTER = '/usr/bin/nsenter';
/** A name server that knows one name, and a web server that tells who asked. */
const OUTSIDE_PROGRAM = `
  const dgram = require('node:dgram'), http = require('node:http');
  const dns = dgram.createSocket('udp4');
  dns.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5, isA = query.readUInt16BE(end - 4) === 1;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2); head.writeUInt16BE(isA ? 1 : 0, 6); head.writeUInt16BE(0, 10);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 198, 7, 2]);
    dns.send(Buffer.concat([head, query.subarray(12, end), ...(isA ? [answer] : [])]), from.port, from.address);
  });
  const web = http.createServer((request, response) => response.end(request.socket.remoteAddress));
  dns.bind(53, () => web.listen(80, () => console.log('ready')));
`;

describe.runIf(isAble)("a VM's own network", () => {
  let outside: ChildProcess;
  let runtime: Runtime;
  const vmIds: string[] = [];

  beforeAll(async () => {
    const { namespace, device, host, address } = OUTSIDE;
    await runCommand(['ip', '-batch', '-'], {
      stdin: `netns add ${namespace}\nlink add ${device} type veth peer name eth0 netns ${namespace}\naddr add ${host}/30 dev ${device}\nlink set ${device} up\n`,
    });
    await runCommand(['ip', '-n', namespace, '-batch', '-'], {
      stdin: `link set lo up\naddr add ${address}/30 dev eth0\nlink set eth0 up\n`,
    });
    const inside = [`--net=/run/netns/${namespace}`, '--', process.execPath, '-e', OUTSIDE_PROGRAM];
    outside = spawn(ENTER, inside, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (outside.stdout !== null) await once(outside.stdout, 'data');
    runtime = bench.open({ vmDns: [address] });
    for (const slot of [0, 1]) {
      const vmId = bench.newVmId();
      vmIds.push(vmId);
      await runtime.create({ vmId, slot, layer: null, epoch: 1 });
    }
    for (const vmId of vmIds)
      await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), { timeout: 15_000, interval: 10 });
  });
  afterAll(async () => {
    for (const vmId of vmIds) await runtime.destroy(vmId);
    outside.kill('SIGKILL');
    await once(outside, 'exit');
    await tryCommand(['ip', 'netns', 'del', OUTSIDE.namespace]);
    bench.close();
  });

  /** What a VM gets from `host:port`, or the error's code. */
  const dial = (vmId: string, host: string, port: number) =>
    bench.ask(
      vmId,
      `new Promise((done) => {
        const socket = net.connect({ host: ${JSON.stringify(host)}, port: ${port}, timeout: 700 });
        socket.on("connect", () => done("connected")); socket.on("error", (error) => done(error.code)); socket.on("timeout", () => { socket.destroy(); done("silence"); });
      })`.replaceAll('\n', ' '),
    );
  const addressOf = async (vmId: string) => String(await bench.ask(vmId, 'os.networkInterfaces().eth0[0].address'));

  it('reaches names and servers outside, which see this machine and not the VM', async () => {
    const [vmId = ''] = vmIds;
    expect(await bench.ask(vmId, "dns.resolve4('identity.example.test')")).toEqual([OUTSIDE.address]);
    expect(await bench.ask(vmId, "fetch('http://identity.example.test/').then((answer) => answer.text())")).toContain(
      OUTSIDE.host,
    );
  });

  it('lets two VMs listen on the same loopback port, each reaching its own', async () => {
    for (const vmId of vmIds) {
      const listen = `new Promise((done) => net.createServer((socket) => socket.end()).listen(8976, "127.0.0.1", () => done("listening")).on("error", (error) => done(error.code)))`;
      expect(await bench.ask(vmId, listen)).toBe('listening');
      expect(await dial(vmId, '127.0.0.1', 8976)).toBe('connected');
    }
  });

  it('reaches no other VM, though that one listens on all addresses', async () => {
    const [from = '', to = ''] = vmIds;
    const listen = `new Promise((done) => net.createServer((socket) => socket.end()).listen(9000, "0.0.0.0", () => done("listening")))`;
    expect(await bench.ask(to, listen)).toBe('listening');
    expect(await dial(to, await addressOf(to), 9000)).toBe('connected');
    expect(await dial(from, await addressOf(to), 9000)).toBe('silence');
  });

  it('reaches no port of this machine, at whichever of its addresses', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [vmId = ''] = vmIds;
    const own = Object.values(networkInterfaces())
      .flatMap((entries) => entries ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    expect(own.length).toBeGreaterThan(2);
    for (const { address } of own)
      expect({ address, got: await dial(vmId, address, port) }).toEqual({ address, got: 'silence' });
    expect(await dial(vmId, '127.0.0.1', port)).toBe('ECONNREFUSED');
    server.close();
  });

  it('cannot be reached from outside', async () => {
    const [, to = ''] = vmIds;
    const argv = [
      'nsenter',
      `--net=/run/netns/${OUTSIDE.namespace}`,
      '--',
      'ip',
      'route',
      'add',
      'default',
      'via',
      OUTSIDE.host,
    ];
    await runCommand(argv);
    const program = `require('node:net').connect({ host: '${await addressOf(to)}', port: 9000, timeout: 700 }).on('connect', () => process.exit(1)).on('timeout', () => process.exit(0)).on('error', () => process.exit(0))`;
    const result = await tryCommand([
      'nsenter',
      `--net=/run/netns/${OUTSIDE.namespace}`,
      '--',
      process.execPath,
      '-e',
      program,
    ]);
    expect(result.exitCode).toBe(0);
  });

  it('runs each slot as a uid of its own, which is not ours', () => {
    const uids = vmIds.map((vmId) => bench.uidOf(vmId));
    expect(new Set([...uids, process.getuid?.()]).size).toBe(3);
  });

  it('refuses an address that another installation on this machine uses, in words', async () => {
    const vmId = bench.newVmId();
    const other = bench.open({ networkCidr: '10.198.7.0/30' });
    await expect(other.create({ vmId, slot: 0, layer: null, epoch: 1 })).rejects.toThrow(
      /10\.198\.7\.1 is already in use on vo/,
    );
  });
});
