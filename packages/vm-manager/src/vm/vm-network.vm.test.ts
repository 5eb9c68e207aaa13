/** The network of a virtual machine, whose card is a tap: a namespace with a card at the tap's other end stands in for the machine. Root. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand, tryCommand } from '../system/run-command.ts';
import { openNetworkWorld, WORLD_PORTS, type NetworkWorld } from '../testing-network-world.ts';
import { findTraces } from '../testing-traces.ts';
import { findForwardDrops } from './foreign-filters.ts';
import { createVmNetworks, TAP } from './vm-network.ts';

const OWNER = 56_900 + randomInt(100);
const hasSocat = existsSync('/usr/bin/socat');
const isAble = process.geteuid?.() === 0 && hasSocat && (await tryCommand(['ip', 'netns', 'list'])).exitCode === 0;
if (!isAble)
  console.warn('skipped: needs root, iproute2, nftables and socat. apt-get install -y iproute2 nftables socat');

describe.runIf(isAble)('a tap in the network of a VM', () => {
  const installationId = `t${randomBytes(3).toString('hex')}`;
  const [vmId, guest] = [`vm_${installationId}_1`, `guest-${installationId}`];
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-tap-'));
  const networks = createVmNetworks({ installationId, cidr: `10.${randomInt(180, 196)}.0.0/16` });
  const traces = () => findTraces({ installationId, dir, folders: [] });
  const ends: ChildProcess[] = [];
  let world: NetworkWorld;
  let before: string[];

  /** Carries frames between a tap and the other end, each in a datagram. As root: socat sets flags of the device, too. */
  function carry(namespace: string, device: string, from: string, to: string): void {
    const tun = `TUN,tun-name=${device},tun-type=tap,iff-no-pi`;
    const socket = `UNIX-SENDTO:${join(dir, to)},bind=${join(dir, from)}`;
    const argv = [`--net=/run/netns/${namespace}`, '--', 'socat', tun, socket];
    ends.push(spawn('/usr/bin/nsenter', argv, { stdio: ['ignore', 'ignore', 'inherit'] }));
  }
  const until = (isTrue: () => boolean | Promise<boolean>): Promise<void> =>
    vi.waitFor(
      async () => {
        if (!(await isTrue())) throw new Error('not yet');
      },
      { timeout: 15_000, interval: 50 },
    );
  const enter = (namespace: string): string[] => ['nsenter', `--net=/run/netns/${namespace}`, '--'];
  const inGuest = (...argv: string[]) => tryCommand([...enter(guest), ...argv]);
  async function endAll(): Promise<void> {
    for (const end of ends.splice(0)) {
      const ended = end.exitCode === null ? once(end, 'exit') : Promise.resolve();
      end.kill('SIGKILL');
      await ended;
    }
    await tryCommand(['ip', 'netns', 'del', guest]);
  }
  async function dial(host: string, port: number, source: string = TAP.guest): Promise<string> {
    const program = `
      const socket = require('node:net').connect({ host: '${host}', port: ${port}, localAddress: '${source}', timeout: 800 });
      socket.on('connect', () => { console.log('connected'); socket.destroy(); });
      socket.on('error', (error) => console.log(error.code));
      socket.on('timeout', () => { console.log('silence'); socket.destroy(); });`;
    return (await inGuest(process.execPath, '-e', program)).stdout.trim();
  }

  beforeAll(async () => {
    before = await traces();
    world = await openNetworkWorld();
    await networks.create(vmId, 0, [world.internet], { tap: { owner: OWNER } });
    await runCommand(['ip', 'netns', 'add', guest]);
    // It would speak before anybody listens.
    await runCommand([...enter(guest), 'tee', '/proc/sys/net/ipv6/conf/default/disable_ipv6'], { stdin: '1' });
    carry(vmId, TAP.device, 'host', 'guest');
    carry(guest, 'card0', 'guest', 'host');
    await until(() => existsSync(join(dir, 'host')) && existsSync(join(dir, 'guest')));
    await vi.waitFor(
      () =>
        runCommand(['ip', '-n', guest, '-batch', '-'], {
          stdin: `addr replace ${TAP.guest}/${TAP.prefix} dev card0\nlink set card0 up\nroute replace default via ${TAP.gateway}\n`,
        }),
      { timeout: 15_000, interval: 50 },
    );
    await until(async () => (await dial(world.internet, WORLD_PORTS.web)) === 'connected');
  });
  afterAll(async () => {
    await endAll();
    await networks.destroy(vmId);
    await world.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is for the user of the machine alone', async () => {
    expect(await runCommand(['ip', '-n', vmId, 'tuntap', 'show'])).toMatch(
      new RegExp(`${TAP.device}: tap.* user ${OWNER}`),
    );
  });

  it('carries the machine to the internet under the address of this machine', async () => {
    const program = `fetch('http://${world.internet}/').then((answer) => answer.text()).then(console.log)`;
    expect((await inGuest(process.execPath, '-e', program)).stdout.trim()).toBe(world.host);
  });

  it('leads to nothing near, nor to this machine or the addresses on the way', async () => {
    const said = await runCommand(['ip', '-n', vmId, '-o', '-4', 'addr', 'show', 'dev', 'eth0']);
    const outer = /inet ([\d.]+)/.exec(said)?.[1] ?? '';
    for (const address of [...Object.values(world.near), world.host, outer, TAP.gateway])
      expect({ address, got: await dial(address, WORLD_PORTS.web) }).not.toEqual({ address, got: 'connected' });
    // Somebody does listen at the addresses on the way.
    const listener = spawn(
      '/usr/bin/nsenter',
      [
        `--net=/run/netns/${vmId}`,
        '--',
        process.execPath,
        '-e',
        `require('node:net').createServer((s) => s.end()).listen(80, '0.0.0.0', () => console.log('up'))`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    ends.push(listener);
    await once(listener.stdout, 'data');
    for (const address of [outer, TAP.gateway]) expect(await dial(address, 80)).toBe('silence');
  });

  it('takes no other sender than the one address of the machine', async () => {
    await inGuest('ip', 'addr', 'add', '172.30.0.77/32', 'dev', 'card0');
    await inGuest('ip', 'addr', 'add', '10.9.9.9/32', 'dev', 'card0');
    for (const source of ['172.30.0.77', '10.9.9.9'])
      expect(await dial(world.internet, WORLD_PORTS.web, source)).toBe('silence');
    expect(await dial(world.internet, WORLD_PORTS.web)).toBe('connected');
  });

  it("sees another's filter that drops what is forwarded, as nft lists it", async () => {
    const chain = 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }';
    await inGuest('nft', 'add', 'table', 'ip', 'filter');
    await inGuest('nft', chain);
    expect(findForwardDrops((await inGuest('nft', '-j', 'list', 'chains')).stdout)).toEqual(['ip filter FORWARD']);
    await inGuest('nft', 'delete', 'table', 'ip', 'filter');
    expect(findForwardDrops((await inGuest('nft', '-j', 'list', 'chains')).stdout)).toEqual([]);
  });

  it('is gone with the network', async () => {
    expect(await traces()).not.toEqual(before);
    await endAll();
    await networks.destroy(vmId);
    await networks.dropTable(async () => true);
    expect(await traces()).toEqual(before);
  });
});
