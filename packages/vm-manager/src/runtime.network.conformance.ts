/**
 * What of the network a VM reaches, asked from inside of it: a test file calls `describeNetworkPolicy` with a bench for its runtime. Root only.
 * This machine itself reaches every address that a VM must not, so each refusal is the policy's.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Runtime } from './runtime.ts';
import { tryCommand } from './system/run-command.ts';
import { openNetworkWorld, WORLD_PORTS, type NetworkWorld } from './testing-network-world.ts';
import type { EgressPolicy } from './vm/egress-policy.ts';

export type NetworkBench = {
  open(changes?: { vmDns?: readonly string[]; egress?: EgressPolicy }): Runtime;
  newVmId(): string;
  /** Has the stub agent evaluate an expression inside the VM and returns its value. */
  ask(vmId: string, expression: string): Promise<unknown>;
  /**
   * For a VM behind a tap: the path of the network namespace that its guest is in, and its address there. Default: the VM's own. Null when
   * the guest has a kernel of its own, as root of which we cannot send; `vm-network.vm.test.ts` does, through the same tap.
   */
  guestNetwork?(vmId: string): { namespace: string; address: string } | null;
};

const UP = { timeout: 120_000, interval: 50 };
/** How long a VM waits for an answer that must not come. */
const SILENCE_MS = 800;
const newMark = (): string => `mark-${randomBytes(6).toString('hex')}`;

export function describeNetworkPolicy(name: string, openBench: () => Promise<NetworkBench>): void {
  describe(`the network of a VM of the runtime ${name}`, () => {
    let bench: NetworkBench;
    let world: NetworkWorld;
    let runtime: Runtime;
    const vmIds: string[] = [];
    /** Of one test. */
    const passing: string[] = [];

    beforeAll(async () => {
      [bench, world] = await Promise.all([openBench(), openNetworkWorld()]);
      runtime = bench.open({ vmDns: [world.internet] });
      for (const slot of [0, 1]) await createUp(runtime, slot, vmIds);
    });
    afterEach(async () => {
      for (const vmId of passing.splice(0)) await runtime.destroy(vmId);
    });
    afterAll(async () => {
      for (const vmId of vmIds.splice(0)) await runtime.destroy(vmId);
      await world.close();
    });

    async function createUp(from: Runtime, slot: number, kept: string[]): Promise<string> {
      const vmId = bench.newVmId();
      kept.push(vmId);
      await from.create({ vmId, slot, layer: null, epoch: 1 });
      await vi.waitFor(async () => (await from.connect(vmId, 'agent')).destroy(), UP);
      return vmId;
    }
    const first = (): string => vmIds[0] ?? '';
    const second = (): string => vmIds[1] ?? '';

    /** What the VM is told when it opens a connection. */
    const dial = (vmId: string, host: string, port: number, timeoutMs = SILENCE_MS) =>
      bench.ask(
        vmId,
        `new Promise((done) => {
          const socket = net.connect({ host: "${host}", port: ${port}, timeout: ${timeoutMs} });
          socket.on("connect", () => { done("connected"); socket.destroy(); });
          socket.on("error", (error) => done(error.code));
          socket.on("timeout", () => { done("silence"); socket.destroy(); }); })`.replaceAll('\n', ' '),
      );
    /** Sends a few datagrams and returns what came back. */
    const echo = (vmId: string, host: string, port: number, mark: string) =>
      bench.ask(
        vmId,
        `new Promise((done) => {
          const socket = dgram.createSocket("udp${host.includes(':') ? 6 : 4}");
          socket.on("message", (bytes) => { done(String(bytes)); socket.close(); });
          socket.on("error", (error) => done(error.code));
          for (const at of [0, 100, 200]) setTimeout(() => { try { socket.send("${mark}", ${port}, "${host}", () => undefined); } catch {} }, at);
          setTimeout(() => { done("silence"); try { socket.close(); } catch {} }, ${SILENCE_MS}); })`.replaceAll(
          '\n',
          ' ',
        ),
      );
    const addressOf = (vmId: string): Promise<string> => addressInNamespace(vmId);

    it('reaches the internet by name, over TCP and UDP, which sees this machine and not the VM', async () => {
      expect(await bench.ask(first(), `dns.resolve4("${world.name}")`)).toEqual([world.internet]);
      expect(await bench.ask(first(), `fetch("http://${world.name}/").then((answer) => answer.text())`)).toBe(
        world.host,
      );
      const mark = newMark();
      expect(await echo(first(), world.internet, WORLD_PORTS.echo, mark)).toBe(mark);
    });

    it('reaches nothing that is near: no private or shared network, no metadata of a cloud', async () => {
      const all = Object.entries({ ...world.near, 'metadata over IPv6': world.near6 });
      await Promise.all(
        all.map(async ([what, address]) => {
          expect({ what, here: await dialFromHere(address, WORLD_PORTS.web) }).toEqual({ what, here: 'connected' });
          const mark = newMark();
          const [there] = await Promise.all([
            dial(first(), address, WORLD_PORTS.web),
            echo(first(), address, WORLD_PORTS.echo, mark),
          ]);
          expect({ what, there }).not.toEqual({ what, there: 'connected' });
          expect({ what, hasArrived: world.hasArrived(mark) }).toEqual({ what, hasArrived: false });
        }),
      );
      // What was sent after all that has arrived.
      const mark = newMark();
      await echo(first(), world.internet, WORLD_PORTS.echo, mark);
      await world.untilArrived(mark);
    });

    it('reaches no port of this machine, at none of its addresses', async () => {
      const server = createServer((socket) => socket.end()).listen(0, '::');
      const datagrams: string[] = [];
      const udp = createSocket('udp4').on('message', (bytes) => datagrams.push(String(bytes)));
      await Promise.all([once(server, 'listening'), new Promise<void>((done) => udp.bind(0, '0.0.0.0', done))]);
      const { port } = server.address() as AddressInfo;
      const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
      const outer = own.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
      expect(outer).toContain(world.host);
      await Promise.all(
        outer.map(async (address) => {
          expect({ address, here: await dialFromHere(address, port) }).toEqual({ address, here: 'connected' });
          expect({ address, there: await dial(first(), address, port) }).toEqual({ address, there: 'silence' });
          await echo(first(), address, udp.address().port, `from-vm-${address}`);
        }),
      );
      expect(await dial(first(), '127.0.0.1', port)).toBe('ECONNREFUSED');
      udp.send('from-here', udp.address().port, world.host);
      await vi.waitFor(() => expect(datagrams).toEqual(['from-here']), UP);
      server.close();
      udp.close();
    });

    it('reaches no other VM, though that one listens on all addresses', async () => {
      const listen = `new Promise((done) => net.createServer((socket) => socket.end()).listen(9000, "0.0.0.0", () => done("listening")))`;
      expect(await bench.ask(second(), listen)).toBe('listening');
      expect(await dial(second(), '127.0.0.1', 9000)).toBe('connected');
      expect(await dial(first(), await addressOf(second()), 9000)).toBe('silence');
      // Nor does this machine, which has no business there.
      expect(await dialFromHere(await addressOf(second()), 9000)).toBe('silence');
    });

    it('cannot send under another address, nor by another protocol', async (context) => {
      const given = bench.guestNetwork?.(first());
      if (given === null) return context.skip('the guest has a kernel of its own');
      const outer = await addressOf(first());
      const [foreign, mark] = [`${outer.split('.').slice(0, 2).join('.')}.255.253`, newMark()];
      const guest = given ?? { namespace: `/run/netns/${first()}`, address: outer };
      const own = guest.address;
      const inside = (...argv: string[]) => tryCommand(['nsenter', `--net=${guest.namespace}`, '--', ...argv]);
      await inside('ip', 'addr', 'add', `${foreign}/32`, 'dev', 'eth0');
      const send = (source: string, text: string) =>
        inside(
          process.execPath,
          '-e',
          `const socket = require('node:dgram').createSocket('udp4');
           socket.bind(0, '${source}', () => socket.send('${text}', ${WORLD_PORTS.echo}, '${world.internet}', () => socket.close()));`,
        );
      await send(foreign, `${mark}-foreign`);
      await send(own, `${mark}-own`);
      await inside('ip', 'addr', 'del', `${foreign}/32`, 'dev', 'eth0');
      await world.untilArrived(`${mark}-own`);
      expect(world.hasArrived(`${mark}-foreign`)).toBe(false);
      const ping = async (address: string) =>
        (await inside('/bin/busybox', 'ping', '-c', '1', '-W', '1', address)).exitCode;
      expect(await ping(world.internet)).toBe(0);
      const refused = [...Object.values(world.near), world.host, await addressOf(second())];
      const codes = await Promise.all(refused.map(async (address) => ({ address, code: await ping(address) })));
      expect(codes).toEqual(refused.map((address) => ({ address, code: 1 })));
    });

    it('is reached by nobody from outside', async () => {
      const [to, program] = [await addressOf(second()), `${DIALLER}dial(process.argv[1], 9000).then(console.log)`];
      const enter = ['nsenter', `--net=/run/netns/${world.namespace}`, '--', process.execPath, '-e', program];
      expect((await tryCommand([...enter, to])).stdout.trim()).toBe('silence');
    });

    it('reaches what the operator allows besides, and no more', async () => {
      const [allowed, other] = [world.near['a private network of class A'], world.near['a private network of class B']];
      const open = bench.open({ vmDns: [world.internet], egress: { allow: [`${allowed}/32`], proxy: null } });
      const vmId = await createUp(open, 2, passing);
      expect(await dial(vmId, allowed ?? '', WORLD_PORTS.web, 10_000)).toBe('connected');
      expect(await dial(vmId, other ?? '', WORLD_PORTS.web)).not.toBe('connected');
      expect(await dial(vmId, world.internet, WORLD_PORTS.web, 10_000)).toBe('connected');
    });

    it("reaches the operator's proxy and names alone, where there is a proxy, and programs are told of it", async () => {
      const host = world.near['a private network of class C'] ?? '';
      const egress = { allow: [`${world.internet}/32`], proxy: { host, port: WORLD_PORTS.proxy } };
      const open = bench.open({ vmDns: [world.internet], egress });
      const vmId = await createUp(open, 2, passing);
      expect(await dial(vmId, host, WORLD_PORTS.proxy, 10_000)).toBe('connected');
      expect(await dial(vmId, host, WORLD_PORTS.web)).not.toBe('connected');
      expect(await dial(vmId, world.internet, WORLD_PORTS.web)).not.toBe('connected');
      expect(await bench.ask(vmId, `dns.resolve4("${world.name}")`)).toEqual([world.internet]);
      expect(await bench.ask(vmId, '[process.env.HTTPS_PROXY, process.env.http_proxy]')).toEqual([
        `http://${host}:${WORLD_PORTS.proxy}`,
        `http://${host}:${WORLD_PORTS.proxy}`,
      ]);
    });
  });
}

const DIALLER = `
  const dial = (host, port) => new Promise((done) => {
    const socket = require('node:net').connect({ host, port, timeout: ${SILENCE_MS} });
    socket.on('connect', () => { done('connected'); socket.destroy(); });
    socket.on('error', (error) => done(error.code));
    socket.on('timeout', () => { done('silence'); socket.destroy(); });
  });
`;

function dialFromHere(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: SILENCE_MS });
    const end = (answer: string) => () => {
      resolve(answer);
      socket.destroy();
    };
    socket.on('connect', end('connected')).on('timeout', end('silence'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Also of a VM whose own card has another address behind a tap. */
async function addressInNamespace(vmId: string): Promise<string> {
  const { stdout } = await tryCommand(['ip', '-n', vmId, '-j', 'addr', 'show', 'dev', 'eth0']);
  const [device] = JSON.parse(stdout) as { addr_info: { family: string; local: string }[] }[];
  const found = device?.addr_info.find(({ family }) => family === 'inet');
  if (found === undefined) throw new Error(`${vmId} has no address`);
  return found.local;
}
